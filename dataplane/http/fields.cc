#include "dataplane/http/fields.h"

#include <array>
#include <cstring>
#include <utility>

#include "api/base/check.h"

namespace portico::http {
namespace {

constexpr size_t kNameCount = static_cast<size_t>(FieldId::kXRequestId) + 1;
constexpr size_t kLineOverheadBytes = 32;  // RFC 9113 section 10.5.1
constexpr uint32_t kFirstCapacity = 16;    // a browser's head without growing twice

// In the order of FieldId.
constexpr std::array<std::string_view, kNameCount> kNames = {
    "",
    "accept",
    "accept-encoding",
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "host",
    "http2-settings",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "last-modified",
    "location",
    "origin",
    "portico-timing",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "proxy-status",
    "range",
    "referer",
    "retry-after",
    "server",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
};
static_assert(!kNames.back().empty());

// Open addressing over length and the letters at both ends and in the middle. Built by the compiler.
constexpr size_t kSlots = 256;

constexpr size_t Slot(std::string_view name) {
  const auto letter = [&](size_t at) { return static_cast<size_t>(static_cast<unsigned char>(name[at])); };
  const size_t last = name.size() - 1;
  return (name.size() * 31 + letter(0) * 7 + letter(last / 2) * 17 + letter(last) * 3) % kSlots;
}

constexpr std::array<uint8_t, kSlots> BuildSlots() {
  std::array<uint8_t, kSlots> slots{};
  for (size_t id = 1; id < kNameCount; ++id) {
    size_t slot = Slot(kNames[id]);
    while (slots[slot] != 0)
      slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<uint8_t>(id);
  }
  return slots;
}

constexpr std::array<uint8_t, kSlots> kSlotIds = BuildSlots();

}  // namespace

FieldId FindFieldId(std::string_view lowercase_name) {
  if (lowercase_name.empty()) return FieldId::kOther;
  for (size_t slot = Slot(lowercase_name); kSlotIds[slot] != 0; slot = (slot + 1) % kSlots) {
    if (kNames[kSlotIds[slot]] == lowercase_name) return static_cast<FieldId>(kSlotIds[slot]);
  }
  return FieldId::kOther;
}

std::string_view FieldName(FieldId id) {
  PORTICO_CHECK(id != FieldId::kOther, "kOther has no name");
  return kNames[static_cast<size_t>(id)];
}

void Fields::Append(Field line) {
  if (size_ == capacity_) {
    const uint32_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
    auto* lines = static_cast<Field*>(arena_->Allocate(capacity * sizeof(Field), alignof(Field)));
    if (size_ != 0) std::memcpy(lines, lines_, size_ * sizeof(Field));
    lines_ = lines;
    capacity_ = capacity;
  }
  lines_[size_++] = line;
  list_bytes_ += line.name.size() + line.value.size() + kLineOverheadBytes;
}

void Fields::Add(std::string_view name, std::string_view value) {
  const FieldId id = FindFieldId(name);
  Append({id == FieldId::kOther ? arena_->Copy(name) : FieldName(id), arena_->Copy(value), id});
}

void Fields::Add(FieldId id, std::string_view value) {
  Append({FieldName(id), arena_->Copy(value), id});
}

void Fields::AddUnowned(std::string_view name, std::string_view value) {
  Append({name, value, FindFieldId(name)});
}

void Fields::AddUnowned(FieldId id, std::string_view value) {
  Append({FieldName(id), value, id});
}

void Fields::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Fields::Set(FieldId id, std::string_view value) {
  Remove(id);
  Add(id, value);
}

size_t Fields::Remove(std::string_view name) {
  const FieldId id = FindFieldId(name);
  if (id != FieldId::kOther) return Remove(id);
  return RemoveIf([name](const Field& line) { return line.id == FieldId::kOther && line.name == name; });
}

size_t Fields::Remove(FieldId id) {
  return RemoveIf([id](const Field& line) { return line.id == id; });
}

std::optional<std::string_view> Fields::Find(std::string_view name) const {
  const FieldId id = FindFieldId(name);
  if (id != FieldId::kOther) return Find(id);
  for (const Field& line : *this) {
    if (line.id == FieldId::kOther && line.name == name) return line.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Fields::Find(FieldId id) const {
  for (const Field& line : *this) {
    if (line.id == id) return line.value;
  }
  return std::nullopt;
}

size_t Fields::Count(FieldId id) const {
  size_t count = 0;
  for (const Field& line : *this)
    count += line.id == id ? 1 : 0;
  return count;
}

std::optional<std::string_view> Fields::Combined(std::string_view name) const {
  std::optional<std::string_view> first;
  size_t joined_bytes = 0;
  size_t count = 0;
  for (const Field& line : *this) {
    if (line.name != name) continue;
    if (count++ == 0) first = line.value;
    joined_bytes += line.value.size() + (count > 1 ? 2 : 0);
  }
  if (count < 2) return first;
  char* const joined = static_cast<char*>(arena_->Allocate(joined_bytes, 1));
  char* at = joined;
  bool is_first = true;
  for (const Field& line : *this) {
    if (line.name != name) continue;
    if (!std::exchange(is_first, false)) at = static_cast<char*>(std::memcpy(at, ", ", 2)) + 2;
    if (!line.value.empty()) std::memcpy(at, line.value.data(), line.value.size());
    at += line.value.size();
  }
  return std::string_view(joined, joined_bytes);
}

void Fields::CopyFrom(const Fields& other) {
  const size_t count = other.size();
  for (size_t i = 0; i < count; ++i) {
    const Field line = other.begin()[i];
    Append({line.id == FieldId::kOther ? arena_->Copy(line.name) : line.name, arena_->Copy(line.value), line.id});
  }
}

}  // namespace portico::http
