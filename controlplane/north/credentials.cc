#include "controlplane/north/credentials.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <algorithm>
#include <memory>

#include "api/base/text.h"
#include "controlplane/crypto/bearer.h"
#include "controlplane/listen/peer_address.h"

namespace portico::north {
namespace {

constexpr char kAuthorization[] = "authorization";
constexpr std::string_view kScheme = "Bearer ";

std::string NameOf(const grpc::AuthContext& identity) {
  for (const char* property : {GRPC_PEER_URI_PROPERTY_NAME, GRPC_PEER_DNS_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME}) {
    for (const grpc::string_ref& value : identity.FindPropertyValues(property)) {
      if (!value.empty()) return {value.data(), value.size()};
    }
  }
  return "";
}

// In clear there is such a property too.
bool IsSecure(const grpc::AuthContext& identity) {
  return std::ranges::any_of(
      identity.FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME), [](const grpc::string_ref& type) {
        return type == GRPC_SSL_TRANSPORT_SECURITY_TYPE || type == GRPC_TLS_TRANSPORT_SECURITY_TYPE;
      });
}

// As far as gRPC's name of the peer says.
bool IsLoopback(std::string_view peer) {
  return peer.starts_with("127.") || peer.starts_with("[::1]:");
}

}  // namespace

absl::StatusOr<access::Credentials> CredentialsOf(const grpc::ServerContextBase& context) {
  access::Credentials credentials;
  const std::shared_ptr<const grpc::AuthContext> identity = context.auth_context();
  if (identity != nullptr) {
    credentials.secure = IsSecure(*identity);
    credentials.has_certificate = !identity->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME).empty();
    if (credentials.has_certificate) credentials.certificate = NameOf(*identity);
  }
  const auto [first, last] = context.client_metadata().equal_range(kAuthorization);
  if (first == last) return credentials;
  if (std::next(first) != last) return absl::UnauthenticatedError("authorization is there twice");
  if (!credentials.secure && !IsLoopback(PeerOf(context))) {
    return absl::UnauthenticatedError("a token is taken over TLS or on loopback alone");
  }
  absl::StatusOr<std::string> digest = DigestOfBearer({first->second.data(), first->second.size()});
  if (!digest.ok()) return digest.status();
  credentials.token_sha256 = *std::move(digest);
  return credentials;
}

std::string PeerOf(const grpc::ServerContextBase& context) {
  return listen::PeerAddress(context.peer());
}

absl::StatusOr<std::string> DigestOfBearer(std::string_view authorization) {
  const std::string_view scheme = authorization.substr(0, kScheme.size());
  const std::string_view token = authorization.substr(scheme.size());
  const bool plain = std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; });
  if (!base::EqualsIgnoreCase(scheme, kScheme) || token.empty() || token.size() > kTokenBytesMax || !plain) {
    return absl::UnauthenticatedError("authorization must be `Bearer` and a token");
  }
  return openssl::BearerDigest(token);
}

}  // namespace portico::north
