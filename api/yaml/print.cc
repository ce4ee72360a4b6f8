#include "api/yaml/print.h"

#include <charconv>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/yaml/scalar.h"
#include "api/yaml/walk.h"
#include "google/protobuf/struct.pb.h"

namespace portico::yaml {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using google::protobuf::Value;

// A block scalar reads back byte by byte only if its first line sets the indentation and its end is not ambiguous.
bool FitsBlock(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n') return false;
  if (text.ends_with("\n\n")) return false;
  for (std::string_view line : base::Split(text, '\n')) {
    if (line.ends_with(' ')) return false;
    for (const char c : line) {
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) return false;
    }
  }
  return true;
}

// Block style. A container is begun by its first key or item, so that an empty one can be "{}" on the line of its key.
class BlockLayout final : public Layout {
 public:
  std::string Take() { return std::move(out_); }

  void BeginMap() override {
    const bool is_item = levels_.back().is_list;
    if (is_item) BeginItem();
    levels_.push_back({false, levels_.back().indent + 2, is_item ? Opening::kSpace : Opening::kLine});
  }
  void Key(std::string_view name) override {
    if (levels_.back().opening == Opening::kSpace) {
      out_ += ' ';  // "- name: x": the first key takes the place of its indentation
      levels_.back().opening = Opening::kDone;
    } else {
      Open();
      Indent();
    }
    out_ += base::Concat(QuoteText(name), ":");
  }
  void EndMap() override { End(" {}\n"); }
  void BeginList() override { levels_.push_back({true, levels_.back().indent, Opening::kLine}); }
  void EndList() override { End(" []\n"); }

  void Text(std::string_view text) override {
    BeginValue();
    if (!FitsBlock(text)) {
      out_ += QuoteText(text) + "\n";
      return;
    }
    const bool ended = text.ends_with('\n');
    out_ += ended ? "|\n" : "|-\n";
    if (ended) text.remove_suffix(1);
    const size_t indent = levels_.back().indent + 2;
    for (std::string_view line : base::Split(text, '\n')) {
      if (!line.empty()) out_.append(indent, ' ');
      out_ += base::Concat(line, "\n");
    }
  }
  void Word(std::string_view word) override { Literal(word); }
  void Literal(std::string_view text) override {
    BeginValue();
    out_ += base::Concat(text, "\n");
  }
  void Json(const Value& value) override {
    BeginValue();
    PrintJson(value);
    out_ += '\n';
  }

 private:
  enum class Opening : uint8_t { kLine, kSpace, kDone };  // what comes before the first key or item
  struct Level {
    bool is_list;
    size_t indent;  // of its keys or dashes
    Opening opening;
  };

  void Indent() { out_.append(levels_.back().indent, ' '); }
  void Open() {
    if (levels_.back().opening == Opening::kLine) out_ += '\n';
    levels_.back().opening = Opening::kDone;
  }
  void BeginItem() {
    Open();
    Indent();
    out_ += '-';
  }
  void BeginValue() {
    if (levels_.back().is_list) BeginItem();
    out_ += ' ';
  }
  void End(std::string_view empty) {
    if (levels_.back().opening != Opening::kDone) out_ += empty;
    levels_.pop_back();
  }

  void PrintJson(const Value& value) {
    switch (value.kind_case()) {
      case Value::kBoolValue:
        out_ += value.bool_value() ? "true" : "false";
        break;
      case Value::kNumberValue: {
        char digits[40];
        const auto end = std::to_chars(digits, digits + sizeof digits, value.number_value());
        out_.append(digits, end.ptr);
        break;
      }
      case Value::kStringValue:
        out_ += QuoteText(value.string_value());
        break;
      case Value::kListValue: {
        out_ += '[';
        std::string_view separator;
        for (const Value& item : value.list_value().values()) {
          out_ += separator;
          separator = ", ";
          PrintJson(item);
        }
        out_ += ']';
        break;
      }
      case Value::kStructValue:
        PrintObject(value);
        break;
      default:
        out_ += "null";
    }
  }

  void PrintObject(const Value& value) {
    std::map<std::string, const Value*> sorted;
    for (const auto& [key, item] : value.struct_value().fields())
      sorted[key] = &item;
    out_ += '{';
    std::string_view separator;
    for (const auto& [key, item] : sorted) {
      out_ += base::Concat(separator, QuoteText(key), ": ");
      separator = ", ";
      PrintJson(*item);
    }
    out_ += '}';
  }

  std::string out_;
  std::vector<Level> levels_ = {{false, 0, Opening::kDone}};  // what has begun: the document itself first
};

}  // namespace

absl::StatusOr<std::string> Print(const portico::v1::Resource& resource) {
  const Reflection& reflection = *resource.GetReflection();
  const FieldDescriptor* kind = reflection.GetOneofFieldDescriptor(resource, resource.GetDescriptor()->oneof_decl(0));
  if (kind == nullptr) return absl::InvalidArgumentError("a resource without a kind");
  BlockLayout layout;
  const absl::Status status = WalkFields(reflection.GetMessage(resource, kind), layout);
  if (!status.ok()) return status;
  return base::Concat("apiVersion: portico.dev/v1\nkind: ", kind->message_type()->name(), "\n", layout.Take());
}

}  // namespace portico::yaml
