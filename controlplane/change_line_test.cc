#include "controlplane/change_line.h"

#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace portico::controlplane {
namespace {

using portico::v1::ResourceChange;

TEST(ChangeLineTest, TellsARevision) {
  struct Row {
    std::string_view name;
    std::string_view author;
    std::vector<ResourceChange::Kind> kinds;
    uint64_t rollback_of;
    std::string_view line;
  };
  const Row rows[] = {
      {"one", "alice", {ResourceChange::CREATED}, 0, "revision 7 by alice from 10.0.0.7:4711: 1 created"},
      {"of every kind",
       "alice",
       {ResourceChange::DELETED, ResourceChange::CREATED, ResourceChange::UPDATED, ResourceChange::CREATED},
       0,
       "revision 7 by alice from 10.0.0.7:4711: 2 created, 1 updated, 1 deleted"},
      {"a rollback",
       "alice",
       {ResourceChange::UPDATED},
       3,
       "revision 7 by alice from 10.0.0.7:4711: 1 updated (back to revision 3)"},
      {"a name that would be a line, and one that would colour it",
       "eve\nrevision 8 by bob\x1b[31m\xc3\xa9",
       {ResourceChange::DELETED},
       0,
       "revision 7 by eve?revision 8 by bob?[31m\xc3\xa9 from 10.0.0.7:4711: 1 deleted"},
  };
  for (const Row& row : rows) {
    portico::v1::RevisionRecord record;
    record.set_revision(7);
    record.set_author(row.author.data(), row.author.size());
    record.set_peer("10.0.0.7:4711");
    record.set_rollback_of(row.rollback_of);
    for (const ResourceChange::Kind kind : row.kinds)
      record.add_changes()->set_kind(kind);
    EXPECT_EQ(ChangeLine(record), row.line) << row.name;
  }
}

}  // namespace
}  // namespace portico::controlplane
