#include "dataplane/filters/rate_limit/limit_key.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace portico::rate_limit {
namespace {

constexpr size_t kAddressBytes = 8;  // all of IPv4

template <size_t size>
uint64_t HashOf(const std::array<uint64_t, size>& numbers, size_t count, const crypto::KeyedHash& hash) {
  return hash.Of({reinterpret_cast<const char*>(numbers.data()), count * sizeof(uint64_t)});
}

std::optional<uint64_t> HeaderOf(std::string_view name, const http::Fields& fields, const crypto::KeyedHash& hash) {
  std::optional<uint64_t> out;
  for (const http::Field& field : fields) {
    if (field.name != name) continue;
    out = HashOf(std::array{out.value_or(0), hash.Of(field.value)}, 2, hash);
  }
  return out;
}

std::optional<uint64_t> ConsumerOf(const filter::Identity& identity, const crypto::KeyedHash& hash) {
  if (identity.consumers.empty()) return std::nullopt;
  const filter::ConsumerName& consumer = identity.consumers.front();
  return HashOf(std::array{hash.Of(consumer.name_space), hash.Of(consumer.name)}, 2, hash);
}

std::optional<uint64_t> PartOf(KeyPart part, const Limit& limit, const filter::FilterContext& context,
                               const crypto::KeyedHash& hash) {
  switch (part) {
    case KeyPart::kClientAddress:
      return hash.Of(context.client.bytes().substr(0, kAddressBytes));
    case KeyPart::kConsumer:
      return ConsumerOf(context.identity, hash);
    case KeyPart::kHeader:
      return HeaderOf(limit.header, context.request.fields, hash);
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> KeyOf(const Limit& limit, const filter::FilterContext& context, const crypto::KeyedHash& hash) {
  // Two for each part; a single one for those that miss any, and none where nothing tells requests apart.
  std::array<uint64_t, 6> numbers;
  size_t count = 0;
  for (const KeyPart part : limit.key) {
    const std::optional<uint64_t> value = PartOf(part, limit, context, hash);
    if (!value && limit.skips_missing) return std::nullopt;
    if (!value) return HashOf(std::array<uint64_t, 1>{}, 1, hash);
    numbers[count++] = static_cast<uint64_t>(part);
    numbers[count++] = *value;
  }
  return HashOf(numbers, count, hash);
}

}  // namespace portico::rate_limit
