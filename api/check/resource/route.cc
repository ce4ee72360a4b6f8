#include "api/check/resource/route.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "api/check/resource/names.h"
#include "api/check/resource/path_match.h"
#include "api/portico/v1/options.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"

namespace portico::check {
namespace {

using base::Concat;
using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kNobodyMayEdit = "is a field of the connection or of framing, which nobody may edit";

bool IsLonger(const Duration& one, const Duration& other) {
  return one.seconds() != other.seconds() ? one.seconds() > other.seconds() : one.nanos() > other.nanos();
}

// "urlRewrite": the one field beside `type` that a union holds; "" if none or several are set.
std::string OnlyMember(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::string member;
  for (const FieldDescriptor* field : fields) {
    if (field->name() == "type") continue;
    if (!member.empty()) return "";
    member = field->json_name();
  }
  return member;
}

// A type is spelt like the member that it names: URLRewrite, urlRewrite.
void Type(const Message& message, const std::string& member, const std::string& path, Report& report) {
  const auto* field = message.GetDescriptor()->FindFieldByName("type");
  const auto& value = *message.GetReflection()->GetEnum(message, field);
  const std::string& name = value.options().GetExtension(portico::v1::yaml_name);
  if (value.number() != 0 && !base::EqualsIgnoreCase(name, member)) {
    report.Add(path + ".type", Concat("is ", name, ", but ", member, " is set"));
  }
}

class RuleChecker {
 public:
  RuleChecker(const portico::v1::RouteRule& rule, const std::string& path, Report& report)
      : rule_(rule), path_(path), report_(report) {}

  void Run() {
    for (int i = 0; i < rule_.matches_size(); ++i)
      Match(rule_.matches(i), Concat(path_, ".matches[", i, "]"));
    for (int i = 0; i < rule_.filters_size(); ++i)
      Filter(rule_.filters(i), i);
    Backends();
    if (rule_.has_retry()) Retry();
    const auto& timeouts = rule_.timeouts();
    // 0s is no limit: there is nothing to be longer than.
    if (IsLonger(timeouts.request(), Duration()) && IsLonger(timeouts.backend_request(), timeouts.request())) {
      report_.Add(path_ + ".timeouts.backendRequest", "must not be longer than request");
    }
  }

 private:
  void Match(const portico::v1::RouteMatch& match, const std::string& path) {
    CheckPathMatch(match.path(), path + ".path", report_);
    for (int i = 0; i < match.headers_size(); ++i) {
      if (match.headers(i).type() != portico::v1::VALUE_MATCH_TYPE_REGULAR_EXPRESSION) continue;
      CheckRegex(match.headers(i).value(), Concat(path, ".headers[", i, "].value"), report_);
    }
    for (int i = 0; i < match.query_params_size(); ++i) {
      if (match.query_params(i).type() != portico::v1::VALUE_MATCH_TYPE_REGULAR_EXPRESSION) continue;
      CheckRegex(match.query_params(i).value(), Concat(path, ".queryParams[", i, "].value"), report_);
    }
  }

  void Filter(const portico::v1::RouteFilter& filter, int place) {
    const std::string path = Concat(path_, ".filters[", place, "]");
    const std::string member = OnlyMember(filter);
    if (member.empty()) return report_.Add(path, "must hold exactly one filter");
    Type(filter, member, path, report_);
    Together(member, place, path);
    const std::string inner = Concat(path, ".", member);
    Modifier(filter.request_header_modifier(), inner);
    Modifier(filter.response_header_modifier(), inner);
    if (filter.request_redirect().has_path()) Path(filter.request_redirect().path(), inner + ".path");
    if (filter.url_rewrite().has_path()) Path(filter.url_rewrite().path(), inner + ".path");
    if (filter.has_direct_response()) Answer(filter.direct_response(), inner);
    if (filter.has_cors()) Cors(filter.cors(), inner);
  }

  // Gateway API lets a filter come twice only where it says so, and a redirect has nothing to rewrite.
  void Together(const std::string& member, int place, const std::string& path) {
    const bool repeats = member == "requestMirror" || member == "extensionRef";
    const auto [first, added] = places_.try_emplace(member, place);
    if (!added && !repeats) report_.Add(path, Concat(member, " is there already, in filters[", first->second, "]"));
    for (const char* other : {"requestRedirect", "urlRewrite", "directResponse"}) {
      if (!added || !IsTarget(member) || member == other || !places_.contains(other)) continue;
      report_.Add(path, Concat(member, " cannot stand beside ", other, " in filters[", places_[other], "]"));
    }
  }
  static bool IsTarget(std::string_view member) {
    return member == "requestRedirect" || member == "urlRewrite" || member == "directResponse";
  }

