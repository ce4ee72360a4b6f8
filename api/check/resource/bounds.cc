#include "api/check/resource/bounds.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "api/base/text.h"
#include "api/check/resource/bounds_table.h"
#include "api/portico/v1/options.pb.h"
#include "api/yaml/problem.h"
#include "api/yaml/timestamp.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace portico::check {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kPackage = "portico.v1.";
constexpr size_t kShownBytesMax = 40;
constexpr int32_t kNanosPerSecond = 1'000'000'000;

bool IsWithin(const Time& time, const google::protobuf::Duration& duration) {
  const int64_t seconds = duration.seconds();
  const int32_t nanos = duration.nanos();
  if (seconds < 0 || nanos < 0 || nanos >= kNanosPerSecond) return false;
  if (time.zero && seconds == 0 && nanos == 0) return true;
  // No overflow: what is far too long is out before anything is multiplied.
  if (seconds > time.most_ms / 1000) return false;
  const int64_t whole = seconds * kNanosPerSecond + nanos;
  return whole >= time.least_ms * 1'000'000 && whole <= time.most_ms * 1'000'000;
}

// What was written, as far as it may be shown.
std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kShownBytesMax));
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

bool IsNumber(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 || field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64 ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
}

// A negative number is larger than any bound.
uint64_t NumberOf(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64) return reflection.GetUInt64(message, &field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32) return reflection.GetUInt32(message, &field);
  return static_cast<uint64_t>(int64_t{reflection.GetInt32(message, &field)});
}

class Walk {
 public:
  explicit Walk(const ResourceKey& key) : key_(key) {}

  void Visit(const Message& message, const std::string& path) {
    const auto& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.options().GetExtension(portico::v1::not_yet)) continue;
      if (field.options().GetExtension(portico::v1::system_only)) continue;
      VisitField(message, field, yaml::FieldPath(path, field.json_name()));
    }
  }

  Violations Take() { return std::move(violations_); }

 private:
  void Add(std::string path, std::string message) {
    violations_.push_back({key_, std::move(path), std::move(message)});
  }

  void VisitField(const Message& message, const FieldDescriptor& field, const std::string& path) {
    const Rule* rule = FindRule(std::string_view(field.full_name()).substr(kPackage.size()));
    const Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) return VisitItems(message, field, rule, path);
    // A number is never missing: the bounds of one that is required leave zero out.
    const bool is_number = IsNumber(field);
    const bool required = rule != nullptr && rule->count.least > 0;
    if (!reflection.HasField(message, &field) && !(required && is_number)) {
      if (required) Add(path, "is missing");
      return;
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return VisitMessage(reflection.GetMessage(message, &field), rule, path);
    }
    if (rule == nullptr) return;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) Text(reflection.GetString(message, &field), *rule, path);
    if (is_number) NumberValue(NumberOf(message, field), *rule, path);
  }

  void VisitItems(const Message& message, const FieldDescriptor& field, const Rule* rule, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    const auto count = static_cast<size_t>(reflection.FieldSize(message, &field));
    if (rule != nullptr && (count < rule->count.least || count > rule->count.most)) {
      return Add(path, CountWords(rule->count));
    }
    for (size_t i = 0; i < count; ++i) {
      const std::string item = yaml::ItemPath(path, i);
      const int place = static_cast<int>(i);
      if (field.is_map()) {
        if (rule != nullptr) Entry(reflection.GetRepeatedMessage(message, &field, place), *rule, path);
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        VisitMessage(reflection.GetRepeatedMessage(message, &field, place), rule, item);
      } else if (rule != nullptr && field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        Text(reflection.GetRepeatedString(message, &field, place), *rule, item);
      } else if (rule != nullptr && field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
        NumberValue(reflection.GetRepeatedUInt32(message, &field, place), *rule, item);
      }
    }
  }

  void VisitMessage(const Message& message, const Rule* rule, const std::string& path) {
    if (const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&message)) {
      const auto* time = rule == nullptr ? nullptr : std::get_if<Time>(&rule->value);
      if (time != nullptr && !IsWithin(*time, *duration)) Add(path, Words(*rule));
    } else if (const auto* timestamp = dynamic_cast<const google::protobuf::Timestamp*>(&message)) {
      if (!yaml::FormatTimestamp(*timestamp).ok()) Add(path, "must be a time of the years 0001 to 9999");
    } else if (std::string_view(message.GetDescriptor()->full_name()).starts_with(kPackage)) {
      Visit(message, path);
    }
  }

  // A key and a text of a map.
  void Entry(const Message& entry, const Rule& rule, const std::string& path) {
    const auto* bytes = std::get_if<Bytes>(&rule.value);
    if (bytes == nullptr) return;
    const auto text = [&](int number) {
      return entry.GetReflection()->GetString(entry, entry.GetDescriptor()->FindFieldByNumber(number));
    };
    const std::string key = text(1);
    const size_t value = text(2).size();
    const bool fits = key.size() >= bytes->key_least && key.size() <= bytes->key_most && value >= bytes->least &&
                      value <= bytes->most;
    if (!fits) Add(yaml::FieldPath(path, Shown(key)), Words(rule));
  }

  void Text(const std::string& text, const Rule& rule, const std::string& path) {
    const auto* bytes = std::get_if<Bytes>(&rule.value);
    if (bytes != nullptr && (text.size() < bytes->least || text.size() > bytes->most)) Add(path, Words(rule));
    const auto* grammar = std::get_if<Grammar>(&rule.value);
    if (grammar != nullptr && !grammar->accepts(text)) Add(path, Words(rule));
    const auto* choice = std::get_if<Choice>(&rule.value);
    if (choice != nullptr && std::ranges::find(choice->texts, text) == choice->texts.end()) {
      Add(path, base::Concat(Words(rule), ", not ", Shown(text)));
    }
  }

  void NumberValue(uint64_t value, const Rule& rule, const std::string& path) {
    const auto* number = std::get_if<Number>(&rule.value);
    if (number != nullptr && (value < number->least || value > number->most)) Add(path, Words(rule));
    const auto* choice = std::get_if<Choice>(&rule.value);
    if (choice != nullptr && std::ranges::find(choice->numbers, value) == choice->numbers.end()) {
      Add(path, base::Concat(Words(rule), ", not ", value));
    }
  }

  const ResourceKey& key_;
  Violations violations_;
};

}  // namespace

Violations CheckBounds(const Message& message, const std::string& path, const ResourceKey& key) {
  Walk walk(key);
  walk.Visit(message, path);
  return walk.Take();
}

}  // namespace portico::check
