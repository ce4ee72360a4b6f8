#include "dataplane/downstream/exchange.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/cache/cached_backend.h"
#include "dataplane/downstream/composition_input.h"
#include "dataplane/downstream/forwarding.h"
#include "dataplane/downstream/local_answer.h"
#include "dataplane/downstream/max_forwards.h"
#include "dataplane/downstream/server_timing.h"
#include "dataplane/http/date.h"
#include "dataplane/route/preflight.h"
#include "dataplane/route/rewrite.h"

namespace portico::downstream {
namespace {

constexpr std::string_view kTooLong = "the content is longer than this gateway takes";
constexpr std::string_view kTooLate = "the content did not come in time";

std::string_view ProtocolText(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "HTTP/1.0";
    case http::Version::kHttp11:
      return "HTTP/1.1";
    case http::Version::kHttp2:
      return "HTTP/2";
  }
  return "";
}

}  // namespace

Exchange::Exchange(Connection& connection, http::StreamId id, const Site& site)
    : connection_(connection),
      id_(id),
      site_(site),
      host_(site.host),
      client_(site.port->client),
      relay_(connection, id, *this),
      timer_(host_.loop().timers(), *this),
      last_progress_(host_.loop().Now()),
      begun_(last_progress_) {
  record_.start = host_.loop().WallNow();
}

Exchange::~Exchange() = default;

void Exchange::OnRequest(http::RequestHead head) {
  client_ = site_.port->client;  // the newest, as is the table that Route asks
  request_.emplace(std::move(head));
  SetTimer();
  Drive();
}

void Exchange::Drive() {
  driving_ = true;
  for (bool goes_on = true; goes_on;) {
    switch (step_) {
      case Step::kReadHead:
        step_ = ReadHead();
        break;
      case Step::kRoute:
        step_ = Route();
        break;
      case Step::kAdmit:
        step_ = Admit();
        break;
      case Step::kChoose:
        step_ = Choose();
        break;
      case Step::kAdmitting:
      case Step::kRespond:
      case Step::kOver:
        goes_on = false;
        break;
    }
  }
  driving_ = false;
}

// Everything that later steps look at is in its final spelling after this one.
Exchange::Step Exchange::ReadHead() {
  http::RequestHead& head = *request_;
  const net::Address& peer = connection_.stream().peer();
  client_address_ = ClientAddress(peer, head.fields, client().forwarding);
  client_text_ = client_address_.ip();
  is_timed_ = TakeTimingRequest(head.fields, client_address_, client().forwarding.timing_networks);
  record_.client = client_text_;
  record_.protocol = ProtocolText(head.version);
  record_.tls = connection_.stream().tls().version;
  record_.method = head.method;
  record_.scheme = head.scheme;
  record_.authority = head.authority;
  record_.target = head.path;
  record_.secret_parameters = client().secret_parameters;
  AddForwarding(head, peer, !record_.tls.empty(), client().forwarding, host_.random());
  record_.request_id = head.fields.Find(http::FieldId::kXRequestId).value_or("");
  trace_ = JoinTrace(head.fields, client().forwarding.begin_trace, host_.random());
  record_.trace_id = trace_.id;
  record_.span_id = trace_.span_id;
  record_.parent_span = trace_.parent_span;

  target_ = route::SplitTarget(head.path);
  if (route::NeedsNormalising(target_.path)) {
    route::NormalisedPath normal = route::NormalisePath(target_.path);
    if (!normal.status.ok()) return Answer(AnswerFor(http::MessageError{400, base::ToStd(normal.status.message())}));
    target_.path = arena_.Copy(normal.path);
  }
  return Step::kRoute;
}

Exchange::Step Exchange::Route() {
  const http::RequestHead& head = *request_;
  const route::RouteTable& routes = *site_.port->routes;
  const std::string_view host = route::HostOf(head.authority);
  const std::string_view server_name = connection_.stream().tls().server_name;
  if (!server_name.empty() && routes.FindListener(host) != routes.FindListener(server_name)) {
    return Answer(AnswerForMisdirected());
  }
  const route::RequestView view = {head.method, host, target_.path, target_.query, head.fields};
  const route::RuleMatch* match = routes.Match(view);
  // "*" has no rule, but it has a host.
  const bool is_known = match != nullptr || (target_.path == "*" && routes.FindListener(host) != nullptr);
  if (is_known && MeansThisProxy(head)) {
    return Answer(head.method == "OPTIONS" ? AnswerForOptions() : AnswerForTrace());
  }
  if (head.method == "OPTIONS") return RouteOptions(view, match);
  return Take(match, view);
}

