#include "controlplane/north/errors.h"

#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "api/google/rpc/error_details.pb.h"
#include "api/google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

using base::Concat;

// What gRPC's clients take of all header fields, less what the other fields of an error take.
constexpr size_t kBytesMax = 8192 - 500;

size_t OnTheWire(const grpc::Status& status) {
  size_t bytes = 0;
  for (const char c : status.error_message())
    bytes += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
  return bytes + (status.error_details().size() + 2) / 3 * 4;
}

TEST(ErrorsTest, FitIntoHeaderFields) {
  const std::string long_text(20'000, 'x'), accents = [] {
    std::string text;
    for (int i = 0; i < 5000; ++i)
      text += "\xc3\xa9";
    return text;
  }();
  struct Row {
    std::string_view name;
    std::string message;
    int violations;
    std::string path, description;
    int told;
    std::string_view ends;
  };
  const Row rows[] = {
      {"nothing but words", "no", 0, "", "", 0, "no"},
      {"one", "no", 1, "spec", "bad", 1, "no"},
      {"some", "no (and 2 more)", 3, "spec", "bad", 3, "no (and 2 more)"},
      {"many", "no (and 99 more)", 100, "spec.rules[0].filters[0].requestRedirect", "must be a number", 45,
       "no (and 99 more); the details tell 45 of 100"},
      {"long words", long_text, 2, "spec", "bad", 2, "xx..."},
      {"long words and many", long_text, 100, "spec", "must be a number", 37, "x...; the details tell 37 of 100"},
      {"not ASCII", accents, 100, "spec", "bad", 93, "\xc3\xa9...; the details tell 93 of 100"},
      {"long texts", "no", 4, long_text, accents, 3, "no; the details tell 3 of 4"},
      {"all long", accents, 1, long_text, accents, 1, "\xc3\xa9..."},
      {"no UTF-8", std::string(3000, '\xff'), 1, "\xff", "\xff", 1, "?..."},
  };
  for (const Row& row : rows) {
    const check::Violation violation{{"Route", "default", "shop"}, row.path, row.description};
    const grpc::Status status = ToGrpc(change::Refusal{absl::InvalidArgumentError(base::ToAbsl(row.message)),
                                                       check::Violations(row.violations, violation)});
    EXPECT_LE(OnTheWire(status), kBytesMax) << row.name;
    EXPECT_TRUE(status.error_message().ends_with(row.ends)) << row.name << ": " << status.error_message();
    google::rpc::Status detail;
    google::rpc::BadRequest request;
    ASSERT_TRUE(detail.ParseFromString(status.error_details())) << row.name;
    if (row.violations > 0) {
      EXPECT_EQ(detail.message(), status.error_message()) << row.name;
      ASSERT_TRUE(detail.details(0).UnpackTo(&request)) << row.name;
    }
    EXPECT_EQ(request.field_violations_size(), row.told) << row.name;
  }
}

}  // namespace
}  // namespace portico::north
