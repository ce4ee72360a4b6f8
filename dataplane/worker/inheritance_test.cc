#include "dataplane/worker/inheritance.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"

namespace portico::worker {
namespace {

TEST(Spread, GivesEverySocketToOneWorker) {
  struct Row {
    std::string name;
    std::vector<int> ports;  // of the sockets
    size_t count;
    std::string expected;  // ports, by worker
  };
  const Row rows[] = {
      {"none", {}, 2, "|"},
      {"as many", {80, 80}, 2, "80 |80 "},
      {"fewer sockets", {80}, 3, "80 ||"},
      {"more sockets", {80, 80, 80}, 2, "80 80 |80 "},
      {"one worker", {80, 81, 80, 81}, 1, "80 81 80 81 "},
      {"what is left over goes round", {80, 81, 80, 81, 80, 81}, 2, "80 81 80 |81 80 81 "},
  };
  for (const Row& row : rows) {
    std::vector<net::ListeningSocket> sockets;
    for (const int port : row.ports)
      sockets.push_back({{}, net::Address::Parse("127.0.0.1", static_cast<uint16_t>(port)).value(), true});
    std::vector<std::string> workers;
    for (const std::vector<net::ListeningSocket>& worker : Spread(std::move(sockets), row.count)) {
      std::string ports;
      for (const net::ListeningSocket& socket : worker)
        base::AppendTo(ports, base::Concat(socket.address.port(), " "));
      workers.push_back(ports);
    }
    EXPECT_EQ(base::Join(workers, "|"), row.expected) << row.name;
  }
}

}  // namespace
}  // namespace portico::worker
