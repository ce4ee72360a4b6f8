#include "controlplane/north/server_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>

#include <optional>
#include <string>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::north {
namespace {

constexpr std::string_view kGatewayUri = "portico://gateway/";

// For each call, with the identity of its connection.
void RefuseProxies(void*, grpc_auth_context* context, const grpc_metadata*, size_t,
                   grpc_process_auth_metadata_done_cb done, void* call) {
  grpc_auth_property_iterator uris = grpc_auth_context_find_properties_by_name(context, GRPC_PEER_URI_PROPERTY_NAME);
  while (const grpc_auth_property* uri = grpc_auth_property_iterator_next(&uris)) {
    if (!std::string_view(uri->value, uri->value_length).starts_with(kGatewayUri)) continue;
    return done(call, nullptr, 0, nullptr, 0, GRPC_STATUS_PERMISSION_DENIED,
                "the certificate is that of a proxy, which is for --discovery_address alone");
  }
  done(call, nullptr, 0, nullptr, 0, GRPC_STATUS_OK, nullptr);
}

// gRPC's C++ classes have certificates that never change or are watched by itself; what asks is in its C interface.
class AskingCredentials final : public grpc::ServerCredentials {
 public:
  AskingCredentials(ServerCertificates& certificates, bool for_proxies, std::function<void(std::string_view)> log)
      : certificates_(certificates), for_proxies_(for_proxies), log_(std::move(log)) {}

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& processor) override {
    PORTICO_CHECK(processor == nullptr);  // certificates are the only identity
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    grpc_server_credentials* credentials =
        grpc_ssl_server_credentials_create_with_options(grpc_ssl_server_credentials_create_options_using_config_fetcher(
            GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, &AskingCredentials::Fetch, this));
    if (!for_proxies_) {
      grpc_server_credentials_set_auth_metadata_processor(credentials, {&RefuseProxies, nullptr, nullptr});
    }
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
  const bool for_proxies_;
  const std::function<void(std::string_view)> log_;
  bool served_ = false;  // gRPC asks under a lock of its own
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(ServerCertificates& certificates, bool for_proxies,
                                                               std::function<void(std::string_view)> log) {
  return std::make_shared<AskingCredentials>(certificates, for_proxies, std::move(log));
}

}  // namespace portico::north
