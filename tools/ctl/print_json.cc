#include "tools/ctl/print_json.h"

#include <string_view>

#include "api/base/json.h"
#include "api/base/text.h"
#include "api/yaml/walk.h"
#include "google/protobuf/util/json_util.h"

namespace portico::ctl {
namespace {

using google::protobuf::FieldDescriptor;

// On one line: "a": 1, "b": [2, 3].
class LineLayout final : public yaml::Layout {
 public:
  explicit LineLayout(std::string& out) : out_(out) {}

  void BeginMap() override { Begin('{'); }
  void Key(std::string_view name) override {
    Separate();
    base::AppendJsonString(out_, name);
    out_ += ": ";
    first_ = true;  // no separator before its value
  }
  void EndMap() override { End('}'); }
  void BeginList() override { Begin('['); }
  void EndList() override { End(']'); }

  void Text(std::string_view text) override {
    Separate();
    base::AppendJsonString(out_, text);
  }
  void Word(std::string_view word) override { Text(word); }
  void Literal(std::string_view text) override {
    Separate();
    out_ += text;
  }
  void Json(const google::protobuf::Value& value) override {
    std::string text;
    (void)google::protobuf::util::MessageToJsonString(value, &text);
    Literal(text);
  }

 private:
  void Separate() {
    if (!first_) out_ += ", ";
    first_ = false;
  }
  void Begin(char c) {
    Separate();
    out_ += c;
    first_ = true;
  }
  void End(char c) {
    out_ += c;
    first_ = false;
  }

  std::string& out_;
  bool first_ = false;  // of a map or list, or the value of a key
};

}  // namespace

absl::StatusOr<std::string> ResourceJson(const portico::v1::Resource& resource) {
  const auto& reflection = *resource.GetReflection();
  const FieldDescriptor* kind = reflection.GetOneofFieldDescriptor(resource, resource.GetDescriptor()->oneof_decl(0));
  if (kind == nullptr) return absl::InvalidArgumentError("a resource without a kind");
  std::string out =
      base::Concat("{\"apiVersion\": \"portico.dev/v1\", \"kind\": \"", kind->message_type()->name(), "\"");
  LineLayout layout(out);
  const absl::Status status = yaml::WalkFields(reflection.GetMessage(resource, kind), layout);
  if (!status.ok()) return status;
  return out + "}";
}

absl::StatusOr<std::string> ResourcesJson(const std::vector<portico::v1::Resource>& resources) {
  std::string out = "[";
  for (const portico::v1::Resource& resource : resources) {
    const absl::StatusOr<std::string> line = ResourceJson(resource);
    if (!line.ok()) return line.status();
    out += base::Concat(out.size() == 1 ? "\n  " : ",\n  ", *line);
  }
  return out + (resources.empty() ? "]\n" : "\n]\n");
}

}  // namespace portico::ctl
