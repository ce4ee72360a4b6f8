#include <algorithm>
#include <optional>

#include "api/base/text.h"
#include "api/jq/builtins.h"
#include "api/jq/parser.h"

namespace portico::jq {

using base::Json;

const Node* Parser::ParseTerm() {
  const Nesting nesting(*this);
  if (failed()) return nullptr;
  const Node* term = nullptr;
  if (At(".")) {
    Advance();
    term = Make(Kind::kIdentity, {});
    if (token_.kind == TokenKind::kQuote) {
      const Node* key = ParseString();
      if (failed()) return nullptr;
      term = Make(Node{.kind = Kind::kIndex, .optional = TakeOptional()}, {term, key});
    }
  } else if (token_.kind == TokenKind::kField) {
    const Node* key = MakeText(token_.text);
    Advance();
    term = Make(Node{.kind = Kind::kIndex, .optional = TakeOptional()}, {Make(Kind::kIdentity, {}), key});
  } else if (token_.kind == TokenKind::kNumber) {
    term = MakeNumber(token_.text);
    Advance();
  } else if (token_.kind == TokenKind::kQuote) {
    term = ParseString();
  } else if (At("$")) {
    term = ParseVariable();
  } else if (At("[")) {
    term = ParseArray();
  } else if (At("{")) {
    term = ParseObject();
  } else if (Take("(")) {
    term = ParsePipe();
    if (!failed()) Expect(")");
  } else if (token_.kind == TokenKind::kName) {
    term = ParseName();
  } else {
    return Unexpected("an expression");
  }
  return failed() ? nullptr : ParseSteps(term);
}

// .name, ."text", [key], [], [from:to], each with its own `?`.
const Node* Parser::ParseSteps(const Node* target) {
  while (!failed()) {
    if (token_.kind == TokenKind::kField) {
      const Node* key = MakeText(token_.text);
      Advance();
      target = Make(Node{.kind = Kind::kIndex, .optional = TakeOptional()}, {target, key});
    } else if (At(".")) {
      Advance();
      if (token_.kind != TokenKind::kQuote) return Unexpected("a name after `.`");
      const Node* key = ParseString();
      if (failed()) return nullptr;
      target = Make(Node{.kind = Kind::kIndex, .optional = TakeOptional()}, {target, key});
    } else if (At("[")) {
      target = ParseBracketStep(target);
    } else {
      return target;
    }
  }
  return nullptr;
}

const Node* Parser::ParseBracketStep(const Node* target) {
  Advance();
  if (Take("]")) return Make(Node{.kind = Kind::kIterate, .optional = TakeOptional()}, {target});
  const Node* from = At(":") ? MakeLiteral(Json()) : ParsePipe();
  if (failed()) return nullptr;
  if (Take("]")) return Make(Node{.kind = Kind::kIndex, .optional = TakeOptional()}, {target, from});
  if (!Expect(":")) return nullptr;
  const Node* to = At("]") ? MakeLiteral(Json()) : ParsePipe();
  if (failed() || !Expect("]")) return nullptr;
  return Make(Node{.kind = Kind::kSlice, .optional = TakeOptional()}, {target, from, to});
}

bool Parser::TakeVariableName(Token& name) {
  const size_t offset = token_.offset;
  if (!Expect("$")) return false;
  if (token_.kind != TokenKind::kName) {
    Unexpected("a variable's name after `$`");
    return false;
  }
  name = token_;
  name.offset = offset;
  Advance();
  return true;
}

bool Parser::DeclareVariable(Token& name) {
  if (!TakeVariableName(name)) return false;
  locals_.push_back({name.text, tree_.slots++});
  return true;
}

const Node* Parser::ParseVariable() {
  Token name;
  return TakeVariableName(name) ? UseVariable(name) : nullptr;
}

const Node* Parser::UseVariable(const Token& name) {
  const auto found =
      std::find_if(locals_.rbegin(), locals_.rend(), [&](const Local& local) { return local.name == name.text; });
  if (found != locals_.rend()) {
    if (found->slot < tree_.variable_is_used.size()) tree_.variable_is_used[found->slot] = true;
    return Make(Node{.kind = Kind::kVariable, .slot = found->slot}, {});
  }
  if (name.text == "ENV" || name.text == "__loc__") {
    return Fail(name.offset, base::Concat("`$", name.text, "` is not supported"));
  }
  std::vector<std::string_view> names;
  for (const Local& local : locals_)
    names.push_back(local.name);
  const std::string_view nearest = base::NearestName(name.text, names);
  std::string what = base::Concat("$", name.text, " is not defined");
  if (!nearest.empty()) {
    what += base::Concat("; did you mean $", nearest, "?");
  } else if (!names.empty()) {
    what += "; defined are ";
    for (size_t i = 0; i < names.size(); ++i)
      what += base::Concat(i == 0 ? "$" : ", $", names[i]);
  }
  return Fail(name.offset, what);
}

// "text \(expression) text"
const Node* Parser::ParseString() {
  std::vector<const Node*> parts;
  while (true) {
    const Lexer::StringPiece piece = lexer_.NextStringPiece();
    if (!piece.error.empty()) return Fail(lexer_.offset(), piece.error);
    parts.push_back(MakeText(piece.text));
    if (piece.ends_string) break;
    Advance();
    parts.push_back(ParsePipe());
    if (failed()) return nullptr;
    // The text goes on right after the bracket, so no token may be read past it.
    if (!At(")")) return Unexpected("`)`");
  }
  Advance();
  return parts.size() == 1 ? parts[0] : Make(Kind::kText, std::move(parts));
}

const Node* Parser::ParseArray() {
  Advance();
  if (Take("]")) return Make(Kind::kArray, {});
  const Node* body = ParsePipe();
  if (failed() || !Expect("]")) return nullptr;
  return Make(Kind::kArray, {body});
}

const Node* Parser::ParseObject() {
  Advance();
  std::vector<const Node*> parts;
  while (!At("}")) {
    if (!ParseMember(parts)) return nullptr;
    if (!Take(",")) break;
  }
  if (!Expect("}")) return nullptr;
  return Make(Kind::kObject, std::move(parts));
}

// {name: v}, {name}, {"text": v}, {"text"}, {$variable}, {(key): v}
bool Parser::ParseMember(std::vector<const Node*>& parts) {
  if (At("$")) {
    Token name;
    if (!TakeVariableName(name)) return false;
    parts.push_back(MakeText(name.text));
    parts.push_back(UseVariable(name));
    return !failed();
  }
  if (Take("(")) {
    const Node* key = ParsePipe();
    if (failed() || !Expect(")") || !Expect(":")) return false;
    parts.push_back(key);
    parts.push_back(ParseMemberValue());
    return !failed();
  }
  return ParseMemberNamed(parts);
}

bool Parser::ParseMemberNamed(std::vector<const Node*>& parts) {
  const Node* key = nullptr;
  if (token_.kind == TokenKind::kQuote) {
    key = ParseString();
  } else if (token_.kind == TokenKind::kName) {
    key = MakeText(token_.text);
    Advance();
  } else {
    Unexpected("a member's name (other keys stand in brackets)");
  }
  if (failed()) return false;
  parts.push_back(key);
  parts.push_back(Take(":") ? ParseMemberValue() : Make(Kind::kIndex, {Make(Kind::kIdentity, {}), key}));
  return !failed();
}

// As in jq a member's value is terms and pipes; anything else needs brackets.
const Node* Parser::ParseMemberValue() {
  std::vector<const Node*> parts;
  do {
    size_t minus = 0;
    while (Take("-"))
      ++minus;
    const Node* part = ParseTerm();
    if (failed()) return nullptr;
    while (TakeOptional() && !failed())
      part = Make(Kind::kTry, {part});
    for (; minus > 0 && !failed(); --minus)
      part = Make(Kind::kNegate, {part});
    if (failed()) return nullptr;
    parts.push_back(part);
  } while (Take("|"));
  if (!At(",") && !At("}")) return Unexpected("`,` or `}` (an expression with operators needs brackets here)");
  return parts.size() == 1 ? parts[0] : Make(Kind::kPipe, std::move(parts));
}

const Node* Parser::ParseName() {
  const Token name = token_;
  if (name.text == "true" || name.text == "false" || name.text == "null") {
    Advance();
    return MakeLiteral(name.text == "null" ? Json() : Json::Bool(name.text == "true"));
  }
  static constexpr std::string_view kReserved[] = {"and", "as",      "catch", "def",    "elif",    "else",
                                                   "end", "foreach", "if",    "import", "include", "label",
                                                   "or",  "reduce",  "then",  "try",    "break",   "__loc__"};
  if (std::find(std::begin(kReserved), std::end(kReserved), name.text) != std::end(kReserved)) {
    return Unexpected("an expression");
  }
  Advance();
  return ParseCall(name);
}

const Node* Parser::ParseCall(const Token& name) {
  const Builtin* builtin = FindBuiltin(name.text);
  if (builtin == nullptr) return Fail(name.offset, UnsupportedBuiltin(name.text));
  std::vector<const Node*> arguments;
  if (Take("(")) {
    do {
      arguments.push_back(ParsePipe());
      if (failed()) return nullptr;
    } while (Take(";"));
    if (!Expect(")")) return nullptr;
  }
  const int fewest = builtin->arguments_min;
  const int most = builtin->arguments_max;
  if (arguments.size() < static_cast<size_t>(fewest) || arguments.size() > static_cast<size_t>(most)) {
    std::string takes = fewest == most ? base::Concat(most) : base::Concat(fewest, " to ", most);
    takes += takes == "1" ? " argument" : " arguments";
    return Fail(name.offset, base::Concat("`", name.text, "/", arguments.size(), "` is not supported; `", name.text,
                                          "` takes ", takes));
  }
  return MakeCall(name, std::move(arguments));
}

// Some builtins are shorthands, as in jq's own definitions.
const Node* Parser::MakeCall(const Token& name, std::vector<const Node*> arguments) {
  const auto identity = [this] { return Make(Kind::kIdentity, {}); };
  const auto all_items = [&] { return Make(Kind::kIterate, {identity()}); };
  const auto map = [&](const Node* body) { return Make(Kind::kArray, {Make(Kind::kPipe, {all_items(), body})}); };
  const Function function = FindBuiltin(name.text)->function;
  if (name.text == "map") return map(arguments[0]);
  if (name.text == "select") {
    return Make(Kind::kIf, {arguments[0], identity(), MakeFunction(Function::kEmpty, {})});
  }
  if (name.text == "with_entries") {
    return Make(Kind::kPipe,
                {MakeFunction(Function::kToEntries, {}), map(arguments[0]), MakeFunction(Function::kFromEntries, {})});
  }
  if (arguments.empty() && (function == Function::kFirst || function == Function::kLast)) {
    return Make(Kind::kIndex, {identity(), MakeNumber(function == Function::kFirst ? "0" : "-1")});
  }
  if (function == Function::kAny || function == Function::kAll) {
    if (arguments.empty()) arguments.push_back(identity());
    if (arguments.size() == 1) arguments.insert(arguments.begin(), all_items());
  }
  if (arguments.empty() && function == Function::kUniqueBy) arguments.push_back(identity());
  if (arguments.empty() && function == Function::kFlatten) arguments.push_back(MakeNumber("1e9"));
  if (function == Function::kRange && arguments.size() == 1) arguments.insert(arguments.begin(), MakeNumber("0"));
  if (function == Function::kRange && arguments.size() == 2) arguments.push_back(MakeNumber("1"));
  if (failed()) return nullptr;
  return function == Function::kTest ? MakeTest(std::move(arguments), name.offset)
                                     : MakeFunction(function, std::move(arguments));
}

// A pattern that is a literal is compiled here, once, so that a bad one is an error with its place.
const Node* Parser::MakeTest(std::vector<const Node*> arguments, size_t offset) {
  Node node{.kind = Kind::kCall, .function = Function::kTest};
  const bool literal = arguments[0]->kind == Kind::kLiteral && arguments[0]->literal.is_string();
  if (arguments.size() == 1 && literal) {
    const std::string_view text = arguments[0]->literal.string();
    re2::RE2::Options options(re2::RE2::Quiet);
    auto pattern = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
    if (!pattern->ok()) return Fail(offset, base::Concat("bad pattern for test: ", pattern->error()));
    node.pattern = pattern.get();
    tree_.patterns.push_back(std::move(pattern));
  }
  node.single = std::all_of(arguments.begin(), arguments.end(), [](const Node* part) { return part->single; });
  return Make(node, std::move(arguments));
}

const Node* Parser::MakeFunction(Function function, std::vector<const Node*> arguments) {
  Node node{.kind = Kind::kCall, .function = function};
  switch (function) {
    case Function::kEmpty:
    case Function::kFirst:
    case Function::kRange:
      break;
    // These run their argument for each element and collect what comes.
    case Function::kAll:
    case Function::kAny:
    case Function::kGroupBy:
    case Function::kLast:
    case Function::kMaxBy:
    case Function::kMinBy:
    case Function::kSortBy:
    case Function::kUniqueBy:
      node.single = true;
      break;
    default:
      node.single = std::all_of(arguments.begin(), arguments.end(), [](const Node* part) { return part->single; });
  }
  return failed() ? nullptr : Make(node, std::move(arguments));
}

const Node* Parser::MakeLiteral(Json literal) {
  return Make(Node{.kind = Kind::kLiteral, .literal = literal}, {});
}

const Node* Parser::MakeText(std::string_view text) {
  return MakeLiteral(Json::String(tree_.arena.Copy(text)));
}

// jq also reads `.5` and `5.`, which JSON does not have: those are printed as computed.
const Node* Parser::MakeNumber(std::string_view text) {
  const bool is_json = text.front() != '.' && text.back() != '.' && text.find(".e") == std::string_view::npos &&
                       text.find(".E") == std::string_view::npos &&
                       (text[0] != '0' || text.size() == 1 || text[1] < '0' || text[1] > '9');
  const double number = base::JsonNumberValue(text);
  return MakeLiteral(is_json ? Json::Number(number, tree_.arena.Copy(text)) : Json::Number(number));
}

}  // namespace portico::jq
