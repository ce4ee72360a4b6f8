#include "api/jq/parser.h"

#include <algorithm>
#include <array>
#include <optional>

#include "api/base/text.h"
#include "api/jq/builtins.h"

namespace portico::jq {
namespace {

struct BinaryOperator {
  std::string_view text;
  int binding;  // tighter is larger
  Kind kind;
  Operator op;
};

enum Associativity { kLeft, kRight, kNone };

constexpr int kBindingComparison = 4;
constexpr int kBindingProduct = 6;

constexpr std::array<BinaryOperator, 14> kOperators = {{
    {"//", 1, Kind::kAlternative, Operator::kAdd},
    {"or", 2, Kind::kOr, Operator::kAdd},
    {"and", 3, Kind::kAnd, Operator::kAdd},
    {"==", kBindingComparison, Kind::kOperator, Operator::kEqual},
    {"!=", kBindingComparison, Kind::kOperator, Operator::kNotEqual},
    {"<", kBindingComparison, Kind::kOperator, Operator::kLess},
    {"<=", kBindingComparison, Kind::kOperator, Operator::kLessOrEqual},
    {">", kBindingComparison, Kind::kOperator, Operator::kGreater},
    {">=", kBindingComparison, Kind::kOperator, Operator::kGreaterOrEqual},
    {"+", 5, Kind::kOperator, Operator::kAdd},
    {"-", 5, Kind::kOperator, Operator::kSubtract},
    {"*", kBindingProduct, Kind::kOperator, Operator::kMultiply},
    {"/", kBindingProduct, Kind::kOperator, Operator::kDivide},
    {"%", kBindingProduct, Kind::kOperator, Operator::kRemainder},
}};

const BinaryOperator* FindOperator(const Token& token) {
  if (token.kind != TokenKind::kPunctuation && token.kind != TokenKind::kName) return nullptr;
  const auto found = std::find_if(kOperators.begin(), kOperators.end(),
                                  [&](const BinaryOperator& candidate) { return candidate.text == token.text; });
  return found == kOperators.end() ? nullptr : &*found;
}

Associativity AssociativityOf(const BinaryOperator& op) {
  if (op.kind == Kind::kAlternative) return kRight;
  return op.binding == kBindingComparison ? kNone : kLeft;
}

bool IsAssignment(const Token& token) {
  static constexpr std::array<std::string_view, 9> kAssignments = {
      "=", "|=", "+=", "-=", "*=", "/=", "%=", "//=", "?//="};
  return token.kind == TokenKind::kPunctuation &&
         std::find(kAssignments.begin(), kAssignments.end(), token.text) != kAssignments.end();
}

bool AllSingle(const std::vector<const Node*>& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const Node* part) { return part->single; });
}

// Exactly one output, whatever the values, or an error.
bool IsSingle(const Node& node, const std::vector<const Node*>& parts) {
  switch (node.kind) {
    case Kind::kIdentity:
    case Kind::kLiteral:
    case Kind::kVariable:
    case Kind::kArray:
      return true;
    case Kind::kIterate:
    case Kind::kComma:
    case Kind::kTry:
      return false;
    case Kind::kIndex:
    case Kind::kSlice:
      return !node.optional && AllSingle(parts);
    case Kind::kReduce:
      return parts[1]->single;
    case Kind::kCall:
      return node.single;
    default:
      return AllSingle(parts);
  }
}

}  // namespace

Parser::Parser(std::string_view text, Tree& tree, const CompileLimits& limits)
    : text_(text), tree_(tree), limits_(limits), lexer_(text) {
  for (const std::string& name : tree_.variables)
    locals_.push_back({name, tree_.slots++});
  tree_.variable_is_used.assign(tree_.variables.size(), false);
}

absl::Status Parser::Parse() {
  Advance();
  tree_.root = ParsePipe();
  if (!failed() && token_.kind != TokenKind::kEnd) Unexpected("the end");
  return error_;
}

const Node* Parser::ParsePipe() {
  std::vector<const Node*> parts;
  do {
    parts.push_back(ParseComma());
    if (failed()) return nullptr;
  } while (Take("|"));
  return parts.size() == 1 ? parts[0] : Make(Kind::kPipe, std::move(parts));
}

