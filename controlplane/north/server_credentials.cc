#include "controlplane/north/server_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>
#include <grpc/slice.h>

#include <optional>
#include <string>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::north {
namespace {

constexpr std::string_view kGatewayUri = "portico://gateway/";

bool HasCertificate(const grpc_auth_context* context) {
  grpc_auth_property_iterator certificates =
      grpc_auth_context_find_properties_by_name(context, GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return grpc_auth_property_iterator_next(&certificates) != nullptr;
}

bool IsProxy(const grpc_auth_context* context) {
  grpc_auth_property_iterator uris = grpc_auth_context_find_properties_by_name(context, GRPC_PEER_URI_PROPERTY_NAME);
  while (const grpc_auth_property* uri = grpc_auth_property_iterator_next(&uris)) {
    if (std::string_view(uri->value, uri->value_length).starts_with(kGatewayUri)) return true;
  }
  return false;
}

std::string_view Text(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

// "" if it is not there. Twice is for whoever reads both.
std::string_view AuthorizationOf(const grpc_metadata* fields, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (Text(fields[i].key) == "authorization") return Text(fields[i].value);
  return "";
}

// For each call, with the identity of its connection.
absl::Status Judge(const Admits& admits, const grpc_auth_context* context, const grpc_metadata* fields, size_t count) {
  if (!HasCertificate(context)) return admits(AuthorizationOf(fields, count));
  if (!IsProxy(context)) return absl::OkStatus();
  return absl::PermissionDeniedError("the certificate is that of a proxy, which is for --discovery_address alone");
}

void Process(void* admits, grpc_auth_context* context, const grpc_metadata* fields, size_t count,
             grpc_process_auth_metadata_done_cb done, void* call) {
  const absl::Status status = Judge(*static_cast<const Admits*>(admits), context, fields, count);
  done(call, nullptr, 0, nullptr, 0, static_cast<grpc_status_code>(status.code()),
       status.ok() ? nullptr : std::string(status.message()).c_str());
}

// gRPC's C++ classes have certificates that never change or are watched by itself; what asks is in its C interface.
class AskingCredentials final : public grpc::ServerCredentials {
 public:
  AskingCredentials(ServerCertificates& certificates, Admits admits, std::function<void(std::string_view)> log)
      : certificates_(certificates), admits_(std::move(admits)), log_(std::move(log)) {}

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& processor) override {
    PORTICO_CHECK(processor == nullptr);  // Process is it
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    grpc_server_credentials* credentials =
        grpc_ssl_server_credentials_create_with_options(grpc_ssl_server_credentials_create_options_using_config_fetcher(
            admits_ ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
                    : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
            &AskingCredentials::Fetch, this));
    if (admits_) grpc_server_credentials_set_auth_metadata_processor(credentials, {&Process, nullptr, &admits_});
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<AskingCredentials*>(self)->FetchNews(config);
  }

  grpc_ssl_certificate_config_reload_status FetchNews(grpc_ssl_server_certificate_config** config) {
    const absl::StatusOr<std::optional<Certificates>> news = certificates_.ReadNews();
    if (!news.ok()) {
      log_(base::Concat(base::ToStd(news.status().message()), "; what was read before goes on"));
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    if (!news->has_value()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const Certificates& certificates = **news;
    const grpc_ssl_pem_key_cert_pair pair{certificates.key.c_str(), certificates.chain.c_str()};
    *config = grpc_ssl_server_certificate_config_create(certificates.client_ca.c_str(), &pair, 1);
    if (std::exchange(served_, true)) log_("new certificates are read");
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  ServerCertificates& certificates_;
  Admits admits_;  // not const: gRPC's C interface hands it back as it was given
  const std::function<void(std::string_view)> log_;
  bool served_ = false;  // gRPC asks under a lock of its own
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(ServerCertificates& certificates, Admits admits,
                                                               std::function<void(std::string_view)> log) {
  return std::make_shared<AskingCredentials>(certificates, std::move(admits), std::move(log));
}

}  // namespace portico::north
