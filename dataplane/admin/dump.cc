#include "dataplane/admin/dump.h"

#include "absl/status/statusor.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "api/portico/v1/resource.pb.h"
#include "api/yaml/print.h"

namespace portico::admin {
namespace {

void Hide(v1::DataSource& source) {
  source.set_inline_(base::Concat("(", source.inline_().size(), " bytes, not shown)"));
}

v1::Resource WithoutSecrets(const v1::Resource& resource) {
  v1::Resource shown = resource;
  if (!shown.has_secret()) return shown;
  v1::SecretSpec& spec = *shown.mutable_secret()->mutable_spec();
  if (spec.has_tls()) {
    Hide(*spec.mutable_tls()->mutable_certificate());
    Hide(*spec.mutable_tls()->mutable_private_key());
  }
  if (spec.has_jwks()) Hide(*spec.mutable_jwks());
  if (spec.has_ca_certificates()) Hide(*spec.mutable_ca_certificates());
  if (spec.has_hmac_key()) Hide(*spec.mutable_hmac_key());
  return shown;
}

void AppendNumber(std::string& out, std::string_view name, size_t number) {
  out += base::Concat(", \"", name, "\": ", number);
}

void AppendCluster(std::string& out, const worker::ClusterState& cluster) {
  out += "{\"name\": ";
  base::AppendJsonString(out, cluster.name);
  AppendNumber(out, "connections", cluster.connections);
  AppendNumber(out, "calls", cluster.calls);
  AppendNumber(out, "pending", cluster.pending);
  out += ", \"endpoints\": [";
  for (const upstream::EndpointState& endpoint : cluster.endpoints) {
    if (!out.ends_with('[')) out += ", ";
    out += "{\"address\": ";
    base::AppendJsonString(out, endpoint.address);
    out += base::Concat(", \"resting\": ", endpoint.resting ? "true" : "false");
    out += base::Concat(", \"ejected\": ", endpoint.ejected ? "true" : "false");
    AppendNumber(out, "connections", endpoint.connections);
    AppendNumber(out, "waiting", endpoint.waiting);
    out += '}';
  }
  out += "]}";
}

}  // namespace

std::string SnapshotPage(const snapshot::Snapshot& snapshot) {
  std::string out = base::Concat("# gateway ", snapshot.gateway, ", configuration ", snapshot.revision, "\n");
  for (const auto& [key, resource] : snapshot.resolved.configuration.resources()) {
    const absl::StatusOr<std::string> text = yaml::Print(WithoutSecrets(*resource));
    out += base::Concat("---\n", text.ok() ? *text : base::Concat("# ", key.ToString(), " can't be printed\n"));
  }
  return out;
}

std::string ClustersPage(const std::vector<worker::ClusterState>& clusters) {
  std::string out = "{\"clusters\": [";
  for (const worker::ClusterState& cluster : clusters) {
    if (!out.ends_with('[')) out += ",";
    out += "\n  ";
    AppendCluster(out, cluster);
  }
  return out + "\n]}\n";
}

}  // namespace portico::admin
