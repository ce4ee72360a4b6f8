#include "dataplane/source/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "api/base/files.h"
#include "api/base/text.h"
#include "dataplane/base/errno_text.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/source/state.pb.h"
#include "dataplane/source/state_lock.h"

namespace portico::source {
namespace {

using base::Concat;
using base::ToAbsl;

constexpr std::string_view kFormat = "portico-state 1 key ";
constexpr std::string_view kSuffix = ".state";

std::string NameOf(const check::ResourceKey& gateway) {
  return Concat(gateway.name_space, "/", gateway.name);
}

absl::StatusOr<bool> HoldsState(const std::string& folder) {
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == kSuffix) return true;
  }
  if (!error) return false;
  return absl::FailedPreconditionError(ToAbsl(Concat(folder, ": cannot be read: ", error.message())));
}

}  // namespace

StateFile::StateFile(const std::string& folder, const check::ResourceKey& gateway, const crypto::Sealer::Key& key)
    : gateway_(gateway),
      stem_(Concat(folder, "/", gateway.name_space, ".", gateway.name)),
      path_(Concat(stem_, kSuffix)),
      sealer_(key) {}

// By trying: permissions alone do not say what a file system that is full or read-only does.
absl::Status StateFile::CheckFolder(const std::string& folder) {
  struct stat status{};
  std::string fault, path = folder + "/probe.XXXXXX";
  if (stat(folder.c_str(), &status) != 0) {
    fault = base::ErrnoText(errno);
  } else if (!S_ISDIR(status.st_mode)) {
    fault = "is no folder";
  } else if (const base::FileDescriptor probe(mkostemp(path.data(), O_CLOEXEC)); probe.valid()) {
    unlink(path.c_str());
  } else {
    fault = Concat("no file can be made in it: ", base::ErrnoText(errno));
  }
  return fault.empty() ? absl::OkStatus() : absl::InvalidArgumentError(ToAbsl(Concat(folder, ": ", fault)));
}

absl::StatusOr<crypto::Sealer::Key> StateFile::ReadKey(const std::string& path, const std::string& folder) {
  absl::StatusOr<base::FileKey> key = base::ReadKeyFile(path);
  if (!absl::IsNotFound(key.status())) return key;
  const absl::StatusOr<bool> used = HoldsState(folder);
  if (!used.ok()) return used.status();
  if (*used) {
    // Unless another process has made it since, and has kept something already.
    key = base::ReadKeyFile(path);
    if (!absl::IsNotFound(key.status())) return key;
    return absl::FailedPreconditionError(ToAbsl(Concat(path, ": there is no such file, and ", folder,
                                                       " holds state that was sealed with a key; name the file "
                                                       "that has it, or empty the folder")));
  }
  base::FileKey made;
  crypto::FillRandom(made);
  const absl::Status status = base::MakeKeyFile(path, made);
  if (absl::IsAlreadyExists(status)) return base::ReadKeyFile(path);  // another process was faster
  if (!status.ok()) return status;
  return made;
}

absl::StatusOr<base::FileDescriptor> StateFile::Lock() const {
  return TakeLock(stem_ + ".lock");
}

std::string StateFile::HeaderLine() const {
  return Concat(kFormat, sealer_.key_id(), "\n");
}

absl::Status StateFile::Write(const SavedState& state) const {
  State message;
  message.set_gateway(NameOf(gateway_));
  message.set_epoch(state.epoch);
  message.set_revision(state.revision);
  message.set_digest(state.digest);
  for (const auto& [key, version] : state.resources) {
    StateResource& resource = *message.add_resources();
    resource.set_version(version.version);
    version.resource->SerializeToString(resource.mutable_resource());
  }
  std::string bytes;
  if (message.ByteSizeLong() > kBytesMax || !message.SerializeToString(&bytes)) {
    return absl::ResourceExhaustedError(ToAbsl(Concat(path_, ": the state is too large to be kept")));
  }
  const std::string header = HeaderLine();
  return base::WriteDurably(path_, Concat(header, sealer_.Seal(Concat(header, NameOf(gateway_)), bytes)));
}

absl::StatusOr<SavedState> StateFile::Read() const {
  const absl::StatusOr<std::string> bytes = base::ReadWhole(path_, kBytesMax);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<SavedState> state = Parse(*bytes);
  if (state.ok()) return state;
  return absl::DataLossError(ToAbsl(Concat(path_, ": ", base::ToStd(state.status().message()))));
}

absl::StatusOr<SavedState> StateFile::Parse(const std::string& bytes) const {
  const std::string header = HeaderLine();
  if (!bytes.starts_with(kFormat)) return absl::DataLossError("is no state of this release");
  if (!bytes.starts_with(header)) return absl::DataLossError("was sealed with another key than --state_key_file holds");
  const absl::StatusOr<std::string> text =
      sealer_.Open(Concat(header, NameOf(gateway_)), std::string_view(bytes).substr(header.size()));
  if (!text.ok()) return absl::DataLossError("has been changed or cut off, or is of another gateway");
  State message;
  if (!message.ParseFromString(*text)) return absl::DataLossError("is no state of this release");
  Versions resources;
  for (const StateResource& one : message.resources()) {
    auto resource = std::make_shared<portico::v1::Resource>();
    if (!resource->ParseFromString(one.resource())) return absl::DataLossError("is no state of this release");
    const check::ResourceKey key = check::KeyOf(*resource);
    resources.Put(key, {one.version(), std::move(resource)});
  }
  return SavedState{.gateway = gateway_,
                    .epoch = message.epoch(),
                    .revision = message.revision(),
                    .digest = message.digest(),
                    .resources = std::move(resources)};
}

}  // namespace portico::source
