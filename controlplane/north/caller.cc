#include "controlplane/north/caller.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <string>
#include <string_view>

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "controlplane/listen/peer_address.h"

namespace portico::north {
namespace {

constexpr size_t kTextBytesMax = 256;  // it is kept with every revision

std::string AuthorOf(const grpc::AuthContext& identity) {
  for (const char* property : {GRPC_PEER_URI_PROPERTY_NAME, GRPC_PEER_DNS_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME}) {
    for (const grpc::string_ref& value : identity.FindPropertyValues(property)) {
      if (!value.empty()) return base::Utf8Prefix({value.data(), value.size()}, kTextBytesMax);
    }
  }
  return "anonymous";
}

}  // namespace

change::Caller CallerOf(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> identity = context.auth_context();
  const bool known = identity != nullptr && identity->IsPeerAuthenticated();
  return {known ? AuthorOf(*identity) : "anonymous", listen::PeerAddress(context.peer())};
}

std::string HolderOf(const grpc::ServerContextBase& context) {
  const change::Caller caller = CallerOf(context);
  return base::Concat(caller.author, " ", caller.peer.substr(0, caller.peer.rfind(':')));
}

}  // namespace portico::north