const Node* Parser::ParseComma() {
  std::vector<const Node*> parts;
  do {
    parts.push_back(ParseOperators(0));
    if (failed()) return nullptr;
  } while (Take(","));
  return parts.size() == 1 ? parts[0] : Make(Kind::kComma, std::move(parts));
}

const Node* Parser::ParseOperators(int binding_min) {
  const Node* left = ParseOperand();
  while (!failed()) {
    if (IsAssignment(token_))
      return Fail(token_.offset, base::Concat("assignment (`", token_.text, "`) is not supported"));
    const BinaryOperator* op = FindOperator(token_);
    if (op == nullptr || op->binding < binding_min) return left;
    const Associativity associativity = AssociativityOf(*op);
    const Nesting nesting(*this);
    Advance();
    const Node* right = ParseOperators(associativity == kRight ? op->binding : op->binding + 1);
    if (failed()) return nullptr;
    left = Make(Node{.kind = op->kind, .op = op->op}, {left, right});
    const BinaryOperator* next = FindOperator(token_);
    if (associativity == kNone && next != nullptr && next->binding == op->binding) {
      return Fail(token_.offset, "comparisons in a row need brackets");
    }
  }
  return nullptr;
}

const Node* Parser::ParseOperand() {
  if (At("-")) return ParseNegation();
  const Node* operand = AtName("if") ? ParseIf() : AtName("reduce") ? ParseReduce() : ParseTerm();
  return failed() ? nullptr : ParseTryAndBind(operand);
}

const Node* Parser::ParseNegation() {
  const Nesting nesting(*this);
  if (failed()) return nullptr;
  Advance();
  // `-` reaches over products: -2 * 3 is -(2 * 3).
  const Node* operand = ParseOperators(kBindingProduct);
  return failed() ? nullptr : Make(Kind::kNegate, {operand});
}

const Node* Parser::ParseTryAndBind(const Node* operand) {
  while (TakeOptional()) {
    operand = Make(Kind::kTry, {operand});
    if (failed()) return nullptr;
  }
  return AtName("as") ? ParseBind(operand) : operand;
}

// source as $name | body, the body as far as it goes.
const Node* Parser::ParseBind(const Node* source) {
  const Nesting nesting(*this);
  if (failed()) return nullptr;
  Advance();
  if (At("[") || At("{"))
    return Fail(token_.offset, "taking values apart after `as` is not supported; bind one variable");
  const size_t locals = locals_.size();
  Token name;
  if (!DeclareVariable(name)) return nullptr;
  const uint32_t slot = locals_.back().slot;
  if (At("?//")) return Fail(token_.offset, "`?//` is not supported");
  if (!Expect("|")) return nullptr;
  const Node* body = ParsePipe();
  locals_.resize(locals);
  return failed() ? nullptr : Make(Node{.kind = Kind::kBind, .slot = slot}, {source, body});
}

// reduce source as $name (init; update)
const Node* Parser::ParseReduce() {
  const Nesting nesting(*this);
  if (failed()) return nullptr;
  Advance();
  const Node* source = ParseTerm();
  if (failed() || !ExpectName("as")) return nullptr;
  if (At("[") || At("{"))
    return Fail(token_.offset, "taking values apart after `as` is not supported; bind one variable");
  const size_t locals = locals_.size();
  Token name;
  if (!DeclareVariable(name)) return nullptr;
  const Local variable = locals_.back();
  locals_.resize(locals);  // in scope in the update alone
  if (!Expect("(")) return nullptr;
  const Node* init = ParsePipe();
  if (failed() || !Expect(";")) return nullptr;
  locals_.push_back(variable);
  const Node* update = ParsePipe();
  locals_.resize(locals);
  if (failed() || !Expect(")")) return nullptr;
  return Make(Node{.kind = Kind::kReduce, .slot = variable.slot}, {source, init, update});
}

