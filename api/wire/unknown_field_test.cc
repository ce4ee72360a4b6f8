#include "api/wire/unknown_field.h"

#include <functional>
#include <string>
#include <vector>

#include "api/base/check.h"
#include "api/portico/v1/gateway.pb.h"
#include "api/portico/v1/route.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"

namespace portico::wire {
namespace {

using google::protobuf::Message;
using portico::v1::Gateway;
using portico::v1::Route;

void AddUnknown(Message& message, int number) {
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(number, 1);
}

// As it comes over the wire.
template <typename T>
std::string FoundIn(const std::function<void(T&)>& change) {
  T message, received;
  change(message);
  PORTICO_CHECK(received.ParseFromString(message.SerializeAsString()));
  return FindUnknownField(received).value_or("none");
}

TEST(UnknownFieldTest, InARoute) {
  const struct {
    const char* name;
    std::function<void(Route&)> change;
    const char* found;
  } kRows[] = {
      {"an empty message", [](Route&) {}, "none"},
      {"all is known",
       [](Route& route) {
         (*route.mutable_metadata()->mutable_labels())["a"] = "b";
         route.mutable_spec()->add_hostnames("a.example");
         route.mutable_spec()->add_rules()->add_backend_refs()->set_name("orders");
       },
       "none"},
      {"at the top", [](Route& route) { AddUnknown(route, 17); }, "unknown field 17"},
      {"the first of two",
       [](Route& route) {
         AddUnknown(*route.mutable_spec(), 99);
         AddUnknown(*route.mutable_metadata(), 98);
       },
       "metadata: unknown field 98"},
      {"in a message", [](Route& route) { AddUnknown(*route.mutable_spec(), 1000); }, "spec: unknown field 1000"},
      {"in an item",
       [](Route& route) {
         route.mutable_spec()->add_rules()->set_name("known");
         AddUnknown(*route.mutable_spec()->add_rules()->add_backend_refs(), 17);
       },
       "spec.rules[1].backendRefs[0]: unknown field 17"},
      {"in an item of something that is empty else",
       [](Route& route) { AddUnknown(*route.mutable_spec()->add_rules()->mutable_timeouts(), 17); },
       "spec.rules[0].timeouts: unknown field 17"},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(FoundIn<Route>(row.change), row.found) << row.name;
}

TEST(UnknownFieldTest, ValuesOfEnums) {
  const struct {
    const char* name;
    int protocol;
    const char* found;
  } kRows[] = {
      {"unset", 0, "none"},
      {"known", portico::v1::LISTENER_PROTOCOL_HTTP, "none"},
      {"newer", 99, "spec.listeners[1].protocol: unknown value 99"},
      {"negative", -1, "spec.listeners[1].protocol: unknown value -1"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(FoundIn<Gateway>([&row](Gateway& gateway) {
                gateway.mutable_spec()->add_listeners()->set_name("known");
                gateway.mutable_spec()->add_listeners()->set_protocol(
                    static_cast<portico::v1::ListenerProtocol>(row.protocol));
              }),
              row.found)
        << row.name;
  }
}

TEST(UnknownFieldTest, InAMapAndAListOfEnums) {
  EXPECT_EQ(FoundIn<google::protobuf::Struct>([](auto& map) {
              (*map.mutable_fields())["a"].set_null_value(google::protobuf::NULL_VALUE);
              (*map.mutable_fields())["b"].mutable_list_value()->add_values()->set_null_value(
                  static_cast<google::protobuf::NullValue>(7));
            }),
            "fields.value.listValue.values[0].nullValue: unknown value 7");
  EXPECT_EQ(FoundIn<google::protobuf::Struct>([](auto& map) {
              for (const int number : {19, 17, 18})
                AddUnknown((*map.mutable_fields())[std::to_string(number)], number);
            }),
            "fields.value: unknown field 17");
}

}  // namespace
}  // namespace portico::wire
