#ifndef PORTICO_TEST_SIMULATION_SCRIPT_H_
#define PORTICO_TEST_SIMULATION_SCRIPT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/random.h"
#include "dataplane/base/time.h"

namespace portico::simulation {

// The rules of the proxy under test, each under a path of its own ("/http1/<token>").
enum class Rule : uint8_t {
  kHttp1,        // forwards to cluster one: HTTP/1.1, and in some configurations HTTP/2
  kHttp2,        // to cluster two: HTTP/2
  kPair,         // to either, by weight
  kComposition,  // three steps, one of them for each item
  kWaiting,      // an asynchronous filter, then cluster one
  kDenied,       // a filter denies all
  kDirect,       // a direct response
  kDeadline,     // timeouts.request, then cluster two
  kRetried,      // tries again what cluster one has failed
  kLimited,      // a limit, then cluster two
  kCached,       // a cache, then cluster one; the path is that of a page, which exchanges share
};
inline constexpr int kRules = 11;
std::string_view RuleName(Rule rule);  // "http1"

// What the configuration says of kRetried and kLimited, and the origin of kCached.
inline constexpr int kRetryAttempts = 2;
inline constexpr size_t kReplayedBytesMax = 65536;
inline constexpr uint64_t kLimitBurst = 2;
inline constexpr base::Duration kLimitPeriod = std::chrono::seconds(1);  // of one request
inline constexpr int kPages = 2;
inline constexpr base::Duration kPageAge = std::chrono::seconds(1);  // max-age

// What kind of run a seed is.
struct Mood {
  bool calm = false;   // connections work and nobody misbehaves: every exchange has to end as its script says
  bool bulk = false;   // contents beyond every window and mark; pieces are then larger
  bool pages = false;  // much of kCached: there has to be something in a cache to be wrong
};

// All that will be done to one exchange, by everybody: chosen before it begins, and known to client, filter and origin
// by its token.
struct Script {
  // How a client takes its response. kDrip: some bytes a second, for longer than an idle connection is kept.
  enum class Pace : uint8_t { kEager, kSlow, kDrip };
  enum class Filter : uint8_t { kPass, kPassLater, kDeny, kDenyLater, kNever };

  std::string token;  // "tok" and 13 hexadecimal digits
  Rule rule = Rule::kHttp1;

  // The client.
  std::string_view method = "GET";
  size_t request_bytes = 0;
  bool request_length_known = true;
  bool request_trailers = false;
  bool expects_continue = false;
  Pace pace = Pace::kEager;
  std::optional<base::Duration> leaves_after;  // from its beginning
  std::optional<uint64_t> leaves_at_bytes;     // of the response's content
  base::Duration pause{};                      // before it begins

  // The filter of kWaiting.
  Filter filter = Filter::kPass;
  base::Duration filter_delay{};

  // The origin. In a composition: of every call.
  int status = 200;
  int informationals = 0;
  size_t response_bytes = 0;
  bool response_length_known = true;
  bool response_trailers = false;
  base::Duration answer_delay{};
  base::Duration piece_delay{};
  size_t piece_bytes = 4096;
  bool answers_early = false;  // without waiting for the request's end
  bool origin_reads_slowly = false;
  bool origin_leaves = false;  // takes no request after this one on the connection, as the protocol has it
  bool never_answers = false;
  bool cut = false;  // the response is broken off in the middle
  int items = 0;     // of a composition

  // The origin of kRetried fails so many attempts before it answers: by a status, or by a reset.
  int failures = 0;
  bool failure_resets = false;

  // Of kCached: what is asked for. Its origin lets a 200 to GET be stored, and any 2xx to DELETE makes it invalid.
  int page = 0;

  bool denied() const;
  // Not even a calm run promises that it ends as it should: its outcome is a race.
  bool uncertain() const;
  // The rule's retry may send it again, whatever the origin has seen of it.
  bool replayable() const { return method != "POST" && request_bytes <= kReplayedBytesMax; }
  bool leaves() const { return leaves_after || leaves_at_bytes; }
  bool to_head() const { return method == "HEAD"; }
  std::string path() const;  // with query
};

Script RandomScript(base::Random& random, const Mood& mood);

// The content of a message is a text that names its exchange in every line, so that no byte of it can be mistaken for
// another's. `side` is 'q' for requests, 'a' for answers.
std::string ContentPiece(std::string_view token, char side, uint64_t offset, size_t size);
bool IsContent(std::string_view token, char side, uint64_t offset, std::string_view bytes);

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_SCRIPT_H_
