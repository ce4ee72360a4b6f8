#ifndef PORTICO_TOOLS_CTL_CONSOLE_H_
#define PORTICO_TOOLS_CTL_CONSOLE_H_

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "api/check/key_pair.h"
#include "api/yaml/read.h"
#include "tools/ctl/api_client.h"

namespace portico::ctl {

// What a command has of the world: main.cc's is the real one, tests have fakes.
struct Console {
  std::ostream& out;
  std::ostream& error;
  yaml::FileReader& files;
  const check::KeyPairChecker& key_pairs;
  std::istream& in;
  std::function<std::unique_ptr<ApiClient>(const ApiOptions&)> connect;
  std::function<int64_t()> now_ms;                   // since any moment, never backwards
  std::function<void(int64_t)> pause_ms = nullptr;   // returns after that time
  bool terminal = false;                             // standard error is one: progress is shown there
  std::string token_file = {};                       // what PORTICO_TOKEN_FILE says
  std::function<std::string()> new_token = nullptr;  // random
  std::function<int64_t()> time_micros = nullptr;    // since 1970
};

// Exit codes of every command.
inline constexpr int kGood = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_CONSOLE_H_
