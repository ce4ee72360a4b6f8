#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/jq/oracle.h"
#include "gtest/gtest.h"

// Programs and inputs made at random from the grammar, each by jq 1.6 and by ours. PORTICO_SEED=N starts elsewhere; a
// failure names its program and input, to be added to the corpus.

namespace portico::jq {
namespace {

constexpr unsigned kPrograms = 300;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed), catches_(Roll(3) == 0) {}

  std::string Program() { return Pipe(3); }

  std::string Value(int depth) {
    switch (Roll(depth > 0 ? 10 : 7)) {
      case 0:
        return "null";
      case 1:
        return Roll(2) == 0 ? "true" : "false";
      case 2:
      case 3:
        return Pick({"0", "1", "2", "3", "-1", "1.5", "100000", "-0.25"});
      case 4:
      case 5:
      case 6:
        return Pick({"\"\"", "\"a\"", "\"b\"", "\"a,b\"", "\"1\"", "\"\u00e9x\"", "\"abcabcabcabcabc\""});
      case 7:
      case 8: {
        std::string text = "[";
        for (unsigned i = Roll(4); i > 0; --i)
          text += Value(depth - 1) + (i > 1 ? "," : "");
        return text + "]";
      }
      default: {
        std::string text = "{";
        for (unsigned i = Roll(4); i > 0; --i) {
          text +=
              base::Concat(Pick({"\"a\"", "\"b\"", "\"key\"", "\"value\""}), ":", Value(depth - 1), i > 1 ? "," : "");
        }
        return text + "}";
      }
    }
  }

 private:
  unsigned Roll(unsigned sides) { return static_cast<unsigned>(random_() % sides); }
  std::string Pick(std::initializer_list<const char*> choices) { return *(choices.begin() + Roll(choices.size())); }

  std::string Pipe(int depth) {
    std::string text = Comma(depth);
    for (unsigned i = Roll(3); i > 0 && depth > 0; --i)
      text += " | " + Comma(depth - 1);
    return text;
  }

  std::string Comma(int depth) {
    std::string text = Operators(depth);
    if (Roll(5) == 0) text += ", " + Operators(depth - 1);
    return text;
  }

