#include <iostream>
#include <string>
#include <vector>

#include "api/yaml/disk.h"
#include "controlplane/crypto/key_pair.h"
#include "tools/ctl/console.h"
#include "tools/ctl/porticoctl.h"

int main(int argc, char** argv) {
  portico::yaml::DiskReader files;
  const portico::openssl::KeyPairChecker key_pairs;
  const portico::ctl::Console console{std::cout, std::cerr, files, key_pairs};
  const int code = portico::ctl::Porticoctl(std::vector<std::string>(argv + 1, argv + argc), console);
  // A full disk or a closed pipe must not look like success.
  std::cout.flush();
  return std::cout.good() ? code : portico::ctl::kFailed;
}
