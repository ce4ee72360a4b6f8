#include "api/yaml/print.h"

#include <charconv>
#include <map>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/base/check.h"
#include "api/base/text.h"
#include "api/yaml/scalar.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/struct.pb.h"

namespace portico::yaml {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
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

class Printer {
 public:
  std::string Take() { return std::move(out_); }
  const absl::Status& status() const { return status_; }

  void PrintFields(const Message& message, size_t indent) {
    const Reflection& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields)
      PrintField(message, *field, indent);
  }

 private:
  void Indent(size_t indent) { out_.append(indent, ' '); }

  void PrintField(const Message& message, const FieldDescriptor& field, size_t indent) {
    Indent(indent);
    out_ += field.json_name() + ":";
    if (field.is_map()) return PrintMap(message, field, indent);
    if (field.is_repeated()) return PrintList(message, field, indent);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return PrintSubmessage(message.GetReflection()->GetMessage(message, &field), indent);
    }
    PrintScalar(message, field, -1, indent);
  }

  void PrintMap(const Message& message, const FieldDescriptor& field, size_t indent) {
    const Reflection& reflection = *message.GetReflection();
    std::map<std::string, std::string> sorted;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      sorted[entry.GetReflection()->GetString(entry, field.message_type()->map_key())] =
          entry.GetReflection()->GetString(entry, field.message_type()->map_value());
    }
    out_ += '\n';
    for (const auto& [key, value] : sorted) {
      Indent(indent + 2);
      out_ += base::Concat(QuoteText(key), ": ", QuoteText(value), "\n");
    }
  }

  void PrintList(const Message& message, const FieldDescriptor& field, size_t indent) {
    const Reflection& reflection = *message.GetReflection();
    out_ += '\n';
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      Indent(indent);
      out_ += '-';
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        PrintItem(reflection.GetRepeatedMessage(message, &field, i), indent);
      } else {
        PrintScalar(message, field, i, indent);
      }
    }
  }

  // "- name: x" on one line: the first field takes the place of its indentation.
  void PrintItem(const Message& item, size_t indent) {
    const size_t start = out_.size();
    PrintFields(item, indent + 2);
    if (out_.size() == start) {
      out_ += " {}\n";
    } else {
      out_.replace(start, indent + 2, " ");
    }
  }

  void PrintSubmessage(const Message& message, size_t indent) {
    const std::string& type = message.GetDescriptor()->full_name();
    if (type == "google.protobuf.Value") {
      out_ += ' ';
      PrintJson(static_cast<const Value&>(message));
      out_ += '\n';
    } else if (type == "google.protobuf.Duration") {
      const absl::StatusOr<std::string> text = FormatDuration(static_cast<const google::protobuf::Duration&>(message));
      if (!text.ok()) return Fail(std::string(base::ToStd(text.status().message())));
      out_ += base::Concat(" ", *text, "\n");
    } else {
      const size_t start = out_.size();
      out_ += '\n';
      PrintFields(message, indent + 2);
      if (out_.size() == start + 1) out_.replace(start, 1, " {}\n");
    }
  }

  void PrintScalar(const Message& message, const FieldDescriptor& field, int index, size_t indent) {
    const Reflection& reflection = *message.GetReflection();
    out_ += ' ';
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return PrintText(
            index < 0 ? reflection.GetString(message, &field) : reflection.GetRepeatedString(message, &field, index),
            indent);
      case FieldDescriptor::CPPTYPE_BOOL:
        out_ += reflection.GetBool(message, &field) ? "true" : "false";
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const std::string name = EnumName(*reflection.GetEnum(message, &field));
        if (name.empty()) return Fail(base::Concat(field.full_name(), " has a value without a name"));
        out_ += name;
        break;
      }
      case FieldDescriptor::CPPTYPE_INT32:
        out_ += base::Concat(reflection.GetInt32(message, &field));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        out_ += base::Concat(reflection.GetUInt64(message, &field));
        break;
      default:
        PORTICO_CHECK(field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32, "a type of field that YAML has no rule for");
        out_ += base::Concat(index < 0 ? reflection.GetUInt32(message, &field)
                                       : reflection.GetRepeatedUInt32(message, &field, index));
    }
    out_ += '\n';
  }

  void PrintText(std::string_view text, size_t indent) {
    if (!FitsBlock(text)) {
      out_ += QuoteText(text) + "\n";
      return;
    }
    const bool ended = text.ends_with('\n');
    out_ += ended ? "|\n" : "|-\n";
    if (ended) text.remove_suffix(1);
    for (std::string_view line : base::Split(text, '\n')) {
      if (!line.empty()) Indent(indent + 2);
      out_ += base::Concat(line, "\n");
    }
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

  void Fail(std::string message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(base::ToAbsl(message));
  }

  std::string out_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::string> Print(const portico::v1::Resource& resource) {
  const Reflection& reflection = *resource.GetReflection();
  const FieldDescriptor* kind = reflection.GetOneofFieldDescriptor(resource, resource.GetDescriptor()->oneof_decl(0));
  if (kind == nullptr) return absl::InvalidArgumentError("a resource without a kind");
  Printer printer;
  printer.PrintFields(reflection.GetMessage(resource, kind), 0);
  if (!printer.status().ok()) return printer.status();
  return base::Concat("apiVersion: portico.dev/v1\nkind: ", kind->message_type()->name(), "\n", printer.Take());
}

}  // namespace portico::yaml
