#ifndef PORTICO_API_YAML_SCALAR_H_
#define PORTICO_API_YAML_SCALAR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"

namespace portico::yaml {

// GEP-2257: one to four groups of one to five digits and a unit (h, m, s, ms): "250ms", "1h30m". nullopt: it is not
// one.
std::optional<google::protobuf::Duration> ParseDuration(std::string_view text);
// The shortest such text, "0s" for zero. kInvalidArgument: negative, below a millisecond, or over 99999h59m59s999ms.
absl::StatusOr<std::string> FormatDuration(const google::protobuf::Duration& duration);

// Decimal, no sign but '-', no leading zero (012 is octal in YAML 1.1), nothing around it. nullopt: it is not one.
std::optional<int64_t> ParseInteger(std::string_view text);
std::optional<uint64_t> ParseUnsigned(std::string_view text);
// A number as JSON has it (RFC 8259 section 6).
std::optional<double> ParseNumber(std::string_view text);

// The spelling of a value in YAML, "" for one that can't be written.
std::string EnumName(const google::protobuf::EnumValueDescriptor& value);
const google::protobuf::EnumValueDescriptor* EnumByName(const google::protobuf::EnumDescriptor& type,
                                                        std::string_view name);

// Text as a scalar that reads back as the same string, in quotes unless it is a plain word.
std::string QuoteText(std::string_view text);

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_SCALAR_H_
