#include "api/wire/node.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "api/portico/v1/options.pb.h"
#include "api/portico/v1/resource.pb.h"
#include "google/protobuf/descriptor.h"

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

// The highest level that a field or a value of the resources is marked with.
uint32_t HighestLevel(const google::protobuf::Descriptor& message, std::set<const void*>& seen) {
  uint32_t highest = 0;
  if (message.file()->package() != "portico.v1" || !seen.insert(&message).second) return highest;
  for (int i = 0; i < message.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *message.field(i);
    highest = std::max(highest, field.options().GetExtension(v1::since_level));
    if (field.message_type() != nullptr) highest = std::max(highest, HighestLevel(*field.message_type(), seen));
    for (int v = 0; field.enum_type() != nullptr && v < field.enum_type()->value_count(); ++v)
      highest = std::max(highest, field.enum_type()->value(v)->options().GetExtension(v1::value_since_level));
  }
  return highest;
}

// A release that adds something marks it, and is one level higher.
TEST(NodeTest, TheLevelIsThatOfTheResources) {
  std::set<const void*> seen;
  EXPECT_EQ(HighestLevel(*v1::Resource::descriptor(), seen), kSchemaLevel);
  EXPECT_GT(seen.size(), 50u);
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
