#include "controlplane/listen/peer_address.h"

#include <gtest/gtest.h>

namespace portico::listen {
namespace {

TEST(PeerAddressTest, IsReadFromTheUri) {
  const struct {
    std::string uri, address;
  } rows[] = {{"ipv4:10.0.0.7:4711", "10.0.0.7:4711"},
              {"ipv6:%5B::1%5D:4711", "[::1]:4711"},
              {"ipv6:%5bfe80::1%25eth0%5d:1", "[fe80::1%eth0]:1"},
              {"unix:", ""},
              {"nothing", "nothing"},
              {"ipv4:%5", "%5"},
              {"ipv4:%zz", "%zz"},
              {"", ""},
              {"x:" + std::string(1000, 'a'), std::string(kPeerAddressBytesMax, 'a')}};
  for (const auto& row : rows)
    EXPECT_EQ(PeerAddress(row.uri), row.address) << row.uri;
}

}  // namespace
}  // namespace portico::listen
