#include "dataplane/net/address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace portico::net {
namespace {

TEST(AddressTest, WithPort) {
  struct Row {
    std::string_view text, printed;  // "": refused
  };
  const Row rows[] = {
      {"127.0.0.1:80", "127.0.0.1:80"},
      {"[::1]:80", "[::1]:80"},
      {"[2001:DB8:0:0::1]:65535", "[2001:db8::1]:65535"},
      {"[::ffff:10.0.0.1]:8", "10.0.0.1:8"},
      {"0.0.0.0:0", "0.0.0.0:0"},
      {"127.0.0.1", ""},
      {"127.0.0.1:", ""},
      {"127.0.0.1:65536", ""},
      {"127.0.0.1:-1", ""},
      {"127.0.0.1:8o", ""},
      {"127.1:80", ""},
      {"0127.0.0.1:80", ""},
      {"::1:80", ""},
      {"[127.0.0.1]:80", ""},
      {"[fe80::1%eth0]:80", ""},
      {"[::1:80", ""},
      {"localhost:80", ""},
      {":80", ""},
      {"", ""},
      {std::string_view("127.0.0.1\0:80", 13), ""},
  };
  for (const Row& row : rows) {
    const absl::StatusOr<Address> address = Address::ParseWithPort(row.text);
    ASSERT_EQ(address.ok(), !row.printed.empty()) << row.text;
    if (!address.ok()) continue;
    EXPECT_EQ(address->ToString(), row.printed);
    char storage[128];
    address->ToSocketAddress(storage);
    EXPECT_EQ(Address::FromSocketAddress(reinterpret_cast<const struct sockaddr*>(storage)), *address) << row.text;
  }
}

TEST(AddressTest, Loopback) {
  EXPECT_TRUE(Address::Parse("127.8.9.1", 1)->IsLoopback());
  EXPECT_TRUE(Address::Parse("::1", 1)->IsLoopback());
  EXPECT_TRUE(Address::Parse("::ffff:127.0.0.1", 1)->IsLoopback());
  EXPECT_FALSE(Address::Parse("::2", 1)->IsLoopback());
  EXPECT_FALSE(Address::Parse("128.0.0.1", 1)->IsLoopback());
}

TEST(NetworkTest, Contains) {
  struct Row {
    std::string_view network, address;
    bool contains;
  };
  const Row rows[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/9", "10.128.0.0", false},
      {"0.0.0.0/0", "255.1.2.3", true},
      {"0.0.0.0/0", "::1", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"fd00::/8", "fdff::1", true},
      {"fd00::/8", "fe00::1", false},
      {"::/0", "2001:db8::", true},
      {"10.0.0.0/8", "::ffff:10.1.1.1", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Network4Or6::Parse(row.network)->Contains(*Address::Parse(row.address, 0)), row.contains)
        << row.network << " " << row.address;
  }
}

TEST(NetworkTest, Refused) {
  for (const std::string_view text : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8",
                                      "fd00::1/8", "::/129", "10.0.0/8", "", "/8", "example.com/8"}) {
    EXPECT_FALSE(Network4Or6::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace portico::net
