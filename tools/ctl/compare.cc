#include "tools/ctl/compare.h"

#include <string_view>
#include <utility>

#include "api/base/text.h"

namespace portico::ctl {
namespace {

constexpr std::string_view kNone = "none";

// `asked` is "name", of any namespace, or "namespace/name", as `whole` is.
bool IsNamed(std::string_view asked, std::string_view whole) {
  return asked == whole || (asked.find('/') == std::string_view::npos && whole.substr(whole.find('/') + 1) == asked);
}

std::string_view KindOf(const route::Backend& backend) {
  return backend.kind == route::BackendKind::kCluster ? "Cluster" : "Composition";
}

bool Agrees(const CaseBackend& expected, const route::Backend& backend) {
  return (expected.kind().empty() || expected.kind() == KindOf(backend)) &&
         (expected.name().empty() || IsNamed(expected.name(), base::Concat(backend.name_space, "/", backend.name))) &&
         (!expected.has_port() || expected.port() == backend.port.value_or(0)) &&
         (!expected.has_weight() || expected.weight() == backend.weight);
}

std::string Text(const CaseBackend& backend) {
  std::string text = base::Concat(backend.kind().empty() ? "" : base::Concat(backend.kind(), " "), backend.name());
  if (backend.has_port()) text += base::Concat(":", backend.port());
  if (backend.has_weight()) text += base::Concat(" (weight ", backend.weight(), ")");
  return text;
}

std::string Text(const route::Backend& backend) {
  return base::Concat(KindOf(backend), " ", backend.name_space, "/", backend.name,
                      backend.port ? base::Concat(":", *backend.port) : "", " (weight ", backend.weight, ")");
}

template <typename List, typename ToText>
std::string Listed(const List& list, ToText text) {
  std::vector<std::string> pieces;
  for (const auto& each : list)
    pieces.push_back(text(each));
  return pieces.empty() ? std::string(kNone) : base::Join(pieces, ", ");
}

// Each of one list with one of the other, in any order: a matching by augmenting paths, since what agrees with a name
// alone may be needed for another.
class Pairing {
 public:
  Pairing(const Expectation& expected, const std::vector<const route::Backend*>& backends)
      : expected_(expected), backends_(backends), owner_(backends.size(), kFree) {}

  bool IsWhole() {
    if (static_cast<size_t>(expected_.backends_size()) != backends_.size()) return false;
    for (int i = 0; i < expected_.backends_size(); ++i) {
      std::vector<bool> asked(backends_.size());
      if (!Place(i, asked)) return false;
    }
    return true;
  }

 private:
  static constexpr int kFree = -1;

  bool Place(int i, std::vector<bool>& asked) {
    for (size_t j = 0; j < backends_.size(); ++j) {
      if (asked[j] || !Agrees(expected_.backends(i), *backends_[j])) continue;
      asked[j] = true;
      if (owner_[j] != kFree && !Place(owner_[j], asked)) continue;
      owner_[j] = i;
      return true;
    }
    return false;
  }

  const Expectation& expected_;
  const std::vector<const route::Backend*>& backends_;
  std::vector<int> owner_;  // beside backends_: which of the expected has it
};

class Comparison {
 public:
  Comparison(const Expectation& expected, const Decision& decision) : expected_(expected), decision_(decision) {}

  std::vector<Mismatch> Take() {
    CompareRule();
    CompareStatus();
    if (!expected_.backends().empty() && !Pairing(expected_, decision_.backends).IsWhole()) {
      Add("backends", Listed(expected_.backends(), [](const CaseBackend& each) { return Text(each); }),
          WithReason(Listed(decision_.backends, [](const route::Backend* each) { return Text(*each); })));
    }
    CompareText("listener", expected_.listener(), decision_.listener);
    CompareText("location", expected_.location(), decision_.location);
    CompareText("rewrittenPath", expected_.rewritten_path(), decision_.path);
    CompareText("rewrittenHost", expected_.rewritten_host(), decision_.host);
    if (!expected_.denied_by().policy().empty() && !IsNamed(expected_.denied_by().policy(), decision_.policy)) {
      Add("deniedBy.policy", expected_.denied_by().policy(), OrNone(decision_.policy));
    }
    CompareText("deniedBy.rule", expected_.denied_by().rule(), decision_.denied_rule);
    return std::move(mismatches_);
  }

 private:
  static std::string OrNone(const std::string& text) { return text.empty() ? std::string(kNone) : text; }

  void Add(std::string field, std::string expected, std::string got) {
    mismatches_.push_back({std::move(field), std::move(expected), std::move(got)});
  }
  void CompareText(std::string_view field, const std::string& expected, const std::string& got) {
    if (!expected.empty() && expected != got) Add(std::string(field), expected, OrNone(got));
  }
  std::string WithReason(std::string text) const {
    return decision_.reason.empty() ? text : base::Concat(text, " (", decision_.reason, ")");
  }

  void CompareRule() {
    const route::Rule* rule = decision_.match == nullptr ? nullptr : decision_.match->rule.get();
    const std::string route = rule == nullptr ? std::string(kNone) : rule->route;
    if (!expected_.route().empty() && !IsNamed(expected_.route(), route)) {
      Add("route", expected_.route(), WithReason(route));
    }
    if (expected_.rule().empty()) return;
    if (rule != nullptr && (expected_.rule() == rule->name || expected_.rule() == base::Concat(rule->index))) return;
    Add("rule", expected_.rule(),
        rule == nullptr      ? WithReason(std::string(kNone))
        : rule->name.empty() ? base::Concat(rule->index)
                             : rule->name);
  }

  void CompareStatus() {
    const auto text = [](int status) { return status == 0 ? "0: a backend is asked" : base::Concat(status); };
    const int expected = static_cast<int>(expected_.status());
    if (!expected_.has_status() || expected == decision_.status) return;
    Add("status", text(expected), WithReason(text(decision_.status)));
  }

  const Expectation& expected_;
  const Decision& decision_;
  std::vector<Mismatch> mismatches_;
};

}  // namespace

std::vector<Mismatch> Compare(const Expectation& expected, const Decision& decision) {
  return Comparison(expected, decision).Take();
}

}  // namespace portico::ctl
