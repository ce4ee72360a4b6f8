#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "api/yaml/disk.h"
#include "controlplane/crypto/bearer.h"
#include "controlplane/crypto/key_pair.h"
#include "tools/ctl/console.h"
#include "tools/ctl/grpc_client.h"
#include "tools/ctl/porticoctl.h"

int main(int argc, char** argv) {
  portico::yaml::DiskReader files;
  const portico::openssl::KeyPairChecker key_pairs;
  const auto now_ms = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  const auto pause_ms = [](int64_t time) { poll(nullptr, 0, static_cast<int>(time)); };
  const char* const token_file = std::getenv("PORTICO_TOKEN_FILE");
  const auto time_micros = [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  const auto new_token = [] { return portico::openssl::NewBearer("portico"); };
  const portico::ctl::Console console{std::cout,
                                      std::cerr,
                                      files,
                                      key_pairs,
                                      std::cin,
                                      portico::ctl::MakeGrpcClient,
                                      now_ms,
                                      pause_ms,
                                      isatty(STDERR_FILENO) == 1,
                                      token_file == nullptr ? "" : token_file,
                                      new_token,
                                      time_micros};
  const int code = portico::ctl::Porticoctl(std::vector<std::string>(argv + 1, argv + argc), console);
  // A full disk or a closed pipe must not look like success.
  std::cout.flush();
  return std::cout.good() ? code : portico::ctl::kFailed;
}
