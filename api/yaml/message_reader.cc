#include "api/yaml/message_reader.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/yaml/scalar.h"
#include "api/yaml/timestamp.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace portico::yaml {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

const FieldDescriptor* FindField(const Descriptor& type, std::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->json_name() == name || type.field(i)->name() == name) return type.field(i);
  }
  return nullptr;
}

// "; did you mean `port`?", or all names if they are few, or nothing.
std::string Suggest(std::string_view word, const std::vector<std::string>& names) {
  const std::string_view nearest = base::NearestName(word, std::vector<std::string_view>(names.begin(), names.end()));
  if (!nearest.empty()) return base::Concat("; did you mean `", nearest, "`?");
  return names.size() > 12 ? "" : base::Concat("; known are ", base::Join(names, ", "));
}

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i)
    names.push_back(type.field(i)->json_name());
  return names;
}

// What is shown of a value that was not understood: secrets and megabytes stay out of error texts.
std::string Excerpt(const Node& node) {
  if (node.kind != Node::Kind::kScalar) return std::string(KindName(node));
  constexpr size_t kShownBytesMax = 40;
  std::string shown = node.text.substr(0, kShownBytesMax);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return base::Concat("`", shown, node.text.size() > kShownBytesMax ? "…`" : "`");
}

bool IsPlain(const Node& node) {
  return node.kind == Node::Kind::kScalar && !node.quoted;
}

}  // namespace

void MessageReader::Add(Position position, std::string path, std::string message) {
  problems_.Add({file_, position, std::move(path), std::move(message)});
}

void MessageReader::ReadMessage(const Node& node, const std::string& path, Message& message) {
  if (node.kind != Node::Kind::kMap) {
    return Add(node.position, path, base::Concat("must be a map of fields, not ", KindName(node)));
  }
  const Descriptor& type = *message.GetDescriptor();
  std::set<const FieldDescriptor*> seen;
  for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const Node& key = node.children[i];
    if (key.kind != Node::Kind::kScalar) {
      Add(key.position, path, base::Concat("the name of a field must be text, not ", KindName(key)));
      continue;
    }
    const FieldDescriptor* field = FindField(type, key.text);
    if (field == nullptr) {
      Add(key.position, path, base::Concat("unknown field ", Excerpt(key), Suggest(key.text, FieldNames(type))));
      continue;
    }
    const std::string field_path = FieldPath(path, field->json_name());
    if (!seen.insert(field).second) {
      Add(key.position, field_path, "given twice");
      continue;
    }
    source_.Set(field_path, key.position);
    if (CheckOneof(key.position, field_path, *field, message)) {
      ReadField(node.children[i + 1], field_path, *field, message);
    }
  }
}

bool MessageReader::CheckOneof(Position position, const std::string& path, const Field& field, const Message& message) {
  const auto* oneof = field.real_containing_oneof();
  if (oneof == nullptr || !message.GetReflection()->HasOneof(message, oneof)) return true;
  const auto* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
  Add(position, path, base::Concat("excludes `", other->json_name(), "`, which is given too"));
  return false;
}

void MessageReader::ReadField(const Node& value, const std::string& path, const Field& field, Message& message) {
  const bool json = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                    field.message_type()->full_name() == "google.protobuf.Value";
  if (value.kind == Node::Kind::kNull && !json) {
    return Add(value.position, path, "has no value; leave the field out or give it one");
  }
  if (field.is_map()) return ReadTextMap(value, path, field, message);
  if (field.is_repeated()) return ReadList(value, path, field, message);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return ReadSubmessage(value, path, *message.GetReflection()->MutableMessage(&message, &field));
  }
  ReadScalar(value, path, field, message);
}

void MessageReader::ReadList(const Node& value, const std::string& path, const Field& field, Message& message) {
  if (value.kind != Node::Kind::kList) {
    return Add(value.position, path, base::Concat("must be a list, not ", KindName(value)));
  }
  for (size_t i = 0; i < value.children.size(); ++i) {
    const Node& item = value.children[i];
    const std::string item_path = ItemPath(path, i);
    source_.Set(item_path, item.position);
    if (item.kind == Node::Kind::kNull) {
      Add(item.position, item_path, "has no value; leave the item out or give it one");
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      ReadSubmessage(item, item_path, *message.GetReflection()->AddMessage(&message, &field));
    } else {
      ReadScalar(item, item_path, field, message);
    }
  }
}

void MessageReader::ReadTextMap(const Node& value, const std::string& path, const Field& field, Message& message) {
  if (value.kind != Node::Kind::kMap) {
    return Add(value.position, path, base::Concat("must be a map of texts, not ", KindName(value)));
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i + 1 < value.children.size(); i += 2) {
    const Node& key = value.children[i];
    const Node& item = value.children[i + 1];
    if (key.kind != Node::Kind::kScalar) {
      Add(key.position, path, base::Concat("a key must be text, not ", KindName(key)));
      continue;
    }
    const std::string item_path = FieldPath(path, key.text);
    source_.Set(item_path, key.position);
    if (!seen.insert(key.text).second) {
      Add(key.position, item_path, "given twice");
    } else if (item.kind != Node::Kind::kScalar) {
      Add(item.position, item_path, base::Concat("must be text, not ", KindName(item)));
    } else {
      Message* entry = message.GetReflection()->AddMessage(&message, &field);
      entry->GetReflection()->SetString(entry, field.message_type()->map_key(), key.text);
      entry->GetReflection()->SetString(entry, field.message_type()->map_value(), item.text);
    }
  }
}

