#ifndef PORTICO_TOOLS_CTL_COMMAND_ROWS_H_
#define PORTICO_TOOLS_CTL_COMMAND_ROWS_H_

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/check/key_pair.h"
#include "api/load/memory_files.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tools/ctl/console.h"
#include "tools/ctl/fake_api_client.h"
#include "tools/ctl/porticoctl.h"

// Tests of commands that ask a control plane, as tables: what is typed, what the fake control plane says, and what is
// printed and asked.
namespace portico::ctl::test {

using Script = FakeApiClient::Script;

class AcceptingChecker : public check::KeyPairChecker {
 public:
  absl::Status Check(std::string_view, std::string_view) const override { return absl::OkStatus(); }
};

template <typename Message>
Message From(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

inline Script Failed(const absl::Status& status, const std::vector<ApiViolation>& violations = {}) {
  Script script;
  script.change = {status, violations, {}};
  script.get.status = script.list.status = script.history.status = script.proxies.status = status;
  return script;
}

// A store that holds these: text formats of Resource.
inline Script Stored(const std::vector<std::string>& resources) {
  Script script;
  script.list.response.set_revision(12);
  script.list.response.set_epoch("e");
  for (const std::string& resource : resources)
    *script.list.response.add_resources() = From<portico::v1::Resource>(resource);
  return script;
}

struct Row {
  const char* name;
  std::vector<std::string> words;
  Script script;
  int code;
  std::string out;                      // all of it
  std::vector<std::string> error;       // parts of it; empty: nothing is printed there
  std::vector<std::string> asked = {};  // parts of it
};

// The world around all rows.
struct World {
  std::map<std::string, std::string> files = {};
  std::string standard_input = {};
  bool terminal = false;
  std::string token_file = {};
};

inline void RunRows(const std::vector<Row>& rows, const World& world) {
  load::MemoryFiles files(world.files);
  const AcceptingChecker key_pairs;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    std::ostringstream out, error;
    std::istringstream in(world.standard_input);
    std::string asked;
    int64_t now = 0;
    const auto connect = [&](const ApiOptions& options) {
      asked += options.address + (options.tls ? " as " + options.tls->certificate : "") +
               (options.token.empty() ? "" : " with " + options.token) + " " + std::to_string(options.timeout_ms) +
               "\n";
      return std::make_unique<FakeApiClient>(row.script, asked);
    };
    const auto now_ms = [&] { return now += 37; };
    const auto pause_ms = [&](int64_t time) { asked += "pause " + std::to_string(time) + "\n"; };
    const auto time_micros = [] { return int64_t{1'800'000'000'000'000}; };
    const auto new_token = [] { return std::string("portico_new"); };
    const Console console{out,    error,    files,          key_pairs,        in,        connect,
                          now_ms, pause_ms, world.terminal, world.token_file, new_token, time_micros};
    EXPECT_EQ(Porticoctl(row.words, console), row.code);
    EXPECT_EQ(out.str(), row.out);
    for (const std::string& part : row.error)
      EXPECT_THAT(error.str(), testing::HasSubstr(part));
    if (row.error.empty()) EXPECT_EQ(error.str(), "");
    for (const std::string& part : row.asked)
      EXPECT_THAT(asked, testing::HasSubstr(part));
  }
}

}  // namespace portico::ctl::test

#endif  // PORTICO_TOOLS_CTL_COMMAND_ROWS_H_
