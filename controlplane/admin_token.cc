#include "controlplane/admin_token.h"

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "api/base/files.h"
#include "api/base/text.h"
#include "controlplane/access/rights.h"
#include "controlplane/crypto/bearer.h"

namespace portico::controlplane {
namespace {

using base::Concat;
using base::ToAbsl;
using base::ToStd;

constexpr std::string_view kFact = "admin token";
constexpr std::string_view kPrefix = "portico";
constexpr size_t kFileBytesMax = 200;  // a token and a line's end have 52

absl::Status Wrong(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(Concat("--admin_token_file=", what)));
}

// The token of the file; "" if there is no file. kFailedPrecondition: it has something else in it, which is not ours to
// replace.
absl::StatusOr<std::string> TokenOf(const std::string& path) {
  const absl::StatusOr<std::string> text = base::ReadWhole(path, kFileBytesMax);
  if (absl::IsNotFound(text.status())) return "";
  if (!text.ok()) return Wrong(ToStd(text.status().message()));
  if (!text->starts_with(Concat(kPrefix, "_"))) return Wrong(Concat(path, ": holds something else"));
  return std::string(base::Split(*text, '\n')[0]);
}

absl::StatusOr<std::string> Make(const std::string& path, change::Changes& changes) {
  const std::string token = openssl::NewBearer(kPrefix);
  if (absl::Status status = base::WriteDurably(path, Concat(token, "\n")); !status.ok()) {
    return Wrong(ToStd(status.message()));
  }
  std::string sha256 = openssl::BearerDigest(token);
  if (absl::Status status = changes.SetFact(kFact, sha256); !status.ok()) return status;
  return sha256;
}

}  // namespace

absl::StatusOr<std::string> PrepareAdminToken(const Options& options, change::Changes& changes, int64_t now_micros,
                                              const std::function<void(std::string_view line)>& log) {
  const absl::StatusOr<std::optional<std::string>> kept = changes.Fact(kFact);
  if (!kept.ok()) return kept.status();
  const bool has_admin = !access::AdminsOf(changes.Now()->configuration, options.tls.has_value(), now_micros).empty();
  if (has_admin && !options.new_admin_token) {
    const bool good = kept->has_value() && !(*kept)->empty();
    if (absl::Status status = good ? EndAdminToken(changes) : absl::OkStatus(); !status.ok()) return status;
    return "";
  }
  const absl::StatusOr<std::string> token = TokenOf(options.admin_token_file);
  if (!options.new_admin_token && token.ok() && !token->empty() && *kept == openssl::BearerDigest(*token)) {
    return **kept;
  }
  const absl::StatusOr<std::string> made = token.ok() ? Make(options.admin_token_file, changes) : token.status();
  if (made.ok()) {
    log(Concat("an admin token was written to ", options.admin_token_file,
               has_admin ? "; it is good until a change makes somebody Admin in all namespaces, or the next start"
                         : "; it is good until there is an Admin"));
    return made;
  }
  if (options.admin_token_file_given || options.new_admin_token || !absl::IsFailedPrecondition(made.status()))
    return made;
  log(Concat("there is no admin token: ", ToStd(made.status().message())));
  return "";
}

absl::Status EndAdminToken(change::Changes& changes) {
  return changes.SetFact(kFact, "");
}

}  // namespace portico::controlplane
