#include "controlplane/north/server_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <optional>
#include <string>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::north {
namespace {

// gRPC's C++ classes have certificates that never change or are watched by itself; what asks is in its C interface.
class AskingCredentials final : public grpc::ServerCredentials {
 public:
  AskingCredentials(ServerCertificates& certificates, std::function<void(std::string_view)> log)
      : certificates_(certificates), log_(std::move(log)) {}

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& processor) override {
    PORTICO_CHECK(processor == nullptr);  // certificates are the only identity
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    grpc_server_credentials* credentials =
        grpc_ssl_server_credentials_create_with_options(grpc_ssl_server_credentials_create_options_using_config_fetcher(
            GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, &AskingCredentials::Fetch, this));
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
  const std::function<void(std::string_view)> log_;
  bool served_ = false;  // gRPC asks under a lock of its own
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(ServerCertificates& certificates,
                                                               std::function<void(std::string_view)> log) {
  return std::make_shared<AskingCredentials>(certificates, std::move(log));
}

}  // namespace portico::north
