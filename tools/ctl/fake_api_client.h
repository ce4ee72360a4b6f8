#ifndef PORTICO_TOOLS_CTL_FAKE_API_CLIENT_H_
#define PORTICO_TOOLS_CTL_FAKE_API_CLIENT_H_

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tools/ctl/api_client.h"

namespace portico::ctl {

// An ApiClient that answers what it was told (of a history: as many as are asked for) and notes what it was asked.
class FakeApiClient final : public ApiClient {
 public:
  struct Script {
    Answer<portico::v1::ApplyResponse> change;  // of Apply, Delete and Rollback
    Answer<portico::v1::GetResponse> get;
    Answer<portico::v1::ListResponse> list;
    Answer<portico::v1::HistoryResponse> history;
    Answer<portico::v1::ListProxiesResponse> proxies;
    std::vector<portico::v1::ListProxiesResponse> proxy_watch;
    absl::Status watch_end;
    std::set<std::string> hidden;  // gateways whose proxies the caller may not see
    // One Watch after the other: what it tells and how it ends. Further ones are kDataLoss.
    struct Watched {
      std::vector<portico::v1::WatchResponse> responses;
      absl::Status end;
    };
    std::vector<Watched> watches;
  };

  FakeApiClient(const Script& script, std::string& asked) : script_(script), asked_(asked) {}

  Answer<portico::v1::ApplyResponse> Apply(const std::vector<portico::v1::ApplyRequest>& requests) override {
    for (const auto& request : requests)
      Note("Apply", request);
    return script_.change;
  }
  Answer<portico::v1::ApplyResponse> Delete(const portico::v1::DeleteRequest& request) override {
    Note("Delete", request);
    return script_.change;
  }
  Answer<portico::v1::ApplyResponse> Rollback(const portico::v1::RollbackRequest& request) override {
    Note("Rollback", request);
    return script_.change;
  }
  Answer<portico::v1::GetResponse> Get(const portico::v1::GetRequest& request) override {
    Note("Get", request);
    return script_.get;
  }
  Answer<portico::v1::ListResponse> List(const portico::v1::ListRequest& request) override {
    Note("List", request);
    return script_.list;
  }
  Answer<portico::v1::HistoryResponse> History(const portico::v1::HistoryRequest& request) override {
    Note("History", request);
    Answer<portico::v1::HistoryResponse> answer = script_.history;
    answer.response.clear_revisions();
    for (const auto& record : script_.history.response.revisions()) {
      if (request.before() != 0 && record.revision() >= request.before()) continue;
      if (answer.response.revisions_size() < static_cast<int>(request.limit()))
        *answer.response.add_revisions() = record;
    }
    return answer;
  }
  Answer<portico::v1::ListProxiesResponse> ListProxies(const portico::v1::ListProxiesRequest& request) override {
    Note("ListProxies", request);
    if (AsksForHidden(request)) return {absl::PermissionDeniedError("needs the role Viewer")};
    return script_.proxies;
  }
  absl::Status WatchProxies(const portico::v1::ListProxiesRequest& request,
                            const std::function<bool(const portico::v1::ListProxiesResponse&)>& next) override {
    Note("WatchProxies", request);
    if (AsksForHidden(request)) return absl::PermissionDeniedError("needs the role Viewer");
    for (const auto& response : script_.proxy_watch) {
      if (!next(response)) return absl::OkStatus();
    }
    return script_.watch_end;
  }
  absl::Status Watch(const portico::v1::WatchRequest& request,
                     const std::function<bool(const portico::v1::WatchResponse&)>& next) override {
    Note("Watch", request);
    if (watched_ == script_.watches.size()) return absl::DataLossError("the script is over");
    const Script::Watched& watch = script_.watches[watched_++];
    for (const auto& response : watch.responses) {
      if (!next(response)) return absl::OkStatus();
    }
    return watch.end;
  }

 private:
  bool AsksForHidden(const portico::v1::ListProxiesRequest& request) const {
    return std::ranges::any_of(request.gateways(),
                               [this](const std::string& gateway) { return script_.hidden.contains(gateway); });
  }

  void Note(const std::string& method, const google::protobuf::Message& request) {
    asked_ += method + "(" + request.ShortDebugString() + ")\n";
  }

  const Script& script_;
  std::string& asked_;
  size_t watched_ = 0;
};

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_FAKE_API_CLIENT_H_
