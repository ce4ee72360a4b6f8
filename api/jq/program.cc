#include "api/jq/program.h"

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "api/jq/parser.h"
#include "api/jq/tree.h"

namespace portico::jq {

absl::StatusOr<Program> Program::Compile(std::string_view text, std::span<const std::string> variables,
                                         const CompileLimits& limits) {
  if (text.size() > limits.program_bytes_max) {
    return absl::InvalidArgumentError(
        base::ToAbsl(base::Concat("the program is longer than ", limits.program_bytes_max, " bytes")));
  }
  if (!base::IsUtf8(text)) return absl::InvalidArgumentError("the program is not UTF-8");
  auto tree = std::make_shared<Tree>();
  tree->variables.assign(variables.begin(), variables.end());
  if (const absl::Status status = Parser(text, *tree, limits).Parse(); !status.ok()) return status;
  for (size_t i = 0; i < tree->variables.size(); ++i) {
    if (tree->variable_is_used[i]) tree->variables_used.push_back(tree->variables[i]);
  }
  return Program(std::move(tree));
}

const std::vector<std::string>& Program::variables_used() const {
  return tree_->variables_used;
}

}  // namespace portico::jq
