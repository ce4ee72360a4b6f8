"""What callers may have: from the cache, up to a limit, with a key. One request at a time, each through both proxies."""
import re

from demo.acts_at_rest import HISTORY, names_of
from demo.stage import bearer
from demo.told import aside, heading, say

CATALOGUE = "/products"
TEAPOT = "/teapot"
COLUMNS = 60        # of the waterfall
TEAPOTS = 5         # that shop.yaml grants an address in a minute, at each proxy


def catalogue_requests(stage):
    """How often the catalogue was asked for at its services."""
    return sum(line["path"] == CATALOGUE for line in stage.origin_log("product"))


def is_hit(answer):
    return answer.status == 200 and "hit" in answer.fields.get("cache-status", "") and "age" in answer.fields


def show_cache(stage, expectations):
    heading("What was answered before (the catalogue may be given again for 30 s)")
    before = catalogue_requests(stage)
    expectations.expect_all(stage.curl(CATALOGUE), lambda answer: answer.status == 200 and not is_hit(answer),
                            "the first time, each proxy asks a service and stores the answer")
    answers = stage.curl(CATALOGUE)
    expectations.expect_all(answers, is_hit, "the second time, each gives what it has: " +
                            f"cache-status: {answers['edge-1'].fields.get('cache-status')}")
    asked = catalogue_requests(stage) - before
    expectations.expect(asked == len(answers), f"the services' logs agree: they were asked {asked} times", asked)
    said = stage.porticoctl("cache", "purge", "--gateway=shop", f"--path-prefix={CATALOGUE}", "--wait")
    expectations.expect(stage.took(said), "a purge reaches both proxies", said)
    expectations.expect_all(stage.curl(CATALOGUE), lambda answer: answer.status == 200 and not is_hit(answer),
                            "and a service is asked again")


def show_limit(stage, expectations):
    heading(f"How often ({TEAPOTS} teapots a minute for each address)")
    token = bearer(stage.token())
    poured = [stage.curl(TEAPOT, *token) for _ in range(TEAPOTS)]
    for proxy in names_of(stage):
        statuses = [answers[proxy].status for answers in poured]
        expectations.expect(statuses == [418] * TEAPOTS, f"{proxy}: {TEAPOTS} are answered 418", statuses)
    answers = stage.curl(TEAPOT, *token)
    fields = answers["edge-1"].fields
    expectations.expect_all(answers, lambda answer: answer.status == 429 and "retry-after" in answer.fields,
                            f"the next is one too many: 429, retry-after: {fields.get('retry-after')}")
    aside(f"ratelimit-policy: {fields.get('ratelimit-policy')}; ratelimit: {fields.get('ratelimit')}")


def show_key(stage, expectations):
    heading("A key for a program")
    user = "/users/alice"
    said = stage.porticoctl("key", "create", "--consumer=warehouse", "--create", "--wait", quietly=True)
    aside("$ porticoctl key create --consumer=warehouse --create --wait")
    key = said.out.strip()
    expectations.expect(stage.took(said) and len(key) > 40 and "\n" not in key,
                        "a Consumer with a new key is stored, as a digest; the key is shown this once", said.error)
    expectations.expect(key not in stage.porticoctl("get", "all", "-o", "yaml", quietly=True).out,
                        "the control plane can't show it")
    expectations.expect_all(stage.curl(user, "-H", f"x-api-key: {key}"), lambda answer: answer.status == 200,
                            "with it the program gets a user: 200")
    expectations.expect_all(stage.curl(user, "-H", f"x-api-key: {key[:-1]}{'A' if key[-1] != 'A' else 'B'}"),
                            lambda answer: answer.status == 401, "with another one it does not: 401")
    lines = [line for line in stage.origin_log("user") if line.get("consumer") == "warehouse"]
    expectations.expect(len(lines) == 2, "the service was told who asks (x-consumer: warehouse), and not the key", len(lines))


def waterfall(timing):
    """The steps of a server-timing field as text, a row each: where it began, how long it took."""
    steps = re.findall(r'step-([\w-]+);dur=([\d.]+);desc="\w+ start=([\d.]+)"', timing)
    steps = sorted((float(start), float(took), name) for name, took, start in steps)
    end = max((start + took for start, took, _ in steps), default=1)
    rows = []
    for start, took, name in steps:
        left, width = round(start / end * COLUMNS), max(1, round(took / end * COLUMNS))
        rows.append(f"{name:10} {' ' * left}{'█' * width}{' ' * (COLUMNS - left - width)} {start:5.0f} ms + {took:3.0f} ms")
    return steps, rows


def show_waterfall(stage, expectations):
    heading("Where the time of an order history went (portico-timing: 1)")
    answers = stage.curl(HISTORY, "-H", "portico-timing: 1", *bearer(stage.token()))
    steps, rows = waterfall(answers["edge-1"].fields.get("server-timing", ""))
    for row in rows:
        say(f"  {row}")
    began = {name: start for start, _, name in steps}
    expectations.expect(set(began) == {"orders", "products", "stock"} and
                        abs(began["products"] - began["stock"]) < min(took for _, took, _ in steps),
                        "server-timing tells it to whoever is near and asks: products and stock were asked at the same time",
                        answers["edge-1"].fields.get("server-timing"))
    expectations.expect_all(stage.curl(HISTORY, *bearer(stage.token())), lambda answer: "server-timing" not in answer.fields,
                            "and to nobody who does not")
