#ifndef PORTICO_CONTROLPLANE_XDS_FEED_H_
#define PORTICO_CONTROLPLANE_XDS_FEED_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/check/configuration.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/wire/node.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/model/model.h"
#include "controlplane/reach/reaches.h"
#include "controlplane/xds/admission.h"
#include "controlplane/xds/session.h"

namespace portico::xds {

// The I/O of one stream, as the feed sees it. Nothing is called after Finish.
class Outlet {
 public:
  virtual ~Outlet() = default;
  // One at a time: the next comes after Feed::OnWritten.
  virtual void Write(Session::Response response) = 0;
  // The last request was taken; another may be read.
  virtual void Read() = 0;
  virtual void Finish(const absl::Status& status) = 0;
};

// All streams: what each is owed is computed and written here. One thread; FeedThread is the way in from others.
//
//   feed.Open(id, outlet, peer); feed.OnRequest(id, request); feed.OnWritten(id); feed.OnStep(after, changes);
//   feed.OnClosed(id);
//
// Calls for a stream that has been finished are nothing: what was under way when it ended may still arrive.
class Feed {
 public:
  using Request = envoy::service::discovery::v3::DeltaDiscoveryRequest;

  // `made`: when the model's revision was, in microseconds since 1970. The fleet outlives the feed.
  Feed(const model::Model& model, int64_t made, fleet::Fleet& fleet);

  void Open(uint64_t id, std::shared_ptr<Outlet> outlet, Peer peer);
  // The first of a stream says who asks for which gateway. What is wrong with it ends the stream.
  void OnRequest(uint64_t id, const Request& request);
  void OnWritten(uint64_t id);
  void OnClosed(uint64_t id);

  // In order; several steps may come as one, with the keys of all.
  void OnStep(const model::Model& after, const std::vector<model::ResourceChange>& changes);

  // The fleet's clock.
  int64_t Now() const { return fleet_.Now(); }
  // To be called at a steady pace. A stream whose write is under way for kStalledTicks of them is finished: its client
  // does not read.
  void Tick();
  static constexpr int kStalledTicks = 6;

  // Finishes every stream: their clients try another control plane, or this one again.
  void End();

 private:
  struct Stream {
    std::shared_ptr<Outlet> outlet;
    Peer peer;
    check::ResourceKey gateway = {};
    std::unique_ptr<Session> session = nullptr;  // from the first request on
    uint64_t member = 0;                         // of the fleet
    bool writing = false;
    int ticks = 0;  // since that began
  };

  absl::Status Introduce(uint64_t id, Stream& stream, const Request& request);
  void WriteNext(Stream& stream);
  void Drop(uint64_t id);

  fleet::Fleet& fleet_;
  const std::string epoch_;
  reach::Reaches reaches_;
  std::map<uint64_t, Stream> streams_;
  std::map<check::ResourceKey, std::set<uint64_t>> streams_of_;  // of each gateway
};

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_FEED_H_
