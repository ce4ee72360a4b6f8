#ifndef PORTICO_DATAPLANE_TAKEOVER_OFFER_H_
#define PORTICO_DATAPLANE_TAKEOVER_OFFER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/time.h"
#include "dataplane/event/fd_event.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/address.h"
#include "dataplane/net/listening_socket.h"
#include "dataplane/takeover/channel.h"

namespace portico::takeover {

// The incumbent's end: this process's listening sockets, to be had at a path by the next process of the same user.
//
//   auto offer = Offer::Create(loop, path, handler);   // bound, beside the path: nobody sees it yet
//   offer->Open();                                     // now; whatever was at the path is replaced
//   → OnAsked(pid)      offer->Give(sockets), or Refuse(why); at once or later
//   → OnServing(…)      the successor accepts: let go of these addresses, drain, end
//   → OnStays(why)      or it is gone, or was too slow: go on as if nothing had been
//
//   kNobody ──connects──▶ kAsking ──kAsk──▶ kAsked ──Give──▶ kGiven ──kReady──▶ kPromised ──kServing──▶ kServed
//   back to kNobody: kAsking after Times::ask, kAsked by Refuse, kGiven after Times::serve; each of them and kPromised
//                    when the successor is gone or says something else
//
// Between kAsked and the end of it the sockets must stay as they are. From kPromised on no time counts: both may
// accept, and only the successor knows. One successor at a time; others are refused, all of them after kServed.
class Offer : private event::FdEvent::Handler, private event::Timer::Handler {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // None of them may destroy the offer.
    virtual void OnAsked(pid_t successor) = 0;
    virtual void OnServing(pid_t successor, const std::set<net::Address>& addresses) = 0;
    // `why` is for a log: "process 71 is gone before it served". Not before OnAsked.
    virtual void OnStays(const std::string& why) = 0;
    // Somebody was refused before it could ask, for a log.
    virtual void OnTurnedAway(const std::string& why) = 0;
  };

  struct Times {
    base::Duration ask = std::chrono::seconds(5);     // from the connection to the question
    base::Duration serve = std::chrono::seconds(60);  // from the sockets to a configuration in force
  };

  // Loop and handler outlive it. The path has at most kPathBytesMax bytes. Errors name it.
  static absl::StatusOr<std::unique_ptr<Offer>> Create(event::LibeventLoop& loop, const std::string& path,
                                                       Handler& handler, const Times& times);
  // The path goes with it, if it is still this one's.
  ~Offer() override;

  // Nothing is done to it by those who connect before.
  absl::Status Open();

  // Without a question that waits they do nothing: whoever asked is gone. Too many sockets are a refusal.
  void Give(const std::vector<net::ListeningSocket>& sockets);
  void Refuse(std::string_view why);

 private:
  enum class State : uint8_t { kNobody, kAsking, kAsked, kGiven, kPromised, kServed };

  Offer(event::LibeventLoop& loop, const std::string& path, base::FileDescriptor fd, Handler& handler,
        const Times& times);
  void OnFdEvent(event::FdReadiness ready) override;
  void OnTimer(event::Timer& timer) override;
  void Meet(Channel channel);
  void TurnAway(Channel& channel, std::string_view why);
  void Hear();
  void Judge(const Message& message);
  absl::Status SendSockets(const std::vector<net::ListeningSocket>& sockets);
  void Part(std::string_view why);
  void Forget();

  // Two sockets are watched: the path's, and the successor's.
  struct Ear : event::FdEvent::Handler {
    explicit Ear(Offer& whose) : offer(whose) {}
    void OnFdEvent(event::FdReadiness) override { offer.Hear(); }
    Offer& offer;
  };

  event::LibeventLoop& loop_;
  const std::string path_;
  std::string bound_;  // where the socket is now: beside the path, or there
  uint64_t inode_ = 0;
  Handler& handler_;
  const Times times_;
  base::FileDescriptor fd_;
  event::FdEvent event_;
  std::optional<Channel> channel_;  // to the successor
  pid_t successor_ = 0;
  Ear ear_{*this};
  event::FdEvent ear_event_;
  event::Timer timer_;
  State state_ = State::kNobody;
};

}  // namespace portico::takeover

#endif  // PORTICO_DATAPLANE_TAKEOVER_OFFER_H_