// A CORS preflight is for the rule that it asks about.
Exchange::Step Exchange::RouteOptions(route::RequestView view, const route::RuleMatch* match) {
  const auto answers = [](const route::RuleMatch& of) { return snapshot::BoundRuleOf(of)->chain.answers_preflights(); };
  const route::AskedRule asked = route::FindAsked(*site_.port->routes, view, match, answers);
  if (asked.refused)
    return Answer({.status = 204, .fields = {}, .content = "", .reason = "a preflight of a rule without CORS"});
  view.method = asked.method;
  return Take(asked.match, view);
}

Exchange::Step Exchange::Take(const route::RuleMatch* match, const route::RequestView& view) {
  if (match == nullptr) return Answer(AnswerForNoRoute());
  if (IsWayAround(*match, view)) {
    return Answer(AnswerFor(http::MessageError{400, "the path could be read as one that another rule guards"}));
  }
  Bind(*match);
  return Step::kAdmit;
}

// To a rule with other guards, by another reading of the path. Rules with the same policies share their filters'
// configurations (filters/filters.h).
bool Exchange::IsWayAround(const route::RuleMatch& match, const route::RequestView& view) const {
  const auto guards = [](const route::RuleMatch& of) {
    auto configs = snapshot::BoundRuleOf(of)->chain.configs();
    std::erase_if(configs, [](const auto& config) { return !config->guards(); });
    return configs;
  };
  const std::vector<const route::RuleMatch*> others = site_.port->routes->OtherMatches(match, view);
  return std::any_of(others.begin(), others.end(),
                     [&](const route::RuleMatch* other) { return guards(*other) != guards(match); });
}

void Exchange::Bind(const route::RuleMatch& match) {
  rule_ = snapshot::BoundRuleOf(match);
  prefix_bytes_ = match.prefix_bytes();
  record_.route = rule_->route;
  record_.rule = rule_->name;
  DecrementMaxForwards(*request_);
  if (!rule_->request_timeout) return;
  const base::MonotonicTime end = begun_ + *rule_->request_timeout;
  deadline_ = deadline_ ? std::min(*deadline_, end) : end;
  SetTimer();
}

Exchange::Step Exchange::Admit() {
  // The smaller holds.
  content_bytes_max_ = std::min(client().request_content_bytes_max.value_or(UINT64_MAX),
                                rule_->request_content_bytes_max.value_or(UINT64_MAX));
  if (request_->framing.length.value_or(0) > content_bytes_max_) {
    return Answer(AnswerFor(http::MessageError{413, kTooLong}));
  }
  if (rule_->chain.empty()) return Step::kChoose;
  filter::Runner::Delegate& delegate = *this;
  runner_.emplace(rule_->chain, host_.slots(),
                  filter::FilterContext{*request_, route::HostOf(request_->authority), target_.path, identity_,
                                        host_.loop().WallNow(), host_.loop().Now(), client_address_},
                  delegate);
  step_ = Step::kAdmitting;
  filters_begun_ = host_.loop().Now();
  runner_->Start();
  return step_;
}

void Exchange::OnFiltersPassed() {
  filters_time_ = host_.loop().Now() - filters_begun_;
  TakeEditedQuery();
  step_ = Step::kChoose;
  if (!driving_) Drive();
}

// Filters may take parameters off the query (filter.h). What was sent stays what the log shows.
void Exchange::TakeEditedQuery() {
  if (request_->path.data() == record_.target.data()) return;
  const route::Target edited = route::SplitTarget(request_->path);
  target_.query = edited.query;
  target_.has_query = edited.has_query;
  if (edited.path == target_.path) target_.path = edited.path;  // the beginning of what goes to the origin
}

void Exchange::OnFiltersReply(filter::Reply reply) {
  if (step_ == Step::kAdmitting) filters_time_ = host_.loop().Now() - filters_begun_;
  step_ = Answer(WithProxyStatus(std::move(reply)));
}