const Node* Parser::ParseIf() {
  const Nesting nesting(*this);
  if (failed()) return nullptr;
  Advance();
  const Node* condition = ParsePipe();
  if (failed() || !ExpectName("then")) return nullptr;
  const Node* consequence = ParsePipe();
  if (failed()) return nullptr;
  const Node* alternative = nullptr;
  if (AtName("elif")) {
    alternative = ParseIf();  // takes the `end`
  } else {
    if (AtName("else")) {
      Advance();
      alternative = ParsePipe();
    } else {
      alternative = Make(Kind::kIdentity, {});
    }
    if (failed() || !ExpectName("end")) return nullptr;
  }
  return failed() ? nullptr : Make(Kind::kIf, {condition, consequence, alternative});
}

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (++parser.nesting_ > parser.limits_.nesting_max) {
    parser.Fail(parser.token_.offset, base::Concat("nested deeper than ", parser.limits_.nesting_max, " levels"));
  }
}

const Node* Parser::Make(Node node, std::vector<const Node*> parts) {
  if (failed()) return nullptr;
  node.single = IsSingle(node, parts);
  uint32_t deepest = 0;
  uint32_t sum = 0;
  for (const Node* part : parts) {
    deepest = std::max(deepest, part->cost);
    sum += part->cost;
  }
  // A generator runs what comes after it on top of its own stack; a single value, an array's body or a comma's side
  // is done before what comes next begins.
  node.cost = 1 + (node.single || node.kind == Kind::kComma ? deepest : sum);
  if (node.cost > limits_.cost_max) {
    return Fail(token_.offset, base::Concat("too many generators within one another, more than ", limits_.cost_max));
  }
  const Node** copy = tree_.arena.NewArray<const Node*>(parts.size());
  std::copy(parts.begin(), parts.end(), copy);
  node.parts = {copy, parts.size()};
  return tree_.arena.New<Node>(node);
}

bool Parser::At(std::string_view punctuation) const {
  return token_.kind == TokenKind::kPunctuation && token_.text == punctuation;
}

bool Parser::AtName(std::string_view name) const {
  return token_.kind == TokenKind::kName && token_.text == name;
}

bool Parser::Take(std::string_view punctuation) {
  if (!At(punctuation)) return false;
  Advance();
  return true;
}

bool Parser::Expect(std::string_view punctuation) {
  if (Take(punctuation)) return true;
  Unexpected(base::Concat("`", punctuation, "`"));
  return false;
}

bool Parser::ExpectName(std::string_view name) {
  if (!AtName(name)) {
    Unexpected(base::Concat("`", name, "`"));
    return false;
  }
  Advance();
  return true;
}

const Node* Parser::Unexpected(std::string_view expected) {
  static constexpr std::array<std::string_view, 8> kRefused = {"def",   "import", "include", "foreach",
                                                               "label", "try",    "catch",   "break"};
  const std::string_view text = token_.text;
  if (token_.kind == TokenKind::kEnd) return Fail(token_.offset, base::Concat("expected ", expected, ", not the end"));
  if (token_.kind == TokenKind::kName && std::find(kRefused.begin(), kRefused.end(), text) != kRefused.end()) {
    return Fail(token_.offset, base::Concat("`", text, "` is not supported"));
  }
  if (token_.kind == TokenKind::kFormat) return Fail(token_.offset, base::Concat("`@", text, "` is not supported"));
  if (text == ".." || text == "?//") return Fail(token_.offset, base::Concat("`", text, "` is not supported"));
  if (IsAssignment(token_)) return Fail(token_.offset, base::Concat("assignment (`", text, "`) is not supported"));
  const std::string_view dot = token_.kind == TokenKind::kField ? "." : "";
  return Fail(token_.offset, base::Concat("expected ", expected, ", not `", dot, text, "`"));
}

const Node* Parser::Fail(size_t offset, std::string_view what) {
  if (failed()) return nullptr;
  const std::string_view before = text_.substr(0, offset);
  const size_t line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  const size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  error_ = absl::InvalidArgumentError(
      base::ToAbsl(base::Concat("line ", line, ", column ", offset - line_start + 1, ": ", what)));
  return nullptr;
}

}  // namespace portico::jq
