#include "dataplane/downstream/forwarding.h"

#include <gtest/gtest.h>

#include <string>

namespace portico::downstream {
namespace {

using http::FieldId;

struct Request {
  Request() : head(arena) {
    head.authority = "shop.example";
    head.path = "/";
  }
  std::string Value(std::string_view name) { return std::string(head.fields.Combined(name).value_or("(none)")); }
  base::Arena arena;
  http::RequestHead head;
};

net::Address Ip(std::string_view text) {
  return *net::Address::Parse(text, 1234);
}

ForwardingConfig Trusting(std::string_view network, size_t hops = 1) {
  ForwardingConfig config;
  config.trusted_networks.push_back(*net::Network4Or6::Parse(network));
  config.forwarded_hops = hops;
  return config;
}

TEST(ForwardingTest, TheClientIsWhoTrustedPeersSay) {
  struct Row {
    std::string_view name, peer, forwarded;
    size_t hops;
    std::string_view client;
  };
  const Row rows[] = {
      {"untrusted peer", "192.0.2.9", "1.1.1.1", 1, "192.0.2.9"},
      {"trusted, none sent", "10.0.0.1", "", 1, "10.0.0.1"},
      {"trusted, one", "10.0.0.1", "1.1.1.1", 1, "1.1.1.1"},
      {"the client's own lie stays left", "10.0.0.1", "6.6.6.6, 1.1.1.1", 1, "1.1.1.1"},
      {"two hops", "10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", 2, "1.1.1.1"},
      {"fewer than the hops", "10.0.0.1", "1.1.1.1", 2, "10.0.0.1"},
      {"with a port", "10.0.0.1", "1.1.1.1:80", 1, "1.1.1.1"},
      {"IPv6", "10.0.0.1", "2001:db8::1", 1, "2001:db8::1"},
      {"IPv6 with a port", "10.0.0.1", "[2001:db8::1]:80", 1, "2001:db8::1"},
      {"malformed", "10.0.0.1", "unknown", 1, "10.0.0.1"},
      {"empty member", "10.0.0.1", "1.1.1.1,", 1, "10.0.0.1"},
      {"mapped peer", "::ffff:10.0.0.1", "1.1.1.1", 1, "1.1.1.1"},
  };
  for (const Row& row : rows) {
    Request request;
    if (!row.forwarded.empty()) request.head.fields.Add("x-forwarded-for", row.forwarded);
    EXPECT_EQ(ClientAddress(Ip(row.peer), request.head.fields, Trusting("10.0.0.0/8", row.hops)).ip(), row.client)
        << row.name;
  }
}

TEST(ForwardingTest, TheOriginIsToldTheWay) {
  struct Row {
    std::string_view name, peer, sent_for, sent_proto, sent_host, forwarded_for, proto, host;
  };
  const Row rows[] = {
      {"nothing sent", "192.0.2.9", "", "", "", "192.0.2.9", "https", "shop.example"},
      {"lies are replaced", "192.0.2.9", "1.1.1.1", "gopher", "evil.example", "192.0.2.9", "https", "shop.example"},
      {"trusted words are kept", "10.0.0.1", "1.1.1.1", "http", "a.example", "1.1.1.1, 10.0.0.1", "http", "a.example"},
  };
  base::Random random(1);
  for (const Row& row : rows) {
    Request request;
    if (!row.sent_for.empty()) request.head.fields.Add("x-forwarded-for", row.sent_for);
    if (!row.sent_proto.empty()) request.head.fields.Add("x-forwarded-proto", row.sent_proto);
    if (!row.sent_host.empty()) request.head.fields.Add("x-forwarded-host", row.sent_host);
    AddForwarding(request.head, Ip(row.peer), true, Trusting("10.0.0.0/8"), random);
    EXPECT_EQ(request.Value("x-forwarded-for"), row.forwarded_for) << row.name;
    EXPECT_EQ(request.Value("x-forwarded-proto"), row.proto) << row.name;
    EXPECT_EQ(request.Value("x-forwarded-host"), row.host) << row.name;
    EXPECT_EQ(request.Value("via"), "1.1 portico") << row.name;
  }
}

TEST(ForwardingTest, AnEndlessListBeginsAnew) {
  Request request;
  std::string list = "1.1.1.1";
  for (size_t i = 0; i < kForwardedForMax; ++i)
    list += ", 1.1.1.1";
  request.head.fields.Add("x-forwarded-for", list);
  base::Random random(1);
  AddForwarding(request.head, Ip("10.0.0.1"), false, Trusting("10.0.0.0/8"), random);
  EXPECT_EQ(request.Value("x-forwarded-for"), "10.0.0.1");
}

TEST(ForwardingTest, EverythingCanBeSwitchedOff) {
  ForwardingConfig off;
  off.append_forwarded = off.append_via = off.generate_request_id = false;
  Request request;
  for (const std::string_view name :
       {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded"}) {
    request.head.fields.Add(name, "lie");
  }
  base::Random random(1);
  AddForwarding(request.head, Ip("192.0.2.9"), true, off, random);
  EXPECT_TRUE(request.head.fields.empty());
}

TEST(ForwardingTest, ViaGrowsAndNamesTheVersion) {
  Request request;
  request.head.version = http::Version::kHttp2;
  request.head.fields.Add("via", "1.1 cdn");
  request.head.fields.Add("via", "1.1 edge");
  base::Random random(1);
  AddForwarding(request.head, Ip("192.0.2.9"), true, {}, random);
  EXPECT_EQ(request.Value("via"), "1.1 cdn, 1.1 edge, 2 portico");
}

TEST(ForwardingTest, RequestIdIsPassedOnOrMade) {
  struct Row {
    std::string_view sent;
    bool kept;
  };
  const std::string longest(128, 'a'), too_long(129, 'a');
  const Row rows[] = {{"abc-123", true}, {longest, true}, {too_long, false},  {"", false},
                      {"a b", false},    {"a\"b", false}, {"\xc3\xa4", false}};
  base::Random random(1);
  for (const Row& row : rows) {
    Request request;
    request.head.fields.Add("x-request-id", row.sent);
    AddForwarding(request.head, Ip("192.0.2.9"), true, {}, random);
    const std::string value = request.Value("x-request-id");
    EXPECT_EQ(value == row.sent, row.kept) << row.sent;
    EXPECT_TRUE(IsRequestId(value));
    if (!row.kept) EXPECT_EQ(value.size(), 32u);
  }
  Request twice;
  twice.head.fields.Add("x-request-id", "a");
  twice.head.fields.Add("x-request-id", "b");
  AddForwarding(twice.head, Ip("192.0.2.9"), true, {}, random);
  EXPECT_EQ(twice.head.fields.Count(FieldId::kXRequestId), 1u);
}

}  // namespace
}  // namespace portico::downstream
