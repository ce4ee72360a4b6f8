#include "dataplane/stream_options.h"

#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/base/hex.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/check/key_pair.h"
#include "api/check/resource/names.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/source/state_file.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/upstream/origin_tls.h"

namespace portico::proxy {
namespace {

using base::Concat;

std::string RandomHex(size_t bytes) {
  std::string random(bytes, '\0');
  crypto::FillRandom({reinterpret_cast<uint8_t*>(random.data()), random.size()});
  return base::ToHex(random);
}

uint64_t RandomSeed() {
  std::array<uint8_t, sizeof(uint64_t)> bytes;
  crypto::FillRandom(bytes);
  uint64_t seed;
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

std::string HostName() {
  std::array<char, 254> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "proxy";
  return name.data();
}

absl::Status Wrong(std::string_view flag, const absl::Status& status,
                   absl::StatusCode code = absl::StatusCode::kFailedPrecondition) {
  return {code, base::ToAbsl(Concat("--", flag, ": ", base::ToStd(status.message())))};
}

// A name that no resource can have would be waited for for ever.
absl::Status CheckGateway(const check::ResourceKey& gateway) {
  const bool good_namespace = check::IsLabel(gateway.name_space);
  if (good_namespace && check::IsSubdomain(gateway.name)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      base::ToAbsl(good_namespace ? Concat("--gateway: the name \"", gateway.name,
                                           "\" must have letters in lower case, digits, '-' and '.', at most 253 bytes")
                                  : Concat("--gateway: the namespace \"", gateway.name_space,
                                           "\" must have letters in lower case, digits and '-', at most 63 bytes")));
}

absl::StatusOr<std::optional<source::StateFile>> StateOf(const Options& options, const check::ResourceKey& gateway) {
  if (options.state_dir.empty()) return std::nullopt;
  const absl::Status folder = source::StateFile::CheckFolder(options.state_dir);
  if (!folder.ok()) return Wrong("state_dir", folder, absl::StatusCode::kInvalidArgument);
  const auto key = source::StateFile::ReadKey(options.state_key_file, options.state_dir);
  if (!key.ok()) return Wrong("state_key_file", key.status());
  return source::StateFile(options.state_dir, gateway, *key);
}

// The files as they are now, and what they make.
absl::StatusOr<xds::Security> ReadSecurity(const Options& options, yaml::FileReader& files,
                                           const net::Address& address) {
  const absl::StatusOr<std::string> certificate = files.Read(options.tls_cert, check::kPemBytesMax);
  if (!certificate.ok()) return Wrong("tls_cert", certificate.status());
  const absl::StatusOr<std::string> key = files.Read(options.tls_key, check::kPemBytesMax);
  if (!key.ok()) return Wrong("tls_key", key.status());
  const absl::StatusOr<std::string> roots = files.Read(options.ca, check::kPemBytesMax);
  if (!roots.ok()) return Wrong("ca", roots.status());
  absl::StatusOr<crypto::KeyPair> pair = crypto::KeyPair::Parse(*certificate, *key);
  if (!pair.ok()) return Wrong("tls_cert", pair.status());
  auto context = tls::ClientContext::Create({.ca_certificates_pem = *roots, .key_pair = *std::move(pair)});
  if (!context.ok()) return Wrong("ca", context.status());
  const crypto::Sha256Digest identity = crypto::Sha256(Concat(*certificate, *key, *roots));
  return xds::Security{
      .security = std::make_shared<const upstream::OriginTls>(*std::move(context), address.ip(), "h2"),
      .identity = base::ToHex({reinterpret_cast<const char*>(identity.data()), identity.size()}),
  };
}

}  // namespace

absl::StatusOr<xds::StreamSource::Options> StreamOptionsOf(const Options& options, yaml::FileReader& files) {
  const check::ResourceKey gateway =
      options.gateway.value_or(check::ResourceKey{"Gateway", std::string(check::kDefaultNamespace), "default"});
  if (absl::Status status = CheckGateway(gateway); !status.ok()) return status;
  xds::DiscoveryClient::Options discovery{
      .addresses = options.discovery_addresses, .secure = nullptr, .seed = RandomSeed()};
  if (!options.tls_cert.empty()) {
    discovery.secure = [options, &files](const net::Address& address) { return ReadSecurity(options, files, address); };
    // What can't work now is an error now, and not a line in the log at every try.
    const auto security = discovery.secure(options.discovery_addresses.front());
    if (!security.ok()) return security.status();
  }
  absl::StatusOr<std::optional<source::StateFile>> state = StateOf(options, gateway);
  if (!state.ok()) return state.status();
  return xds::StreamSource::Options{
      .node = {.node_id = options.node_id.empty() ? HostName() : options.node_id,
               .gateway = gateway,
               .version = std::string(kVersion),
               .instance = RandomHex(8),
               .schema_level = wire::kSchemaLevel},
      .discovery = std::move(discovery),
      .build = BuildOptionsOf(options),
      .state = *std::move(state),
  };
}

}  // namespace portico::proxy
