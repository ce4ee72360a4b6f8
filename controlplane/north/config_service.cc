#include "controlplane/north/config_service.h"

#include <utility>
#include <variant>
#include <vector>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "controlplane/access/judge.h"
#include "controlplane/north/apply_call.h"
#include "controlplane/north/convert.h"
#include "controlplane/north/errors.h"
#include "controlplane/north/old_proxies.h"
#include "controlplane/north/shown.h"

namespace portico::north {
namespace {

using base::Concat;
using base::ToAbsl;
using check::ResourceKey;

constexpr uint32_t kHistoryDefault = 20;
constexpr uint32_t kHistoryMax = 1000;
constexpr size_t kListBytes = 1 << 20;  // of one message, unless a single resource is larger

grpc::Status Busy() {
  return ToGrpc(absl::ResourceExhaustedError("too many calls wait; try again"));
}

// The messages of one List, made when they are asked for from a model that stays as it is.
class ListCall final : public grpc::ServerWriteReactor<portico::v1::ListResponse> {
 public:
  ListCall(const portico::v1::ListRequest& request, std::shared_ptr<const Places::Place> place)
      : request_(request), place_(std::move(place)) {}

  // `scope`: what its caller may read.
  void Begin(model::SharedModel model, access::Scope scope) {
    model_ = std::move(model);
    scope_ = std::move(scope);
    next_ = model_->configuration.resources().begin();
    Write();
  }
  void Refuse(const grpc::Status& status) { Finish(status); }

 private:
  void Write() {
    response_.Clear();
    response_.set_revision(model_->revision);
    response_.set_epoch(model_->epoch);
    response_.set_partial(!scope_.all && request_.namespace_().empty());
    const auto& resources = model_->configuration.resources();
    for (size_t bytes = 0; next_ != resources.end() && bytes < kListBytes; ++next_) {
      const auto& [key, resource] = *next_;
      if (!scope_.Has(key.name_space) || !Matches(request_, key, *resource)) continue;
      *response_.add_resources() = Shown(*resource);
      bytes += resource->ByteSizeLong();
    }
    if (next_ != resources.end()) return StartWrite(&response_);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Write();
  }
  void OnDone() override { delete this; }