  std::string Operators(int depth) {
    if (depth <= 0 || Roll(3) > 0) return Term(depth);
    const std::string op = Pick({"+", "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "//"});
    const std::string right = Term(depth - 1);
    // jq folds such constants, and refuses the program.
    return base::Concat(Term(depth - 1), " ", op, " ", (op == "/" || op == "%") ? "(" + right + " | .)" : right);
  }

  std::string Term(int depth) {
    std::string term = Atom(depth);
    while (Roll(4) == 0)
      term += Step(depth);
    if (catches_ && Roll(3) == 0) term = "(" + term + ")?";
    return term;
  }

  std::string Step(int depth) {
    // With `?` about, what deviates (an object indexed by a number) could not be told from what is wrong.
    const std::string end = catches_ && Roll(2) == 0 ? "?" : "";
    switch (Roll(catches_ ? 3 : 5)) {
      case 0:
        return "[]" + end;
      case 1:
        return Pick({" .a", " .b", "[\"a\"]", " .\"key\""}) + end;
      case 2:
        return Pick({"[1:]", "[:2]", "[-2:]", "[0:1]"}) + end;
      case 3:
        return Pick({"[0]", "[1]", "[-1]", "[1.5]"});
      default:
        return "[" + Pipe(depth - 2) + "]";
    }
  }

  std::string Atom(int depth) {
    if (depth <= 0) return Leaf();
    switch (Roll(12)) {
      case 0:
        return "[" + Pipe(depth - 1) + "]";
      case 1:
        return Object(depth - 1);
      case 2:
        return "(" + Pipe(depth - 1) + ")";
      case 3:
        return base::Concat("\"x\\(", Pipe(depth - 1), ")y\\(", Leaf(), ")\"");
      case 4:
        return base::Concat("(if ", Pipe(depth - 1), " then ", Pipe(depth - 1), " else ", Pipe(depth - 1), " end)");
      case 5:
        return base::Concat("(reduce .[] as $x (", Leaf(), "; ", Reducing(depth - 1), "))");
      case 6:
        return base::Concat("(", Term(depth - 1), " as $x | ", Comma(depth - 1), " | [., $x])");
      case 7:
      case 8:
      case 9:
        return Call(depth - 1);
      default:
        return Leaf();
    }
  }

  std::string Reducing(int depth) {
    return Pick({". + $x", "[., $x]", "$x", ". // $x"}) + (Roll(3) ? "" : ", " + Leaf());
  }

  std::string Object(int depth) {
    std::string text = "{a: " + Term(depth - 1);
    if (Roll(2) == 0) text += ", b";
    if (Roll(3) == 0) text += base::Concat(", \"k\\(", Leaf(), ")\": ", Leaf());
    if (Roll(3) == 0) text += base::Concat(", (", Pipe(depth - 1), " | tostring): ", Leaf());
    if (Roll(4) == 0) text += ", $v";
    return text + "}";
  }

  std::string Leaf() {
    return Pick({".",    ".",     ".",  ".a", ".b", ".[]",     "1",     "2",       "0",     "\"a\"",  "\"b\"", "null",
                 "true", "false", "[]", "{}", "$v", "$v.list", "$v.id", "$v.name", "empty", "(1, 2)", "[1, 2]"});
  }

  std::string Simple() { return Pick({".", ".a", ".b", ". == 1", ". > 1", "tostring", ".a == .b", "length"}); }

  std::string Call(int depth) {
    static constexpr const char* kPlain[] = {"length", "keys",    "add",          "any",      "all",
                                             "unique", "first",   "last",         "tostring", "to_entries",
                                             "not",    "flatten", "from_entries", "empty"};
    static constexpr const char* kOfSimple[] = {"any", "all", "unique_by", "sort_by", "group_by", "min_by", "max_by"};
    static constexpr const char* kOfAny[] = {"map",   "select",   "has",      "first",    "last",   "join",
                                             "split", "ltrimstr", "rtrimstr", "contains", "inside", "with_entries"};
    switch (Roll(8)) {
      case 0:
      case 1:
        return kPlain[Roll(std::size(kPlain))];
      case 2:
      case 3:
        return base::Concat(kOfSimple[Roll(std::size(kOfSimple))], "(", Simple(), ")");
      case 4:
        return Pick({"range(3)", "range(1; 4)", "range(0; 6; 2)", "range(3; 0; -1)", "flatten(1)", "test(\"a\")",
                     "test(\"^A\"; \"i\")", "sort_by(.a, .b)", "range(0, 1; 3, 2)"});
      default:
        return base::Concat(kOfAny[Roll(std::size(kOfAny))], "(", Pipe(depth - 1), ")");
    }
  }

  std::mt19937 random_;
  const bool catches_;
};

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Why the two may differ, "" if they may not. Each is a deviation that the README lists, or a limit.
std::string_view Excuse(const std::string& program, const Answer& ours, const Answer& jq) {
  if (ours.over_limit) return "a limit of ours";
  if (jq.refused) return "jq folds constants, and refuses what then fails";
  if (Has(jq.error, "Cannot index object with number")) return "a number indexes an object";
  if (Has(ours.error, "Cannot index array with array")) return "an array indexes nothing";
  if (Has(jq.error, "as object key") || Has(jq.error, "Object keys must be strings")) return "words about keys";
  // jq 1.6 goes on with any()'s and all()'s elements after the first that decides.
  if (ours.error.empty() && !jq.error.empty() && (Has(program, "any") || Has(program, "all"))) return "any stops early";
  // jq 1.6 takes null for the input of a reduce from the second output of what comes before its source on.
  if (Has(program, "reduce") && Has(jq.error, "Cannot iterate over null")) return "several initial values";
  const bool prefix = ours.outputs.size() <= jq.outputs.size() &&
                      std::equal(ours.outputs.begin(), ours.outputs.end(), jq.outputs.begin());
  if (Has(program, "?") && !ours.error.empty() && prefix) return "`?` catches what it encloses alone";
  return "";
}

TEST(Random, SameAsJq) {
  const char* seed_text = std::getenv("PORTICO_SEED");
  const unsigned seed = seed_text == nullptr ? 1 : static_cast<unsigned>(std::atoi(seed_text));
  unsigned equal = 0;
  for (unsigned i = 0; i < kPrograms; ++i) {
    Generator generator(seed * kPrograms + i);
    const std::string program = generator.Program();
    const std::string input = generator.Value(3);
    const Answer ours = AskOurs(program, input);
    const Answer jq = AskJq(program, input);
    if (ours.Text() == jq.Text() && !ours.refused) {
      ++equal;
    } else if (ours.refused || Excuse(program, ours, jq).empty()) {
      ADD_FAILURE() << program << "\t" << input << "\nours: " << ours.Text() << " " << ours.error
                    << "\njq:   " << jq.Text() << " " << jq.error;
    }
  }
  EXPECT_GT(equal, kPrograms * 8 / 10) << "too many are excused for the test to say anything";
}

}  // namespace
}  // namespace portico::jq
