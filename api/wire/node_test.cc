#include "api/wire/node.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <string_view>

namespace portico::wire {
namespace {

using Message = envoy::config::core::v3::Node;

const Node kNode{.node_id = "edge-1",
                 .gateway = {"Gateway", "shop", "public"},
                 .version = "0.1.0",
                 .instance = "3f2a",
                 .schema_level = 7};

TEST(NodeTest, WhatAProxySaysIsUnderstood) {
  const absl::StatusOr<Node> node = ToNode(ToMessage(kNode));
  ASSERT_TRUE(node.ok()) << node.status();
  EXPECT_EQ(node->node_id, "edge-1");
  EXPECT_EQ(node->gateway, kNode.gateway);
  EXPECT_EQ(node->version, "0.1.0");
  EXPECT_EQ(node->instance, "3f2a");
  EXPECT_EQ(node->schema_level, 7u);
}

TEST(NodeTest, OtherClientsMaySayLess) {
  Message message;
  message.set_id("x");
  message.set_cluster("default/shop");
  const absl::StatusOr<Node> node = ToNode(message);
  ASSERT_TRUE(node.ok()) << node.status();
  EXPECT_EQ(node->instance, "");
  EXPECT_EQ(node->schema_level, 0u);
}

TEST(NodeTest, WhatIsWrongIsNamed) {
  struct Row {
    std::string_view name, says;
    std::function<void(Message&)> spoil;
  };
  const auto metadata = [](Message& message, const char* name) -> google::protobuf::Value& {
    return (*message.mutable_metadata()->mutable_fields())[name];
  };
  const Row rows[] = {
      {"no id", "node.id", [](Message& message) { message.clear_id(); }},
      {"a long id", "node.id", [](Message& message) { message.set_id(std::string(254, 'x')); }},
      {"an id with a line break", "node.id", [](Message& message) { message.set_id("a\nb"); }},
      {"an id that is no ASCII", "node.id", [](Message& message) { message.set_id("\xc3\xa4"); }},
      {"no gateway", "node.cluster", [](Message& message) { message.clear_cluster(); }},
      {"a gateway without a namespace", "node.cluster", [](Message& message) { message.set_cluster("shop"); }},
      {"a long gateway", "node.cluster", [](Message& message) { message.set_cluster("a/" + std::string(252, 'x')); }},
      {"a long version", "node.user_agent_version",
       [](Message& message) { message.set_user_agent_version(std::string(254, '1')); }},
      {"an instance with a space", "node.metadata.instance",
       [&](Message& message) { metadata(message, "instance").set_string_value("a b"); }},
      {"a negative level", "node.metadata.schemaLevel",
       [&](Message& message) { metadata(message, "schemaLevel").set_number_value(-1); }},
      {"a level that is no number", "node.metadata.schemaLevel",
       [&](Message& message) { metadata(message, "schemaLevel").set_number_value(std::nan("")); }},
  };
  for (const Row& row : rows) {
    Message message = ToMessage(kNode);
    row.spoil(message);
    const absl::StatusOr<Node> node = ToNode(message);
    ASSERT_FALSE(node.ok()) << row.name;
    EXPECT_EQ(node.status().code(), absl::StatusCode::kInvalidArgument) << row.name;
    EXPECT_TRUE(node.status().message().substr(0, row.says.size()) ==
                absl::string_view(row.says.data(), row.says.size()))
        << row.name << ": " << node.status();
  }
}

}  // namespace
}  // namespace portico::wire
