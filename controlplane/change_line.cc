#include "controlplane/change_line.h"

#include <algorithm>
#include <utility>

#include "api/base/text.h"

namespace portico::controlplane {
namespace {

using base::Concat;
using portico::v1::ResourceChange;

}  // namespace

std::string ChangeLine(const portico::v1::RevisionRecord& record) {
  std::string line = Concat("revision ", record.revision(), " by ", base::Printable(record.author()), " from ",
                            base::Printable(record.peer()), ":");
  std::string_view separator = " ";
  for (const auto& [kind, word] :
       {std::pair{ResourceChange::CREATED, "created"}, std::pair{ResourceChange::UPDATED, "updated"},
        std::pair{ResourceChange::DELETED, "deleted"}}) {
    const auto count = std::count_if(record.changes().begin(), record.changes().end(),
                                     [kind](const ResourceChange& change) { return change.kind() == kind; });
    if (count == 0) continue;
    line += Concat(separator, count, " ", word);
    separator = ", ";
  }
  if (record.rollback_of() != 0) line += Concat(" (back to revision ", record.rollback_of(), ")");
  return line;
}

}  // namespace portico::controlplane
