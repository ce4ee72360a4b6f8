#include "test/simulation/script.h"

#include <algorithm>
#include <array>

#include "api/base/text.h"

namespace portico::simulation {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, kRules> kRuleNames = {
    "http1", "http2", "pair", "composition", "waiting", "denied", "direct", "deadline", "retried", "limited", "cached"};

bool OneIn(base::Random& random, uint64_t count) {
  return random.Below(count) == 0;
}

base::Duration UpTo(base::Random& random, base::Duration longest) {
  return base::Duration(random.Below(static_cast<uint64_t>(longest.count()) + 1));
}

// Sizes around the borders of windows, marks and blocks matter more than others.
size_t RandomSize(base::Random& random, const Mood& mood) {
  if (OneIn(random, 6)) return 0;
  if (!mood.bulk || OneIn(random, 2)) return random.Below(size_t{1} << random.Below(12));
  constexpr std::array<size_t, 4> kBorders = {16 * 1024, 64 * 1024, 256 * 1024, 640 * 1024};
  return kBorders[random.Below(kBorders.size())] + random.Below(3000) - 1500;
}

void ChooseClient(base::Random& random, const Mood& mood, Script& script) {
  constexpr std::array<std::string_view, 6> kMethods = {"GET", "GET", "POST", "POST", "PUT", "HEAD"};
  script.method = kMethods[random.Below(kMethods.size())];
  if (script.rule == Rule::kComposition) script.method = "GET";
  if (script.method == "POST" || script.method == "PUT") {
    script.request_bytes = RandomSize(random, mood);
    script.request_length_known = OneIn(random, 2);
    script.request_trailers = !script.request_length_known && OneIn(random, 3);
    script.expects_continue = script.request_bytes > 0 && OneIn(random, 5);
  }
  if (OneIn(random, 4)) script.pace = Script::Pace::kSlow;
  script.pause = OneIn(random, 3) ? UpTo(random, milliseconds(300)) : UpTo(random, milliseconds(2));
  if (OneIn(random, 6)) script.leaves_after = UpTo(random, milliseconds(OneIn(random, 2) ? 400 : 10));
  if (OneIn(random, 12)) script.leaves_at_bytes = 1 + random.Below(size_t{1} << random.Below(18));
}

void ChooseOrigin(base::Random& random, const Mood& mood, Script& script) {
  constexpr std::array<int, 6> kStatuses = {200, 200, 201, 404, 503, 204};
  script.status = kStatuses[random.Below(kStatuses.size())];
  script.informationals = OneIn(random, 4) ? 1 + static_cast<int>(random.Below(3)) : 0;
  script.response_bytes = script.status == 204 ? 0 : RandomSize(random, mood);
  script.response_length_known = OneIn(random, 2);
  script.response_trailers = script.status != 204 && !script.response_length_known && OneIn(random, 3);
  script.answer_delay = OneIn(random, 2) ? UpTo(random, milliseconds(400)) : microseconds(0);
  script.piece_bytes = 1 + random.Below(mood.bulk ? 40'000 : 600);
  if (script.response_bytes < script.piece_bytes * 20 && OneIn(random, 3))
    script.piece_delay = UpTo(random, milliseconds(20));
  script.answers_early = OneIn(random, 4);
  script.origin_reads_slowly = OneIn(random, 4);
  script.origin_leaves = OneIn(random, 10);
  if (mood.calm) return;
  script.never_answers = OneIn(random, 25);
  script.cut = script.response_bytes > 1 && OneIn(random, 15);
}

void ChoosePage(base::Random& random, Script& script) {
  constexpr std::array<std::string_view, 6> kMethods = {"GET", "GET", "GET", "GET", "HEAD", "DELETE"};
  script.method = kMethods[random.Below(kMethods.size())];
  script.request_bytes = 0;
  script.request_length_known = true;
  script.request_trailers = script.expects_continue = false;
  script.page = static_cast<int>(random.Below(kPages));
  if (!OneIn(random, 4)) script.status = 200;
}

}  // namespace

std::string_view RuleName(Rule rule) {
  return kRuleNames[static_cast<size_t>(rule)];
}

bool Script::denied() const {
  return rule == Rule::kDenied || (rule == Rule::kWaiting && filter != Filter::kPass && filter != Filter::kPassLater);
}

// An early answer to a long upload in HTTP/1.1 can be lost to the reset that follows it (RFC 9112 section 9.6).
bool Script::uncertain() const {
  return leaves() || never_answers || cut || rule == Rule::kDeadline || (answers_early && request_bytes > 16 * 1024);
}

std::string Script::path() const {
  if (rule == Rule::kCached) return base::Concat("/cached/page", page);
  const std::string path = base::Concat("/", RuleName(rule), "/", token);
  return rule == Rule::kComposition ? base::Concat(path, "?token=", token) : path;
}

Script RandomScript(base::Random& random, const Mood& mood) {
  Script script;
  script.token = "tok0000000000000";
  random.FillHex(script.token.data() + 3, script.token.size() - 3);
  script.rule = static_cast<Rule>(random.Below(kRules));
  if (mood.bulk && OneIn(random, 2)) script.rule = static_cast<Rule>(random.Below(3));
  if (mood.pages && !OneIn(random, 4)) script.rule = Rule::kCached;
  ChooseClient(random, mood, script);
  ChooseOrigin(random, mood, script);
  script.filter = static_cast<Script::Filter>(random.Below(5));
  script.filter_delay = UpTo(random, milliseconds(OneIn(random, 2) ? 300 : 3));
  if (script.rule == Rule::kDeadline) {  // close to the deadline, on both sides of it
    script.answer_delay = UpTo(random, milliseconds(250));
    if (OneIn(random, 2)) script.piece_delay = UpTo(random, milliseconds(20));
  }
  if (script.rule == Rule::kHttp1 && script.method == "GET" && OneIn(random, 3)) {
    script.pace = Script::Pace::kDrip;
    script.status = 200;
    script.response_bytes = 40'000 + random.Below(30'000);
    script.piece_bytes = 20'000;
    script.response_length_known = true;  // chunks of a byte would multiply what there is to read
    script.response_trailers = false;
    script.leaves_at_bytes.reset();
  }
  if (script.rule == Rule::kRetried) {
    if (script.status == 503) script.status = 404;  // that one is tried again
    script.failures = static_cast<int>(random.Below(kRetryAttempts + 2));
    script.failure_resets = OneIn(random, 2);
    if (script.failures > 0) script.answers_early = script.origin_leaves = false;
  }
  if (script.rule == Rule::kCached) ChoosePage(random, script);
  if (script.rule == Rule::kComposition) {
    script.items = static_cast<int>(random.Below(6));
    script.status = 200;
    script.cut = false;
    script.never_answers = script.never_answers && OneIn(random, 4);
  }
  return script;
}

std::string ContentPiece(std::string_view token, char side, uint64_t offset, size_t size) {
  const std::string line = base::Concat(side, token, "\n");
  std::string piece = line.substr(offset % line.size());
  while (piece.size() < size)
    piece += line;
  piece.resize(size);
  return piece;
}

bool IsContent(std::string_view token, char side, uint64_t offset, std::string_view bytes) {
  return ContentPiece(token, side, offset, bytes.size()) == bytes;
}

}  // namespace portico::simulation
