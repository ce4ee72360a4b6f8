#ifndef PORTICO_API_JQ_PARSER_H_
#define PORTICO_API_JQ_PARSER_H_

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/jq/lexer.h"
#include "api/jq/program.h"
#include "api/jq/tree.h"

namespace portico::jq {

// Text to nodes: jq 1.6's grammar by recursive descent, with the scope of variables checked on the way. What is not
// supported is refused by its name. Once per program: construct, then Parse().
//
// Inside, every Parse... returns nullptr after Fail(), and the first failure stays.
class Parser {
 public:
  // `tree` has its `variables`; the rest is filled in.
  Parser(std::string_view text, Tree& tree, const CompileLimits& limits);

  absl::Status Parse();

 private:
  struct Local {
    std::string_view name;
    uint32_t slot;
  };
  // One level deeper while it lives. Every way from a rule back to itself passes one.
  class Nesting {
   public:
    explicit Nesting(Parser& parser);
    ~Nesting() { --parser_.nesting_; }

   private:
    Parser& parser_;
  };

  // Grammar, loosest binding first (parser.cc).
  const Node* ParsePipe();
  const Node* ParseComma();
  const Node* ParseOperators(int binding_min);
  const Node* ParseOperand();
  const Node* ParseNegation();
  const Node* ParseTryAndBind(const Node* operand);
  const Node* ParseBind(const Node* source);
  const Node* ParseReduce();
  const Node* ParseIf();

  // Terms (parser_terms.cc).
  const Node* ParseTerm();
  const Node* ParseSteps(const Node* target);
  const Node* ParseBracketStep(const Node* target);
  const Node* ParseVariable();
  const Node* ParseString();
  const Node* ParseArray();
  const Node* ParseObject();
  bool ParseMember(std::vector<const Node*>& parts);
  bool ParseMemberNamed(std::vector<const Node*>& parts);
  const Node* ParseMemberValue();
  const Node* ParseName();
  const Node* ParseCall(const Token& name);
  const Node* MakeCall(const Token& name, std::vector<const Node*> arguments);
  const Node* MakeTest(std::vector<const Node*> arguments, size_t offset);

  // Nodes. Make() works out `single` and `cost`.
  const Node* Make(Node node, std::vector<const Node*> parts);
  const Node* Make(Kind kind, std::vector<const Node*> parts) { return Make(Node{.kind = kind}, std::move(parts)); }
  const Node* MakeLiteral(base::Json literal);
  const Node* MakeText(std::string_view text);
  const Node* MakeNumber(std::string_view text);
  const Node* MakeFunction(Function function, std::vector<const Node*> arguments);

  bool TakeVariableName(Token& name);
  bool DeclareVariable(Token& name);
  const Node* UseVariable(const Token& name);

  // Words.
  void Advance() { token_ = lexer_.Next(); }
  bool At(std::string_view punctuation) const;
  bool AtName(std::string_view name) const;
  bool Take(std::string_view punctuation);
  bool TakeOptional() { return Take("?"); }
  bool Expect(std::string_view punctuation);
  bool ExpectName(std::string_view name);
  const Node* Unexpected(std::string_view expected);
  const Node* Fail(size_t offset, std::string_view what);
  bool failed() const { return !error_.ok(); }

  const std::string_view text_;
  Tree& tree_;
  const CompileLimits& limits_;
  Lexer lexer_;
  Token token_;
  std::vector<Local> locals_;
  size_t nesting_ = 0;
  absl::Status error_;
};

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_PARSER_H_