Exchange::Step Exchange::Choose() {
  const route::Rule& rule = *rule_;
  if (rule.redirect) return Redirect();
  if (rule.direct_response) {
    const route::DirectResponse& direct = *rule.direct_response;
    return Answer({direct.status, direct.fields, direct.content, ""});
  }
  const route::Backend* picked = route::PickBackend(rule, host_.random().Next());
  if (picked == nullptr) return Answer(AnswerForNoBackend());
  const snapshot::BoundBackend& backend = *rule_->bound_backends[static_cast<size_t>(picked - rule.backends.data())];
  if (!backend.fault.empty()) {
    filter::Reply reply = AnswerForNoBackend();
    reply.reason = backend.fault;
    return Answer(std::move(reply));
  }
  if (backend.plan == nullptr) return Forward(backend);
  record_.composition = arena_.Copy(base::Concat(picked->name_space, "/", picked->name));
  return Compose(backend);
}

Exchange::Step Exchange::Redirect() {
  const route::Redirect& redirect = *rule_->redirect;
  filter::Reply reply;
  reply.status = redirect.status;
  reply.fields.emplace_back("location", route::Location(redirect, {request_->scheme, request_->authority, target_,
                                                                   prefix_bytes_, rule_->listener_port}));
  return Answer(std::move(reply));
}

std::shared_ptr<call::Backend> Exchange::KeepBackend(const std::string& cluster) {
  std::shared_ptr<call::Backend> backend = host_.FindBackend(cluster);
  if (backend != nullptr) backends_.push_back(backend);
  return backend;
}

Exchange::Step Exchange::Forward(const snapshot::BoundBackend& backend) {
  const std::shared_ptr<call::Backend> origin = KeepBackend(backend.cluster);
  if (origin == nullptr) return Answer(AnswerForNoBackend());
  record_.cluster = origin->name();
  // The client's expectation is met here: what it sends from now on is read as fast as the origin takes it.
  if (std::exchange(request_->expects_continue, false)) {
    http::ResponseHead go_on(arena_);
    go_on.status = 100;
    connection_.SendResponse(id_, go_on, false);
  }
  std::optional<cache::CachedBackend> cached;
  if (rule_->cache != nullptr) {
    const std::string_view scheme = record_.tls.empty() ? "http" : "https";
    const cache::TargetUri uri{scheme, request_->authority, target_.path, target_.query, target_.has_query};
    cached.emplace(host_.cache(), rule_->cache, uri, request_->fields, origin);
  }
  PrepareForOrigin();
  if (runner_ && relay_.trailers()) runner_->RunRequestTrailers(*relay_.trailers());
  call::CallRequest request;
  request.head = &*request_;
  request.end = request_->framing.ends_with_head;
  request.arena = &arena_;
  request.attempt_timeout = rule_->backend_request_timeout;
  request.span = trace_.place();
  if (rule_->retry != nullptr) request.retry = {rule_->retry, &host_.random(), &host_.replay_budget(), deadline_};
  relay_.Start(cached ? *cached : *origin, request);
  if (HasPace()) {
    pace_.emplace(client().limits, host_.loop().Now(), connection_.content_bytes());
    SetTimer();
  }
  return Step::kRespond;
}

void Exchange::PrepareForOrigin() {
  http::RequestHead& head = *request_;
  std::string rewritten;
  std::string_view path = target_.path;
  if (const auto& rewrite = rule_->rewrite) {
    if (!rewrite->hostname.empty()) head.authority = rewrite->hostname;
    if (rewrite->path) path = rewritten = route::RewritePath(*rewrite->path, target_.path, prefix_bytes_);
  }
  // Still the beginning of what was sent: neither normalising nor rewriting changed it.
  const bool as_sent = path.data() == head.path.data();
  if (!as_sent) head.path = arena_.Copy(target_.has_query ? base::Concat(path, "?", target_.query) : std::string(path));
  rule_->request_edits.Apply(head.fields);
}

Exchange::Step Exchange::Compose(const snapshot::BoundBackend& backend) {
  for (const std::string& cluster : backend.plan_clusters) {
    const std::shared_ptr<call::Backend> origin = KeepBackend(cluster);
    if (origin == nullptr) return Answer(AnswerForNoBackend());
    plan_backends_.push_back(origin.get());
  }
  compose::CompositionInput input;
  input.backends = plan_backends_;
  input.request = RequestVariable(*request_, target_, arena_);
  input.identity = IdentityVariable(identity_, arena_);
  input.tracing = TracingFields(request_->fields);
  input.budget = &host_.composition_budget();
  input.loop = &host_.loop();
  if (!trace_.id.empty()) input.spans = &trace_.spans;
  relay_.Cancel();  // the client's content is nobody's
  compose::CompositionHandler& handler = *this;
  composition_ = std::make_unique<compose::Composition>(backend.plan, std::move(input), handler);
  step_ = Step::kRespond;
  composition_->Start();
  return step_;
}

