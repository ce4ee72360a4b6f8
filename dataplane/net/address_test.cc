#include "dataplane/net/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace portico::net {
namespace {

using namespace std::string_view_literals;

TEST(Address, ParsesAndPrints) {
  const struct {
    std::string_view ip;
    std::string_view printed;  // "": refused
  } rows[] = {
      {"127.0.0.1", "127.0.0.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::1", "::1"},
      {"::", "::"},
      {"2001:DB8::A", "2001:db8::a"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"::ffff:10.0.0.1", "10.0.0.1"},
      {"::FFFF:0a00:0001", "10.0.0.1"},
      {"", ""},
      {" 127.0.0.1", ""},
      {"127.0.0.1 ", ""},
      {"127.0.0.1\0"sv, ""},
      {"127.0.0.1\0x"sv, ""},
      {"127.1", ""},
      {"127.0.0.01", ""},
      {"0x7f.0.0.1", ""},
      {"256.0.0.1", ""},
      {"1.2.3.4.5", ""},
      {"2130706433", ""},
      {"[::1]", ""},
      {":::1", ""},
      {"1::2::3", ""},
      {"12345::", ""},
      {"fe80::1%eth0", ""},
      {"::1%", ""},
      {"localhost", ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.ip);
    const auto address = Address::Parse(row.ip, 80);
    ASSERT_EQ(address.ok(), !row.printed.empty()) << address.status();
    if (!address.ok()) continue;
    EXPECT_EQ(address->ip(), row.printed);
    EXPECT_EQ(address->port(), 80);
    EXPECT_EQ(*Address::Parse(address->ip(), 80), *address);
    EXPECT_EQ(*Address::ParseWithPort(address->ToString()), *address);
  }
}

TEST(Address, ParsesWithAPort) {
  const struct {
    std::string_view text;
    std::string_view printed;  // "": refused
  } rows[] = {
      {"127.0.0.1:80", "127.0.0.1:80"},
      {"[::1]:8080", "[::1]:8080"},
      {"127.0.0.1:0", "127.0.0.1:0"},
      {"127.0.0.1:65535", "127.0.0.1:65535"},
      {"[::ffff:127.0.0.1]:80", "127.0.0.1:80"},
      {"", ""},
      {":", ""},
      {":80", ""},
      {"127.0.0.1", ""},
      {"127.0.0.1:", ""},
      {"127.0.0.1:65536", ""},
      {"127.0.0.1:080", ""},
      {"127.0.0.1:+80", ""},
      {"127.0.0.1:-1", ""},
      {"127.0.0.1: 80", ""},
      {"127.0.0.1:80 ", ""},
      {"127.0.0.1:18446744073709551696", ""},
      {"::1:80", ""},
      {"[127.0.0.1]:80", ""},
      {"[::1]", ""},
      {"[::1]80", ""},
      {"[::1:80", ""},
      {"[]:80", ""},
      {"[[::1]]:80", ""},
      {"[fe80::1%1]:80", ""},
      {"localhost:80", ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    const auto address = Address::ParseWithPort(row.text);
    ASSERT_EQ(address.ok(), !row.printed.empty()) << address.status();
    if (address.ok()) {
      EXPECT_EQ(address->ToString(), row.printed);
    }
  }
}

TEST(Address, ErrorsSayWhy) {
  EXPECT_EQ(Address::Parse("fe80::1%eth0", 1).status().message(),
            "\"fe80::1%eth0\" is not an IP address: zones are not supported");
  EXPECT_EQ(Address::ParseWithPort("::1:80").status().message(),
            "\"::1:80\" is not an IP address with a port: IPv6 addresses, and only they, stand in []");
  EXPECT_EQ(Network4Or6::Parse("10.1.0.0/8").status().message(),
            "\"10.1.0.0/8\" is not a network: bits are set below its prefix of 8");
}

TEST(Address, GoesThroughSocketAddresses) {
  for (std::string_view text : {"127.0.0.1:80", "[2001:db8::1]:443"}) {
    SCOPED_TRACE(text);
    const Address address = *Address::ParseWithPort(text);
    struct sockaddr_storage storage;
    EXPECT_EQ(address.ToSocketAddress(&storage),
              address.is_v6() ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    EXPECT_EQ(Address::FromSocketAddress(reinterpret_cast<const struct sockaddr*>(&storage)), address);
  }
  struct sockaddr_in6 mapped = {};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(80);
  ASSERT_EQ(inet_pton(AF_INET6, "::ffff:1.2.3.4", &mapped.sin6_addr), 1);
  EXPECT_EQ(Address::FromSocketAddress(reinterpret_cast<const struct sockaddr*>(&mapped)).ToString(), "1.2.3.4:80");
  struct sockaddr unknown = {};
  unknown.sa_family = AF_UNIX;
  EXPECT_EQ(Address::FromSocketAddress(&unknown), Address());
}

TEST(Address, KnowsLoopback) {
  const struct {
    std::string_view ip;
    bool loopback;
  } rows[] = {
      {"127.0.0.1", true},  {"127.255.0.9", true}, {"::1", true}, {"::ffff:127.0.0.1", true},
      {"128.0.0.1", false}, {"0.0.0.0", false},    {"::", false}, {"1::1", false},
      {"::2", false},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Address::Parse(row.ip, 1)->IsLoopback(), row.loopback) << row.ip;
}

TEST(Address, ComparesWithItsPort) {
  const Address address = *Address::ParseWithPort("10.0.0.1:1");
  EXPECT_NE(address, address.WithPort(2));
  EXPECT_EQ(address, address.WithPort(2).WithPort(1));
  EXPECT_LT(address, *Address::ParseWithPort("10.0.0.2:1"));
  EXPECT_NE(*Address::Parse("::", 1), *Address::Parse("0.0.0.0", 1));
}

TEST(Network, Contains) {
  const struct {
    std::string_view network;
    std::string_view ip;
    bool contained;
  } rows[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.0.0.1", true},
      {"::ffff:10.0.0.0/104", "10.9.9.9", true},
      {"::ffff:10.0.0.0/104", "11.0.0.1", false},
      {"192.168.4.0/22", "192.168.7.255", true},
      {"192.168.4.0/22", "192.168.8.0", false},
      {"0.0.0.0/0", "1.2.3.4", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "::1", true},
      {"::/0", "1.2.3.4", false},
      {"1.2.3.4", "1.2.3.4", true},
      {"1.2.3.4", "1.2.3.5", false},
      {"1.2.3.4/32", "1.2.3.4", true},
      {"fd00::/8", "fdff::1", true},
      {"fd00::/8", "fe00::1", false},
      {"2001:db8::/33", "2001:db8:7fff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"::1", "::1", true},
      {"::1/128", "::2", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.network);
    const auto network = Network4Or6::Parse(row.network);
    ASSERT_TRUE(network.ok()) << network.status();
    EXPECT_EQ(network->Contains(*Address::Parse(row.ip, 80)), row.contained) << row.ip;
  }
}

TEST(Network, RefusesWhatIsNone) {
  for (std::string_view text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/ 8",
                                "10.0.0.0/8/8", "10.0.0.1/8", "10.0/8", "0.0.0.1/0", "::/129", "::1/64", "fe80::%1/64",
                                "::ffff:0.0.0.0/95", "::ffff:10.0.0.1/104", "10.0.0.0/255.0.0.0"})
    EXPECT_FALSE(Network4Or6::Parse(text).ok()) << text;
}

}  // namespace
}  // namespace portico::net
