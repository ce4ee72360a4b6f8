"""What the reader of the demo is told, and whether it held."""
import sys
import time

COLOURS = {"green": 32, "red": 31, "bold": 1, "dim": 2}


def coloured(text, colour):
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if sys.stdout.isatty() else text


def say(text=""):
    print(text, flush=True)


def heading(text):
    say("\n" + coloured(text, "bold"))


def aside(text):
    say(coloured(f"  {text}", "dim"))


class Expectations:
    """Everything that was promised, and whether it held."""

    def __init__(self):
        self.held, self.broken = [], []

    def expect(self, condition, what, otherwise=""):
        if condition:
            self.held.append(what)
            say(f"  {coloured('ok', 'green')}  {what}")
        else:
            self.broken.append(what)
            say(f"  {coloured('NO', 'red')}  {what}" + (f"  ({otherwise})" if otherwise else ""))
        return condition

    def expect_all(self, answers, holds, what):
        """Of answers through every proxy; those for which it does not hold are told."""
        others = [f"{name}: {answer}" for name, answer in answers.items() if not holds(answer)]
        return self.expect(not others, what, "; ".join(others))


def until(condition, seconds):
    """Polls until the condition holds; its last value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.01)