void Exchange::OnAnswer(compose::Answer answer) {
  step_ = Answer({answer.status, std::move(answer.fields), std::move(answer.content), ""});
}

void Exchange::OnFailure(compose::Failure failure) {
  filter::Reply reply = AnswerForComposition(failure.status, failure.step, failure.reason);
  if (!failure.item.empty()) base::AppendTo(reply.reason, base::Concat(", item ", failure.item));
  if (!failure.detail.empty()) base::AppendTo(reply.reason, base::Concat(": ", failure.detail));
  step_ = Answer(std::move(reply));
}

void Exchange::FinishHead(http::ResponseHead& head) {
  if (rule_ != nullptr) rule_->response_edits.Apply(head.fields);
  if (runner_) runner_->RunResponseHead(head);
  if (!head.fields.Has(http::FieldId::kDate)) {
    head.fields.AddUnowned(http::FieldId::kDate, http::FormatDate(host_.loop().WallNow(), arena_));
  }
  record_.status = head.status;
  if (!is_timed_) return;
  const std::string timing = ServerTiming({filters_time_, relay_.facts(), record_.steps});
  if (timing.empty()) return;
  head.fields.Add("server-timing", timing);
  head.fields.Add(http::FieldId::kCacheControl, "no-store");  // adds to what the origin says (RFC 9111 section 5.2)
}

Exchange::Step Exchange::Answer(filter::Reply reply) {
  TakeCallFacts();
  TakeSteps();
  relay_.Cancel();
  composition_.reset();
  reason_ = std::move(reply.reason);
  record_.error = reply.error;
  http::ResponseHead head(arena_);
  head.status = reply.status;
  for (const auto& [name, value] : reply.fields)
    head.fields.Add(name, value);
  head.fields.Add(http::FieldId::kServer, "portico");
  if (!http::NeverHasContent(reply.status)) {
    head.framing.length = reply.content.size();
    head.fields.Set(http::FieldId::kContentLength, base::Concat(reply.content.size()));
  }
  FinishHead(head);
  const bool to_head = request_ && request_->method == "HEAD";
  const bool ends = to_head || reply.content.empty() || http::NeverHasContent(reply.status);
  answer_bytes_ = ends ? 0 : reply.content.size();
  connection_.SendResponse(id_, head, ends);
  if (!ends) {
    base::Buffer content;
    content.Append(std::string_view(reply.content));
    connection_.SendContent(id_, content, true);
  }
  Finish(false);
  return Step::kOver;
}

void Exchange::OnBadRequest(http::MessageError error) {
  if (step_ == Step::kOver) return;
  if (relay_.response_begun()) return Abort(http::ResetReason::kProtocol);
  step_ = Answer(AnswerFor(error));
}

void Exchange::OnContent(base::Slice content) {
  if (step_ != Step::kOver && relay_.received_bytes() + content.size() > content_bytes_max_) {
    if (relay_.response_begun()) return Abort(http::ResetReason::kCancelled);
    step_ = Answer(AnswerFor(http::MessageError{413, kTooLong}));
  }
  relay_.TakeContent(std::move(content));
}

void Exchange::OnTrailers(http::Fields trailers) {
  // Those that come while a filter waits are shown in Forward.
  if (runner_ && step_ == Step::kRespond) runner_->RunRequestTrailers(trailers);
  relay_.TakeTrailers(std::move(trailers));
}

void Exchange::OnRequestEnd() {
  relay_.TakeEnd();
}

void Exchange::OnProgress() {
  last_progress_ = host_.loop().Now();
}

void Exchange::OnOriginHead(http::ResponseHead& head) {
  OnProgress();
  FinishHead(head);
}

void Exchange::OnResponseEnd() {
  step_ = Step::kOver;
  Finish(false);
}

void Exchange::OnOriginError(const call::Error& error) {
  record_.error = call::ErrorName(error.kind);
  reason_ = error.detail;
  if (relay_.response_begun()) return Abort(http::ResetReason::kInternal);
  if (error.fault == call::Fault::kCaller && ClientDawdles()) {
    step_ = Answer(AnswerFor(http::MessageError{408, kTooLate}));
    return;
  }
  step_ = Answer(AnswerFor(error));
}