  void Modifier(const portico::v1::HeaderModifier& modifier, const std::string& path) {
    std::set<std::string> names;
    const auto edit = [&](const std::string& name, const std::string& field) {
      if (IsReservedField(name)) report_.Add(field, std::string(kNobodyMayEdit));
      if (!names.insert(base::LowerAscii(name)).second) report_.Add(field, "is edited already");
    };
    for (int i = 0; i < modifier.set_size(); ++i)
      edit(modifier.set(i).name(), Concat(path, ".set[", i, "].name"));
    for (int i = 0; i < modifier.add_size(); ++i)
      edit(modifier.add(i).name(), Concat(path, ".add[", i, "].name"));
    for (int i = 0; i < modifier.remove_size(); ++i)
      edit(modifier.remove(i), Concat(path, ".remove[", i, "]"));
  }

  void Path(const portico::v1::PathModifier& modifier, const std::string& path) {
    const std::string member = OnlyMember(modifier);
    if (member.empty()) {
      return report_.Add(path, "must hold exactly one of replaceFullPath and replacePrefixMatch");
    }
    Type(modifier, member, path, report_);
    if (!modifier.has_replace_prefix_match()) return;
    for (int i = 0; i < rule_.matches_size(); ++i) {
      const auto type = rule_.matches(i).path().type();
      if (type == portico::v1::PATH_MATCH_TYPE_EXACT || type == portico::v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION) {
        report_.Add(path + ".replacePrefixMatch",
                    Concat("needs a PathPrefix in every match; matches[", i, "] has none"));
      }
    }
  }

  void Answer(const portico::v1::DirectResponse& answer, const std::string& path) {
    for (int i = 0; i < answer.headers_size(); ++i) {
      if (!IsReservedField(answer.headers(i).name())) continue;
      report_.Add(Concat(path, ".headers[", i, "].name"), std::string(kNobodyMayEdit));
    }
    const uint32_t status = answer.status();
    const bool no_content = status == 204 || status == 205 || status == 304;  // RFC 9110 section 6.4.1
    if (no_content && !answer.body().empty()) {
      report_.Add(path + ".body", Concat("must be left out: a response with status ", status, " has no content"));
    }
  }

  void Cors(const portico::v1::Cors& cors, const std::string& path) {
    const auto alone = [&](const auto& texts, const char* name) {
      const bool all = std::find(texts.begin(), texts.end(), "*") != texts.end();
      if (all && texts.size() > 1)
        report_.Add(Concat(path, ".", name), "has * and more: with it nothing else stands there");
      return all;
    };
    alone(cors.allow_origins(), "allowOrigins");
    alone(cors.allow_methods(), "allowMethods");
    alone(cors.allow_headers(), "allowHeaders");
    if (alone(cors.expose_headers(), "exposeHeaders") && cors.allow_credentials()) {
      report_.Add(path + ".exposeHeaders", "has *, which browsers take for a name where credentials are allowed");
    }
  }

  void Backends() {
    const bool given = !rule_.backend_refs().empty();
    if (IsAnswered() && given) report_.Add(path_ + ".backendRefs", "must be left out: a filter answers");
    if (!IsAnswered() && !given) report_.Add(path_ + ".backendRefs", "is missing, and no filter answers");
  }

  // A Composition answers by its own steps, which say themselves what becomes of a failure.
  void Retry() {
    if (IsAnswered()) report_.Add(path_ + ".retry", "must be left out: a filter answers");
    for (int i = 0; i < rule_.backend_refs_size(); ++i) {
      if (rule_.backend_refs(i).kind() != "Composition") continue;
      report_.Add(path_ + ".retry", Concat("is for Clusters, but backendRefs[", i, "] is a Composition"));
    }
  }

  bool IsAnswered() const { return places_.contains("requestRedirect") || places_.contains("directResponse"); }

  const portico::v1::RouteRule& rule_;
  const std::string& path_;
  Report& report_;
  std::map<std::string, int, std::less<>> places_;  // filter -> its first place
};

}  // namespace

void CheckRoute(const portico::v1::RouteSpec& spec, Report& report) {
  std::set<std::string> names;
  for (int i = 0; i < spec.rules_size(); ++i) {
    const auto& rule = spec.rules(i);
    const std::string path = Concat("spec.rules[", i, "]");
    if (!rule.name().empty() && !names.insert(rule.name()).second) {
      report.Add(path + ".name", "is the name of another rule");
    }
    RuleChecker(rule, path, report).Run();
  }
}

}  // namespace portico::check
