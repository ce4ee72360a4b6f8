// What api/envoy and api/google repeat of public protocols has the public names, numbers and types: xds_fields.txt.

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "api/envoy/config/core/v3/base.pb.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/google/rpc/error_details.pb.h"
#include "api/google/rpc/status.pb.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace portico::conformance {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::set<std::string> PublicFields() {
  std::set<std::string> fields;
  std::ifstream file("test/conformance/xds_fields.txt");
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') fields.insert(line);
  }
  return fields;
}

std::string TypeOf(const FieldDescriptor& field) {
  return field.message_type() != nullptr ? field.message_type()->full_name() : field.type_name();
}

// As a line of the list.
std::string Describe(const FieldDescriptor& field) {
  return field.containing_type()->full_name() + " " + std::to_string(field.number()) + " " + field.name() + " " +
         (field.is_repeated() ? "repeated " : "single ") + TypeOf(field);
}

void Collect(const Descriptor& message, std::vector<std::string>& fields) {
  for (int i = 0; i < message.field_count(); ++i)
    fields.push_back(Describe(*message.field(i)));
  for (int i = 0; i < message.nested_type_count(); ++i)
    Collect(*message.nested_type(i), fields);
}

std::vector<std::string> OurFields() {
  std::vector<std::string> fields;
  for (const google::protobuf::FileDescriptor* file :
       {envoy::service::discovery::v3::DeltaDiscoveryRequest::descriptor()->file(),
        envoy::config::core::v3::Node::descriptor()->file(), google::rpc::Status::descriptor()->file(),
        google::rpc::BadRequest::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i)
      Collect(*file->message_type(i), fields);
  }
  return fields;
}

TEST(XdsFieldsTest, OursAreThePublicOnes) {
  const std::set<std::string> expected = PublicFields();
  ASSERT_GT(expected.size(), 40u);
  const std::vector<std::string> ours = OurFields();
  ASSERT_GT(ours.size(), 30u);
  for (const std::string& field : ours)
    EXPECT_TRUE(expected.count(field)) << field << " is not in xds_fields.txt";
}

TEST(XdsFieldsTest, TheMethodIsCalledAsInThePublicService) {
  const google::protobuf::MethodDescriptor* method =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
          "envoy.service.discovery.v3.AggregatedDiscoveryService.DeltaAggregatedResources");
  ASSERT_NE(method, nullptr);
  EXPECT_EQ(method->input_type(), envoy::service::discovery::v3::DeltaDiscoveryRequest::descriptor());
  EXPECT_EQ(method->output_type(), envoy::service::discovery::v3::DeltaDiscoveryResponse::descriptor());
  EXPECT_TRUE(method->client_streaming() && method->server_streaming());
}

}  // namespace
}  // namespace portico::conformance