void Exchange::OnReset(http::ResetReason) {
  if (step_ == Step::kOver) return;
  step_ = Step::kOver;
  Finish(true);
}

// The response can't be made whole any more, and the client must see that.
void Exchange::Abort(http::ResetReason reason) {
  step_ = Step::kOver;
  Finish(true);
  connection_.Reset(id_, reason);
}

void Exchange::SetTimer() {
  if (!deadline_ && client().stream_duration_max) deadline_ = begun_ + *client().stream_duration_max;
  // Looked at twice in that time, so that who reads slowly is seen to read.
  const base::Duration idle = client().stream_idle_timeout;
  base::MonotonicTime look = std::min(last_progress_ + idle, host_.loop().Now() + idle / 2);
  if (pace_) look = std::min(look, pace_->window_end());
  // Its window begins in Forward, mostly at once: a timer that is there already need not be put forward then.
  if (step_ == Step::kReadHead && HasPace()) {
    look = std::min(look, host_.loop().Now() + std::chrono::seconds(client().limits.upload_window_seconds));
  }
  timer_.Set(deadline_ ? std::min(*deadline_, look) : look);
}

bool Exchange::HasPace() const {
  const http::ContentFraming& framing = request_->framing;
  return framing.length && !framing.ends_with_head && client().limits.upload_bytes_per_second_min > 0;
}

// True: too slow. Once the response has begun, the origin itself has said what it thinks of the upload.
bool Exchange::EndUploadWindow() {
  if (!pace_ || host_.loop().Now() < pace_->window_end()) return false;
  if (relay_.request_ended() || relay_.response_begun()) {
    pace_.reset();
    return false;
  }
  return pace_->EndWindow(host_.loop().Now(), connection_.content_bytes(), relay_.TakeHeldBack());
}

void Exchange::OnTimer(event::Timer&) {
  if (step_ == Step::kOver) return;
  if (relay_.Drained()) OnProgress();
  const base::MonotonicTime now = host_.loop().Now();
  const bool too_late = deadline_ && now >= *deadline_;
  if (!too_late && EndUploadWindow()) {
    step_ = Answer(AnswerFor(http::MessageError{408, "the content comes too slowly"}));
    return;
  }
  if (!too_late && now < last_progress_ + client().stream_idle_timeout) return SetTimer();
  reason_ = too_late ? "the deadline of the exchange is over" : "nothing moved in either direction";
  if (relay_.response_begun()) return Abort(http::ResetReason::kCancelled);
  if (too_late) {
    step_ = Answer(AnswerForDeadline());
  } else if (ClientDawdles()) {
    step_ = Answer(AnswerFor(http::MessageError{408, kTooLate}));
  } else {
    step_ = Answer(AnswerFor(
        call::Error{call::ErrorKind::kConnectionReadTimeout, false, "nothing moved in either direction in time"}));
  }
}

// Of the call that is or was under way; nothing once it is gone.
void Exchange::TakeCallFacts() {
  const call::CallFacts facts = relay_.facts();
  if (!facts.cache.empty()) record_.cache = facts.cache;
  if (facts.attempts == 0) return;
  record_.endpoint = arena_.Copy(facts.endpoint);
  record_.attempts = facts.attempts;
  record_.retries = arena_.Copy(facts.retries);
}

void Exchange::TakeSteps() {
  if (composition_ == nullptr) return;
  steps_ = composition_->Records();
  record_.steps = steps_;
}

// The log's line is written when the response is over; what the client may still send of its request counts for nobody.
void Exchange::Finish(bool aborted) {
  if (client_text_.empty()) record_.client = client_text_ = connection_.stream().peer().ip();
  TakeCallFacts();
  TakeSteps();
  record_.received_bytes = relay_.received_bytes();
  record_.sent_bytes = relay_.sent_bytes() + answer_bytes_;
  record_.subject = identity_.subject;
  record_.consumer = identity_.consumer();
  record_.duration = host_.loop().Now() - begun_;
  if (runner_) record_.limit = runner_->context().notes.limit;
  if (runner_) record_.limit_outcome = runner_->context().notes.limit_outcome;
  record_.reason = reason_;
  record_.aborted = aborted;
  relay_.Cancel();
  composition_.reset();
  runner_.reset();
  timer_.Forget();
  host_.OnExchangeEnd(record_);
}

}  // namespace portico::downstream
