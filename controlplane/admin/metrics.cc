#include "controlplane/admin/metrics.h"

#include <map>

#include "api/base/text.h"

namespace portico::admin {
namespace {

using base::Concat;

constexpr std::string_view kPrefix = "portico_controlplane_";

// One family of the page.
class Family {
 public:
  Family(std::string& page, std::string_view name, std::string_view type, std::string_view help)
      : page_(page), name_(Concat(kPrefix, name)) {
    page_ += Concat("# HELP ", name_, " ", help, "\n# TYPE ", name_, " ", type, "\n");
  }

  // `labels`: `{kind="Route"}`, or nothing.
  template <typename Value>
  Family& Add(std::string_view labels, const Value& value, std::string_view suffix = "") {
    page_ += Concat(name_, suffix, labels, " ", value, "\n");
    return *this;
  }

 private:
  std::string& page_;
  const std::string name_;
};

std::string Label(std::string_view name, std::string_view value) {
  return Concat("{", name, "=\"", value, "\"}");
}

// "0.25" for 250,000.
std::string Seconds(uint64_t micros) {
  std::string fraction = Concat(1'000'000 + micros % 1'000'000).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return Concat(micros / 1'000'000, fraction.empty() ? "" : ".", fraction);
}

void AddConfiguration(const State& state, std::string& page) {
  Family(page, "revision", "gauge", "The revision of the configuration.").Add("", state.model->revision);
  Family(page, "changes_total", "counter", "Revisions made since the start.").Add("", state.changes);
  Family resources(page, "resources", "gauge", "Resources of a kind.");
  std::map<std::string, uint64_t> counts;
  for (const auto& [key, resource] : state.model->configuration.resources())
    ++counts[key.kind];
  for (const auto& [kind, count] : counts)
    resources.Add(Label("kind", kind), count);
}

void AddChangeCalls(const State& state, std::string& page) {
  Family calls(page, "change_calls_total", "counter", "Changes that were asked for, by what became of them.");
  for (const auto& [outcome, count] : state.change_calls)
    calls.Add(Label("outcome", outcome), count);
  Family durations(page, "change_duration_seconds", "histogram", "How long a change took once it had its turn.");
  const Durations& took = state.change_durations;
  uint64_t all = 0;
  for (size_t i = 0; i < took.counts.size(); ++i) {
    all += took.counts[i];
    const bool last = i == took.bounds_micros.size();
    const std::string bound = last ? "+Inf" : Seconds(static_cast<uint64_t>(took.bounds_micros[i]));
    durations.Add(Label("le", bound), all, "_bucket");
  }
  durations.Add("", Seconds(took.sum_micros), "_sum").Add("", all, "_count");
}

void AddProxies(const State& state, std::string& page) {
  Family(page, "proxies", "gauge", "Proxies that are known, by state.")
      .Add(Label("state", "current"), state.proxies.current)
      .Add(Label("state", "behind"), state.proxies.behind)
      .Add(Label("state", "refusing"), state.proxies.refusing)
      .Add(Label("state", "gone"), state.proxies.gone);
}

void AddDiscovery(const xds::Counts& counts, std::string& page) {
  Family(page, "discovery_streams", "gauge", "Streams of proxies that are open.").Add("", counts.streams);
  Family(page, "discovery_streams_refused_total", "counter", "Streams that were not taken in, for want of a place.")
      .Add("", counts.refused);
  Family(page, "discovery_responses_total", "counter", "Responses sent to proxies.").Add("", counts.responses);
  Family(page, "discovery_response_bytes_total", "counter", "Bytes of those.").Add("", counts.response_bytes);
  Family(page, "discovery_pushes_total", "counter", "Revisions sent whole to a proxy, with their mark.")
      .Add("", counts.marks);
  Family answers(page, "discovery_answers_total", "counter", "What proxies said of responses, by kind of resource.");
  for (const auto& [kind, answer] : counts.answers) {
    answers.Add(Concat("{kind=\"", kind, "\",answer=\"ack\"}"), answer.taken);
    answers.Add(Concat("{kind=\"", kind, "\",answer=\"nack\"}"), answer.refused);
  }
}

}  // namespace

std::string Metrics(const State& state) {
  std::string page;
  if (state.model == nullptr) return page;
  AddConfiguration(state, page);
  AddChangeCalls(state, page);
  AddProxies(state, page);
  AddDiscovery(state.discovery, page);
  return page;
}

}  // namespace portico::admin
