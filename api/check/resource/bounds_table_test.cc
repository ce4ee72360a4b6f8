// The table of bounds covers every field, and the .proto files say the same.

#include "api/check/resource/bounds_table.h"

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/base/text.h"
#include "api/check/resource/bounds.h"
#include "api/portico/v1/options.pb.h"
#include "api/portico/v1/resource.pb.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

using base::Concat;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Durations that YAML cannot write but the API can carry.
TEST(CheckBounds, DurationsOutOfTheirForm) {
  const struct {
    int64_t seconds;
    int32_t nanos;
    bool good;
  } kRows[] = {
      {0, 1'000'000, true},   {0, 999'999, false},   {60, 0, true},         {60, 1, false},
      {-1, 0, false},         {0, -1, false},        {1, -1, false},        {0, 1'000'000'000, false},
      {1, 999'999'999, true}, {INT64_MAX, 0, false}, {INT64_MIN, 0, false},
  };
  for (const auto& row : kRows) {
    portico::v1::ClusterSpec spec;
    auto& endpoint = *spec.add_endpoints();
    endpoint.set_address("::1");
    endpoint.set_port(1);
    spec.mutable_connect_timeout()->set_seconds(row.seconds);
    spec.mutable_connect_timeout()->set_nanos(row.nanos);
    EXPECT_EQ(CheckBounds(spec, "spec", {"Cluster", "default", "x"}).empty(), row.good)
        << row.seconds << " " << row.nanos;
  }
}

// Times that no text says but the API can carry.
TEST(CheckBounds, TimesOutOfTheirYears) {
  const struct {
    int64_t seconds;
    int32_t nanos;
    bool good;
  } kRows[] = {
      {0, 0, true},   {-62'135'596'800, 0, true},  {-62'135'596'801, 0, false}, {253'402'300'799, 999'999'999, true},
      {0, -1, false}, {253'402'300'800, 0, false}, {0, 1'000'000'000, false},   {INT64_MAX, 0, false},
  };
  for (const auto& row : kRows) {
    portico::v1::ConsumerSpec spec;
    auto& key = *spec.add_credentials()->mutable_api_key();
    key.set_sha256("0b5f3d6c1f2a4e8d9c7b6a5f4e3d2c1b0a9f8e7d6c5b4a392817161514131211");
    key.mutable_expires()->set_seconds(row.seconds);
    key.mutable_expires()->set_nanos(row.nanos);
    EXPECT_EQ(CheckBounds(spec, "spec", {"Consumer", "default", "x"}).empty(), row.good)
        << row.seconds << " " << row.nanos;
  }
}

// Fields of messages that have no rule, each for a reason.
const std::set<std::string_view> kWithoutRule = {
    "PathMatch.value",             // path_match.cc: it depends on the type
    "CachePurgeSpec.path_prefix",  // path_match.cc
    "DataSource.file",
    "DataSource.inline",                        // secret.cc: it depends on what it is
    "GatewayLimits.request_content_bytes_max",  // any number will do
    "RouteRule.request_content_bytes_max",      // likewise
};

class Fields {
 public:
  void Visit(const Descriptor& type) {
    if (!types_.insert(&type).second) return;
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.options().GetExtension(portico::v1::not_yet)) continue;
      if (field.options().GetExtension(portico::v1::system_only)) continue;
      all.push_back(&field);
      if (field.is_map()) continue;
      const bool ours = field.message_type() != nullptr && field.message_type()->file()->package() == "portico.v1";
      if (ours && field.message_type()->name() != "CompositionSpec") Visit(*field.message_type());
    }
  }
  std::vector<const FieldDescriptor*> all;

 private:
  std::set<const Descriptor*> types_;
};

std::string ShortName(const FieldDescriptor& field) {
  return Concat(field.containing_type()->name(), ".", field.name());
}

TEST(BoundsTable, EveryTextNumberListAndDurationHasARule) {
  Fields fields;
  fields.Visit(*portico::v1::Resource::descriptor());
  fields.Visit(*portico::v1::BackendObjectReference::descriptor());
  std::set<std::string> known;
  for (const FieldDescriptor* field : fields.all) {
    const std::string name = ShortName(*field);
    known.insert(name);
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const bool is_duration = is_message && field->message_type()->full_name() == "google.protobuf.Duration";
    const bool bounded = field->is_repeated() || is_duration || field->cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
                         field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
                         field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                         field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
    if (!bounded) continue;
    EXPECT_NE(FindRule(name) != nullptr, kWithoutRule.contains(name)) << name;
  }
  for (const Rule& rule : Rules())
    EXPECT_TRUE(known.contains(std::string(rule.field))) << rule.field << " is no field";
}

// The comment above each field of the .proto files, in one line, by "Message.field".
std::map<std::string, std::string> Comments() {
  std::map<std::string, std::string> comments;
  for (const char* file : {"access", "auth_policy", "cache_policy", "cluster", "common", "consumer", "endpoints",
                           "gateway", "rate_limit_policy", "reference_grant", "route"}) {
    std::ifstream in(Concat("api/portico/v1/", file, ".proto"));
    EXPECT_TRUE(in.good()) << file;
    std::string message, comment;
    for (std::string line; std::getline(in, line);) {
      const std::string_view text = base::TrimSpace(line);
      const size_t equals = text.find(" = ");
      if (text.starts_with("message ")) {
        message = std::string(base::Split(text, ' ')[1]);
      } else if (text.starts_with("// ")) {
        comment += Concat(text.substr(3), " ");
        continue;
      } else if (equals != text.npos) {
        comments[Concat(message, ".", base::Split(text.substr(0, equals), ' ').back())] = comment;
      }
      comment.clear();
    }
  }
  return comments;
}

// The bounds as a comment must state them: "1 to 64", "1ms to 24h", "at most 16", "Required".
std::vector<std::string> Statements(const Rule& rule) {
  std::vector<std::string> all;
  if (rule.count.most == 1) {
    if (rule.count.least == 1) all.push_back("required");
  } else {
    all.push_back(rule.count.least == 0 ? Concat("at most ", rule.count.most)
                                        : Concat(rule.count.least, " to ", rule.count.most));
  }
  const std::string words = std::holds_alternative<std::monostate>(rule.value) ? "" : Words(rule);
  if (std::holds_alternative<Number>(rule.value)) all.push_back(words.substr(sizeof "must be"));
  if (const auto* time = std::get_if<Time>(&rule.value)) {
    if (time->zero) all.push_back("0s: none");
    all.push_back(words.substr(words.find(time->zero ? "1ms" : " be ") + (time->zero ? 0 : 4)));
  }
  if (const auto* bytes = std::get_if<Bytes>(&rule.value)) {
    if (bytes->key_most > 0) all.push_back(Concat(bytes->key_least, " to ", bytes->key_most, " bytes"));
    all.push_back(bytes->least == 0 ? Concat("at most ", bytes->most, " bytes")
                                    : Concat(bytes->least, " to ", bytes->most, " bytes"));
  }
  if (const auto* choice = std::get_if<Choice>(&rule.value)) {
    for (const std::string_view text : choice->texts)
      all.push_back(base::LowerAscii(text));
    for (const uint64_t number : choice->numbers)
      all.push_back(std::to_string(number));
  }
  return all;
}

TEST(BoundsTable, TheMessagesDocumentTheSame) {
  const std::map<std::string, std::string> comments = Comments();
  for (const Rule& rule : Rules()) {
    if (rule.field.starts_with("TlsKeyPair.")) continue;  // in secret.proto, which states the bounds of texts elsewhere
    const auto comment = comments.find(std::string(rule.field));
    ASSERT_NE(comment, comments.end()) << rule.field;
    for (const std::string& statement : Statements(rule)) {
      EXPECT_NE(base::LowerAscii(comment->second).find(statement), std::string::npos)
          << rule.field << " should say `" << statement << "`: " << comment->second;
    }
  }
}

}  // namespace
}  // namespace portico::check
