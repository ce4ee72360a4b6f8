#ifndef PORTICO_TEST_SIMULATION_CLIENT_EXCHANGE_H_
#define PORTICO_TEST_SIMULATION_CLIENT_EXCHANGE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "test/simulation/judge.h"

namespace portico::simulation {

using FieldList = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// One request with its response as the client sees it, whatever the protocol, and the checks of what it sees.
//
//   Informational* → Head → Content* → Trailers? → End
//   or, at any point, Cut (the connection or the stream ended) or Leave (the client goes)
class ClientExchange : private event::Timer::Handler {
 public:
  class Owner {
   public:
    // The client goes now: end the stream or the connection, and call Leave. At the end of a turn, from the loop.
    virtual void OnLeaving(ClientExchange& exchange) = 0;

   protected:
    ~Owner() = default;
  };

  // All outlive it.
  ClientExchange(event::Loop& loop, Judge& judge, const Script& script, Owner& owner);
  ~ClientExchange() override;

  const Script& script() const { return script_; }
  bool has_head() const { return status_ != 0; }
  bool over() const { return over_; }
  // It has waited in vain, and does not leave as its script says.
  bool impatient() const { return !leaving_; }

  void Informational(int status);
  void Head(int status, FieldList fields);
  void Content(std::string_view bytes);
  void Trailers(const FieldList& trailers);
  void End();
  // `excused`: whoever ended it was allowed to, in a calm run too.
  void Cut(bool excused);
  void Leave();

 private:
  // Longer than any deadline of the proxy: a client that waits so long waits for nothing.
  static constexpr base::Duration kPatience = std::chrono::seconds(500);
  static constexpr size_t kLocalBytesMax = 64 * 1024;

  void OnTimer(event::Timer& timer) override;
  void Finish(std::string_view how);
  void Violation(std::string_view what) { judge_.Violation(script_.token, what); }
  std::string_view Field(std::string_view name) const;
  void CheckRevision();
  void CheckStatus();
  void CheckOriginAnswer();
  void CheckComposition();
  bool IsExpected(int status) const;
  bool IsExpectedOfRetry(int status) const;
  bool CrossedByGoaway() const;

  event::Loop& loop_;
  Judge& judge_;
  const Script& script_;
  const Script* answered_;  // whose answer it gets: its own, or with a cache another's
  Owner& owner_;
  event::Timer timer_;
  int status_ = 0;
  FieldList fields_;
  bool from_origin_ = false;
  bool trailers_ = false;
  bool leaving_ = false;
  bool over_ = false;
  int informationals_ = 0;
  uint64_t received_bytes_ = 0;
  std::string local_;  // content that is no origin's
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_CLIENT_EXCHANGE_H_