  const portico::v1::ListRequest request_;
  const std::shared_ptr<const Places::Place> place_;
  model::SharedModel model_;
  access::Scope scope_;
  check::Configuration::Map::const_iterator next_;
  portico::v1::ListResponse response_;
};

// The keys of what differs between two configurations.
std::set<ResourceKey> Differences(const check::Configuration& before, const check::Configuration& after) {
  std::set<ResourceKey> keys;
  const auto visit = [&keys](const ResourceKey& key, const check::SharedResource* was,
                             const check::SharedResource* is) {
    const auto revision = [](const check::SharedResource& resource) { return check::MetadataOf(*resource).revision(); };
    if (was == nullptr || is == nullptr || revision(*was) != revision(*is)) keys.insert(key);
  };
  base::Compare(before.resources(), after.resources(), visit);
  return keys;
}

// Somebody who may read in a namespace; "": in any.
absl::StatusOr<Caller> ReaderOf(const Gatekeeper& gatekeeper, const grpc::ServerContextBase& context,
                                std::string_view name_space) {
  absl::StatusOr<Caller> caller = gatekeeper.CallerOf(context);
  if (!caller.ok()) return caller;
  const absl::Status may = access::JudgeRead(caller->rights, name_space);
  if (!may.ok()) return may;
  return caller;
}

grpc::Status Answer(std::variant<change::Outcome, change::Refusal> result, fleet::Fleet* fleet,
                    portico::v1::ApplyResponse& response) {
  if (const auto* refusal = std::get_if<change::Refusal>(&result)) return ToGrpc(*refusal);
  auto& outcome = std::get<change::Outcome>(result);
  if (fleet != nullptr) WarnOfOldProxies(*fleet, outcome);
  response = ToResponse(outcome);
  return grpc::Status::OK;
}

}  // namespace

ConfigService::ConfigService(change::Changes& changes, const Gatekeeper& gatekeeper, Writer& writer,
                             ConfigServiceOptions options)
    : changes_(changes),
      gatekeeper_(gatekeeper),
      writer_(writer),
      fleet_(options.fleet),
      gather_time_(options.gather_time),
      counted_(changes, std::move(options.now)),
      list_places_(options.lists_max, "lists"),
      watch_places_(options.watches_max, "watches"),
      apply_places_(options.applies_max, "changes") {
  changes_.Follow([this](const model::Step& step) { OnStep(step); });
}

grpc::ServerReadReactor<portico::v1::ApplyRequest>* ConfigService::Apply(Context* context,
                                                                         portico::v1::ApplyResponse* response) {
  return new ApplyCall(*context, *response, {counted_, gatekeeper_, writer_, apply_places_, fleet_, gather_time_});
}

grpc::ServerUnaryReactor* ConfigService::On(Writer& thread, Context* context, May may,
                                            std::function<grpc::Status(const Caller&)> body) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto ask = [this, context, may = std::move(may)]() -> absl::StatusOr<Caller> {
    absl::StatusOr<Caller> caller = gatekeeper_.CallerOf(*context);
    if (!caller.ok()) return caller;
    if (absl::Status status = may(caller->rights); !status.ok()) return status;
    return caller;
  };
  if (const absl::Status status = ask().status(); !status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  const bool posted = thread.Post([context, reactor, ask, body = std::move(body)] {
    if (context->IsCancelled()) return reactor->Finish(grpc::Status::CANCELLED);
    const absl::StatusOr<Caller> caller = ask();  // it may have waited long
    reactor->Finish(caller.ok() ? body(*caller) : ToGrpc(caller.status()));
  });
  if (!posted) reactor->Finish(Busy());
  return reactor;
}

grpc::ServerUnaryReactor* ConfigService::Get(Context* context, const portico::v1::GetRequest* request,
                                             portico::v1::GetResponse* response) {
  const absl::StatusOr<ResourceKey> key = ToKey(request->name());
  const May may = [key](const access::Rights& rights) {
    return key.ok() ? access::JudgeRead(rights, key->name_space) : key.status();
  };
  const auto body = [this, request, response, key](const Caller& /*caller*/) {
    const absl::StatusOr<model::SharedModel> model =
        request->revision() == 0 ? changes_.Now() : changes_.At(request->revision());
    if (!model.ok()) return ToGrpc(model.status());
    const portico::v1::Resource* resource = (*model)->configuration.Find(*key);
    if (resource == nullptr) return ToGrpc(absl::NotFoundError(ToAbsl(Concat("there is no ", key->ToString()))));
    *response->mutable_resource() = Shown(*resource);
    response->set_revision((*model)->revision);
    response->set_epoch((*model)->epoch);
    return grpc::Status::OK;
  };
  if (request->revision() != 0) return On(reader_, context, may, body);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<Caller> caller = gatekeeper_.CallerOf(*context);
  const absl::Status status = caller.ok() ? may(caller->rights) : caller.status();
  reactor->Finish(status.ok() ? body(*caller) : ToGrpc(status));
  return reactor;
}

grpc::ServerWriteReactor<portico::v1::ListResponse>* ConfigService::List(Context* context,
                                                                         const portico::v1::ListRequest* request) {
  const absl::StatusOr<Caller> caller = ReaderOf(gatekeeper_, *context, request->namespace_());
  std::shared_ptr<const Places::Place> place = caller.ok() ? list_places_.Take(caller->holder()) : nullptr;
  const bool taken = place != nullptr;
  auto* call = new ListCall(*request, std::move(place));
  const uint64_t revision = request->revision();
  if (!taken) {
    call->Refuse(ToGrpc(caller.ok() ? list_places_.Refusal() : caller.status()));
  } else if (revision == 0) {
    call->Begin(changes_.Now(), caller->rights.Reads());
  } else if (!reader_.Post([this, call, revision, scope = caller->rights.Reads()] {
               absl::StatusOr<model::SharedModel> model = changes_.At(revision);
               if (!model.ok()) return call->Refuse(ToGrpc(model.status()));
               call->Begin(*std::move(model), scope);
             })) {
    call->Refuse(Busy());
  }
  return call;
}

grpc::ServerUnaryReactor* ConfigService::Delete(Context* context, const portico::v1::DeleteRequest* request,
                                                portico::v1::ApplyResponse* response) {
  const auto may = [](const access::Rights& rights) { return access::JudgeWrite(rights, ""); };
  return On(writer_, context, may, [this, request, response](const Caller& caller) {
    change::Change change;
    change.dry_run = request->dry_run();
    change.expected_revision = request->expected_revision();
    change.expected_epoch = request->expected_epoch();
    change.tolerate = request->references() == portico::v1::REFERENCE_RULE_TOLERATE;
    change.manager = request->manager();
    change.force = request->force();
    for (const portico::v1::ResourceName& name : request->names()) {
      absl::StatusOr<ResourceKey> key = ToKey(name);
      if (!key.ok()) return ToGrpc(key.status());
      change.deletes.push_back(*std::move(key));
    }
    return Answer(counted_.Apply(change, caller.record(), gatekeeper_.JudgeOf(caller)), fleet_, *response);
  });
}

grpc::ServerUnaryReactor* ConfigService::History(Context* context, const portico::v1::HistoryRequest* request,
                                                 portico::v1::HistoryResponse* response) {
  const auto may = [](const access::Rights& rights) { return access::JudgeRead(rights, ""); };
  return On(reader_, context, may, [this, request, response](const Caller& caller) {
    const uint32_t limit = request->limit() == 0 ? kHistoryDefault : request->limit();
    if (limit > kHistoryMax) {
      return ToGrpc(absl::InvalidArgumentError(ToAbsl(Concat("limit: ", limit, "; at most ", kHistoryMax))));
    }
    const absl::StatusOr<change::Changes::Past> past = changes_.History(request->before(), limit);
    if (!past.ok()) return ToGrpc(past.status());
    const access::Scope scope = caller.rights.Reads();
    for (const portico::v1::RevisionRecord& record : past->revisions)
      *response->add_revisions() = ShownRecord(record, scope);
    response->set_oldest(past->oldest);
    response->set_epoch(changes_.Now()->epoch);
    return grpc::Status::OK;
  });
}

grpc::ServerUnaryReactor* ConfigService::Rollback(Context* context, const portico::v1::RollbackRequest* request,
                                                  portico::v1::ApplyResponse* response) {
  const auto may = [request](const access::Rights& rights) {
    return access::JudgeWrite(rights, request->namespace_());
  };
  return On(writer_, context, may, [this, request, response](const Caller& caller) {
    change::Change options;
    options.dry_run = request->dry_run();
    options.expected_revision = request->expected_revision();
    options.expected_epoch = request->expected_epoch();
    options.tolerate = request->references() == portico::v1::REFERENCE_RULE_TOLERATE;
    options.manager = request->manager();
    options.force = request->force();
    return Answer(counted_.Rollback(request->revision(), request->namespace_(), std::move(options), caller.record(),
                                    gatekeeper_.JudgeOf(caller)),
                  fleet_, *response);
  });
}

grpc::ServerWriteReactor<portico::v1::WatchResponse>* ConfigService::Watch(Context* context,
                                                                           const portico::v1::WatchRequest* request) {
  absl::StatusOr<Caller> caller = ReaderOf(gatekeeper_, *context, request->namespace_());
  const std::shared_ptr<const Places::Place> place = caller.ok() ? watch_places_.Take(caller->holder()) : nullptr;
  const std::shared_ptr<WatchCall> watch =
      WatchCall::Make(*request, gatekeeper_, [this, place](const std::shared_ptr<WatchCall>& ended) {
        absl::MutexLock lock(&mutex_);
        watches_.erase(ended);
      });
  if (place == nullptr) {
    watch->Refuse(ToGrpc(caller.ok() ? watch_places_.Refusal() : caller.status()));
    return watch.get();
  }
  watch->Begin(*std::move(caller));
  const model::SharedModel now = changes_.Now();
  if (!request->epoch().empty() && request->epoch() != now->epoch) {
    watch->Refuse(
        ToGrpc(absl::OutOfRangeError(ToAbsl(Concat("the store is of epoch ", now->epoch, "; watch from the start")))));
    return watch.get();
  }
  const uint64_t after_revision = request->after_revision();
  if (!reader_.Post([this, watch, after_revision] { BeginWatch(watch, after_revision); })) watch->Refuse(Busy());
  return watch.get();
}

void ConfigService::BeginWatch(const std::shared_ptr<WatchCall>& watch, uint64_t after_revision) {
  model::SharedModel now = changes_.Now();
  absl::StatusOr<model::SharedModel> before = std::make_shared<const model::Model>();
  if (after_revision != 0) before = changes_.At(after_revision);
  if (!before.ok()) {
    return watch->Refuse(ToGrpc(
        absl::OutOfRangeError(ToAbsl(Concat(base::ToStd(before.status().message()), "; watch from the start")))));
  }
  if (after_revision != 0) watch->JudgeStart((*before)->configuration);
  std::set<ResourceKey> changed = Differences((*before)->configuration, now->configuration);
  absl::MutexLock lock(&mutex_);
  if (ended_) return watch->End();
  if (watch->done()) return;  // the caller has left already
  // A step that came in between was told to the others already; later ones wait for the lock.
  if (const model::SharedModel newest = changes_.Now(); newest != now) {
    changed = Differences((*before)->configuration, newest->configuration);
    now = newest;
  }
  watches_.insert(watch);
  watch->JudgeAgain();  // since it was let in
  watch->OnModel(now, changed);
}

void ConfigService::OnStep(const model::Step& step) {
  std::set<ResourceKey> changed;
  for (const model::ResourceChange& change : step.changes)
    changed.insert(change.key);
  const bool changes_access = ChangesAccess(step);
  absl::MutexLock lock(&mutex_);
  for (const std::shared_ptr<WatchCall>& watch : watches_) {
    if (changes_access) watch->JudgeAgain();
    watch->OnModel(step.after, changed);
  }
}

void ConfigService::End() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  for (const std::shared_ptr<WatchCall>& watch : watches_)
    watch->End();
}

}  // namespace portico::north
