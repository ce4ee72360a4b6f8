#ifndef PORTICO_API_JQ_ORACLE_H_
#define PORTICO_API_JQ_ORACLE_H_

#include <string>
#include <string_view>
#include <vector>

// For tests: one program on one input, by the jq 1.6 binary and by ours, in the same form.

namespace portico::jq {

struct Answer {
  bool refused = false;              // did not compile; `error` says why
  bool over_limit = false;           // ours alone
  std::vector<std::string> outputs;  // compact JSON
  std::string error;                 // what ended it after the outputs, or ""

  // "1 2 error: ...", or "refused".
  std::string Text() const;
};

// $v in both.
inline constexpr std::string_view kVariable = R"({"id":7,"list":[3,1,2],"map":{"7":"seven"},"name":"n"})";

Answer AskJq(const std::string& program, const std::string& input);
Answer AskOurs(const std::string& program, const std::string& input);

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_ORACLE_H_
