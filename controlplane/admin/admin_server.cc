#include "controlplane/admin/admin_server.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <utility>

#include "api/base/text.h"
#include "controlplane/listen/bind.h"

namespace portico::admin {
namespace {

constexpr std::string_view kFlag = "--admin_address";
constexpr int kBacklog = 64;
constexpr unsigned kConnectionsMax = 64;           // a probe or two, and a scraper or two
constexpr unsigned kIdleTimeoutSeconds = 10;       // of a connection that sends nothing or reads nothing
constexpr size_t kConnectionBytesMax = 16 * 1024;  // for a request's head; larger ones are refused

MHD_Result Send(MHD_Connection* connection, const Answer& answer) {
  MHD_Response* response = MHD_create_response_from_buffer(
      answer.content.size(), const_cast<char*>(answer.content.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, std::string(answer.content_type).c_str());
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (!answer.allow.empty())
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, std::string(answer.allow).c_str());
  const MHD_Result sent = MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return sent;
}

// Called when a request's head is there, before its content: whoever sends one is refused without reading it.
MHD_Result Handle(void* self, MHD_Connection* connection, const char* path, const char* method, const char*,
                  const char*, size_t*, void**) {
  return Send(connection, AnswerTo(method, path, static_cast<const AdminServer*>(self)->state()));
}

}  // namespace

AdminServer::AdminServer(std::string address, AskState state)
    : address_(std::move(address)), state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const std::string& address, AskState state) {
  absl::StatusOr<listen::Socket> socket = listen::Bind(kFlag, address);
  if (!socket.ok()) return socket.status();
  if (::listen(socket->descriptor(), kBacklog) != 0) {
    return absl::FailedPreconditionError(base::ToAbsl(base::Concat(kFlag, "=", address, ": another listens there")));
  }
  std::unique_ptr<AdminServer> server(
      new AdminServer(listen::WithPort(address, listen::PortOf(*socket)), std::move(state)));
  server->daemon_ = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, nullptr, nullptr, &Handle, server.get(),
                                     MHD_OPTION_LISTEN_SOCKET, socket->descriptor(), MHD_OPTION_CONNECTION_LIMIT,
                                     kConnectionsMax, MHD_OPTION_CONNECTION_TIMEOUT, kIdleTimeoutSeconds,
                                     MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytesMax, MHD_OPTION_END);
  if (server->daemon_ == nullptr) {
    return absl::FailedPreconditionError(base::ToAbsl(base::Concat(kFlag, "=", address, ": cannot be served")));
  }
  socket->Release();  // the daemon's now
  return server;
}

AdminServer::~AdminServer() {
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

}  // namespace portico::admin
