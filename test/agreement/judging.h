#ifndef PORTICO_TEST_AGREEMENT_JUDGING_H_
#define PORTICO_TEST_AGREEMENT_JUDGING_H_

#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "api/base/text.h"
#include "api/wire/names.h"
#include "dataplane/xds/client_session.h"

namespace portico::xds {

using Contents = std::map<std::string, std::string>;  // "Route default/a" to its version

inline Contents ContentsOf(const Proposal& proposal) {
  Contents contents;
  for (const auto& [key, received] : proposal.resources)
    contents[base::Concat(key.kind, " ", wire::ResourceName(key))] = received->version;
  return contents;
}

enum class Verdict { kAny, kAccept, kReject };

// The part of a proxy that takes what its client proposes, says later what becomes of it, and has in force what it
// accepted. The client is the same in each call.
class Judging {
 public:
  // A proposal was taken, and waits for its verdict.
  bool waits() const { return proposal_.has_value(); }
  // What is proposed, until the verdict; nullptr: nothing.
  const Proposal* Take(ClientSession& client) {
    proposal_ = client.TakeProposal();
    return waits() ? &*proposal_ : nullptr;
  }
  // Of the proposal that waits.
  void Say(Verdict verdict, ClientSession& client, std::mt19937& random) {
    if (verdict == Verdict::kReject || (verdict == Verdict::kAny && random() % 4 == 0)) {
      client.Reject("no");
    } else {
      in_force_ = ContentsOf(*proposal_);
      accepted_.insert(in_force_);
      refused_ = proposal_->refused.size();
      client.Accept({});
    }
    proposal_.reset();
  }

  const Contents& in_force() const { return in_force_; }
  bool HasAccepted(const Contents& contents) const { return accepted_.contains(contents); }
  size_t refused() const { return refused_; }  // resources of what is in force

 private:
  std::optional<Proposal> proposal_;
  Contents in_force_;
  std::set<Contents> accepted_;
  size_t refused_ = 0;
};

}  // namespace portico::xds

#endif  // PORTICO_TEST_AGREEMENT_JUDGING_H_
