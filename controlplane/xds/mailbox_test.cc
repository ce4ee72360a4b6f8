#include "controlplane/xds/mailbox.h"

#include <map>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::xds {
namespace {

TEST(MailboxTest, PlacesAreBoundedInAllAndForEachHolder) {
  constexpr std::string_view kOk = "", kHolder = "at most 2 streams of one address and certificate",
                             kAll = "at most 5 streams; try another control plane";
  struct Row {
    std::string_view name;
    Peer peer;
    std::string_view says;
    std::string_view closes = {};  // the stream of an earlier row, first
  };
  const Row rows[] = {
      {"a first", {"10.0.0.1:1"}, kOk},
      {"a second", {"10.0.0.1:2"}, kOk},
      {"one too many of its address", {"10.0.0.1:3"}, kHolder},
      {"another address", {"10.0.0.2:1"}, kOk},
      {"another certificate", {"10.0.0.1:4", true, {"portico://gateway/default/a"}}, kOk},
      {"the same again", {"10.0.0.1:5", true, {"portico://gateway/default/a"}}, kOk},
      {"one too many in all", {"10.0.0.3:1"}, kAll},
      {"another's place", {"10.0.0.3:2"}, kOk, "another address"},
      {"its own place", {"10.0.0.1:6"}, kOk, "a first"},
      {"the last for it", {"10.0.0.1:7"}, kAll},
      {"still bounded by itself", {"10.0.0.1:8"}, kHolder, "another's place"},
      {"an IPv6 address", {"[::1]:9"}, kOk},
  };
  Mailbox mailbox(5, 2);
  std::map<std::string_view, uint64_t> ids;
  for (const Row& row : rows) {
    if (!row.closes.empty()) mailbox.OnClosed(ids.at(row.closes));
    const absl::StatusOr<uint64_t> id = mailbox.Open(nullptr, row.peer);
    EXPECT_EQ(id.ok(), row.says.empty()) << row.name;
    EXPECT_TRUE(base::ToStd(id.status().message()).starts_with(row.says)) << row.name << ": " << id.status();
    if (id.ok()) ids[row.name] = *id;
  }
}

}  // namespace
}  // namespace portico::xds
