#include "controlplane/listen/bind.h"

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::listen {
namespace {

TEST(BindTest, TakesAFreePort) {
  for (const std::string address : {"127.0.0.1:0", "[::1]:0"}) {
    const absl::StatusOr<Socket> socket = Bind("--address", address);
    ASSERT_TRUE(socket.ok()) << socket.status();
    EXPECT_GT(PortOf(*socket), 0) << address;
  }
  EXPECT_EQ(WithPort("[::1]:0", 80), "[::1]:80");
}

TEST(BindTest, SaysWhyNot) {
  const absl::StatusOr<Socket> taken = Bind("--address", "127.0.0.1:0");
  ASSERT_TRUE(taken.ok());
  ASSERT_EQ(::listen(taken->descriptor(), 1), 0);
  struct Row {
    std::string_view name;
    std::string address;
    std::string_view says;
  };
  const std::string own = WithPort("127.0.0.1:0", PortOf(*taken));
  const Row rows[] = {
      {"taken", own, "Address already in use"},
      {"another machine's", "192.0.2.1:0", "Cannot assign requested address"},
      {"no address", "localhost:0", "--address=localhost:0: cannot be listened at: "},
  };
  for (const Row& row : rows) {
    const absl::Status status = Bind("--address", row.address).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << row.name;
    EXPECT_NE(base::ToStd(status.message()).find(row.says), std::string_view::npos) << row.name << ": " << status;
  }
}

}  // namespace
}  // namespace portico::listen