void MessageReader::ReadSubmessage(const Node& value, const std::string& path, Message& message) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "google.protobuf.Value") return ReadJson(value, path, message);
  if (type == "google.protobuf.Duration") return ReadDuration(value, path, message);
  if (type == "google.protobuf.Timestamp") return ReadTimestamp(value, path, message);
  ReadMessage(value, path, message);
}

void MessageReader::ReadDuration(const Node& value, const std::string& path, Message& message) {
  const auto duration = value.kind == Node::Kind::kScalar ? ParseDuration(value.text) : std::nullopt;
  if (!duration.has_value()) {
    return Add(value.position, path,
               base::Concat(Excerpt(value),
                            " is not a duration such as 250ms, 10s or 1h30m (units h, m, s, ms; up to "
                            "4 groups of up to 5 digits)"));
  }
  message.CopyFrom(*duration);
}

void MessageReader::ReadTimestamp(const Node& value, const std::string& path, Message& message) {
  const auto time = value.kind == Node::Kind::kScalar ? ParseTimestamp(value.text) : std::nullopt;
  if (!time.has_value()) {
    return Add(value.position, path, base::Concat(Excerpt(value), " is not a time such as 2027-01-31T00:00:00Z"));
  }
  message.CopyFrom(*time);
}

void MessageReader::ReadScalar(const Node& value, const std::string& path, const Field& field, Message& message) {
  if (value.kind != Node::Kind::kScalar) {
    return Add(value.position, path, base::Concat("must be one value, not ", KindName(value)));
  }
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.is_repeated()) return reflection.AddString(&message, &field, value.text);
      return reflection.SetString(&message, &field, value.text);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!IsPlain(value) || (value.text != "true" && value.text != "false")) {
        return Add(value.position, path, base::Concat(Excerpt(value), " must be true or false, without quotes"));
      }
      return reflection.SetBool(&message, &field, value.text == "true");
    case FieldDescriptor::CPPTYPE_ENUM:
      return ReadEnum(value, path, field, message);
    default:
      return ReadInteger(value, path, field, message);
  }
}

void MessageReader::ReadInteger(const Node& value, const std::string& path, const Field& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const auto refuse = [&](std::string_view range) {
    Add(value.position, path, base::Concat(Excerpt(value), " must be a whole number ", range, ", without quotes"));
  };
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    const auto number = IsPlain(value) ? ParseInteger(value.text) : std::nullopt;
    if (!number.has_value() || *number < INT32_MIN || *number > INT32_MAX) return refuse("of 32 bits");
    return reflection.SetInt32(&message, &field, static_cast<int32_t>(*number));
  }
  const auto number = IsPlain(value) ? ParseUnsigned(value.text) : std::nullopt;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
    if (!number.has_value()) return refuse("from 0 to 18446744073709551615");
    return reflection.SetUInt64(&message, &field, *number);
  }
  PORTICO_CHECK(field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32, "a type of field that YAML has no rule for");
  if (!number.has_value() || *number > UINT32_MAX) return refuse("from 0 to 4294967295");
  if (field.is_repeated()) return reflection.AddUInt32(&message, &field, static_cast<uint32_t>(*number));
  reflection.SetUInt32(&message, &field, static_cast<uint32_t>(*number));
}

void MessageReader::ReadEnum(const Node& value, const std::string& path, const Field& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const auto* found = EnumByName(*field.enum_type(), value.text);
  if (found != nullptr && field.is_repeated()) return reflection.AddEnum(&message, &field, found);
  if (found != nullptr) return reflection.SetEnum(&message, &field, found);
  std::vector<std::string> names;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    std::string name = EnumName(*field.enum_type()->value(i));
    if (!name.empty()) names.push_back(std::move(name));
  }
  Add(value.position, path, base::Concat("unknown value ", Excerpt(value), Suggest(value.text, names)));
}

void MessageReader::ReadJson(const Node& value, const std::string& path, Message& message) {
  auto& json = static_cast<google::protobuf::Value&>(message);
  if (value.kind == Node::Kind::kNull) {
    json.set_null_value(google::protobuf::NULL_VALUE);
  } else if (value.kind == Node::Kind::kScalar) {
    const auto number = IsPlain(value) ? ParseNumber(value.text) : std::nullopt;
    if (number.has_value()) {
      json.set_number_value(*number);
    } else if (IsPlain(value) && (value.text == "true" || value.text == "false")) {
      json.set_bool_value(value.text == "true");
    } else {
      json.set_string_value(value.text);
    }
  } else if (value.kind == Node::Kind::kList) {
    auto& list = *json.mutable_list_value();
    for (size_t i = 0; i < value.children.size(); ++i) {
      ReadJson(value.children[i], ItemPath(path, i), *list.add_values());
    }
  } else {
    auto& fields = *json.mutable_struct_value()->mutable_fields();
    for (size_t i = 0; i + 1 < value.children.size(); i += 2) {
      const Node& key = value.children[i];
      const std::string item_path = FieldPath(path, key.text);
      if (key.kind != Node::Kind::kScalar) {
        Add(key.position, path, "a key must be text");
      } else if (fields.count(key.text) != 0) {
        Add(key.position, item_path, "given twice");
      } else {
        ReadJson(value.children[i + 1], item_path, fields[key.text]);
      }
    }
  }
}

}  // namespace portico::yaml
