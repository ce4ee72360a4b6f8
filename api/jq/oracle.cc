#include "api/jq/oracle.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/jq/evaluate.h"

namespace portico::jq {
namespace {

constexpr char kJq[] = "/usr/bin/jq";

std::string Message(const absl::Status& status) {
  return std::string(base::ToStd(status.message()));
}

// Runs jq with `input` on its standard input; both of its outputs come back together, errors in lines of their own.
std::string RunJq(const std::string& program, const std::string& input) {
  int to_child[2];
  int from_child[2];
  PORTICO_CHECK(pipe(to_child) == 0 && pipe(from_child) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], 2);
  for (const int fd : {to_child[0], to_child[1], from_child[0], from_child[1]}) {
    posix_spawn_file_actions_addclose(&actions, fd);
  }
  // The space: a program may begin with a minus.
  std::vector<std::string> words = {kJq, "-c", "--argjson", "v", std::string(kVariable), " " + program};
  std::vector<char*> arguments;
  for (std::string& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  PORTICO_CHECK(posix_spawn(&pid, kJq, &actions, nullptr, arguments.data(), environ) == 0, "jq is not installed");
  posix_spawn_file_actions_destroy(&actions);
  close(to_child[0]);
  close(from_child[1]);
  // A pipe holds 64 kB, so this does not wait for the child.
  PORTICO_CHECK(input.size() < 60000);
  // jq may be gone already, having refused the program.
  signal(SIGPIPE, SIG_IGN);
  if (write(to_child[1], input.data(), input.size()) < 0) PORTICO_CHECK(errno == EPIPE);
  close(to_child[1]);
  std::string output;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(from_child[0], buffer, sizeof buffer)) > 0;) {
    output.append(buffer, static_cast<size_t>(got));
  }
  close(from_child[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  return output;
}

}  // namespace

std::string Answer::Text() const {
  if (refused) return "refused";
  std::string text = base::Join(outputs, " ");
  if (!error.empty()) text += base::Concat(text.empty() ? "" : " ", "error: ", error);
  return text;
}

Answer AskJq(const std::string& program, const std::string& input) {
  Answer answer;
  const std::string output = RunJq(program, input);
  for (const std::string_view line : base::Split(output, '\n')) {
    if (line.starts_with("jq: error (at ")) {
      answer.error = line.substr(line.find("): ") + 3);
    } else if (line.starts_with("jq: ") && !answer.refused) {
      answer.refused = true;
      answer.error = line;
    } else if (!line.empty()) {
      answer.outputs.emplace_back(line);
    }
  }
  return answer;
}

Answer AskOurs(const std::string& program, const std::string& input) {
  Answer answer;
  base::Arena arena;
  const std::vector<std::string> names = {"v"};
  const absl::StatusOr<Program> compiled = Program::Compile(program, names);
  if (!compiled.ok()) {
    answer.refused = true;
    answer.error = Message(compiled.status());
    return answer;
  }
  const absl::StatusOr<base::Json> value = base::ParseJson(input, arena);
  const absl::StatusOr<base::Json> variable = base::ParseJson(kVariable, arena);
  PORTICO_CHECK(value.ok() && variable.ok());
  const Binding bindings[] = {{"v", *variable}};
  const absl::Status status = EvaluateEach(*compiled, bindings, *value, arena, {}, [&](const base::Json& output) {
    answer.outputs.push_back(*base::PrintJson(output, 1 << 20));
    return true;
  });
  if (!status.ok()) answer.error = Message(status);
  answer.over_limit = status.code() == absl::StatusCode::kResourceExhausted;
  return answer;
}

}  // namespace portico::jq
