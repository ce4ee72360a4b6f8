#ifndef PORTICO_DATAPLANE_SOURCE_STATE_FILE_H_
#define PORTICO_DATAPLANE_SOURCE_STATE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/crypto/sealer.h"
#include "dataplane/source/settle.h"

namespace portico::source {

// What a proxy that finds no control plane starts from.
struct SavedState {
  check::ResourceKey gateway;
  std::string epoch;
  uint64_t revision = 0;
  std::string digest;  // the version of that revision's mark; "": some of what it meant was refused
  Versions resources;  // that were in force
};

// The file of one gateway in --state_dir, "NAMESPACE.NAME.state": a line that names the format and the key, then the
// state, sealed with the key of --state_key_file. It is whole whenever the machine stops, and only its owner may read
// it. It blocks for the disk: not for a loop.
//
//   StateFile::CheckFolder("/var/lib/portico")
//   ASSIGN key = StateFile::ReadKey("/etc/portico/state.key", "/var/lib/portico");
//   StateFile file("/var/lib/portico", gateway, key);
//   ASSIGN state = file.Read();        // kNotFound: there is none yet
//   ASSIGN lock = file.Lock();         // whoever has it may
//   … file.Write(newer)
class StateFile {
 public:
  static constexpr size_t kBytesMax = 1 << 30;  // several times what a stream may bring

  StateFile(const std::string& folder, const check::ResourceKey& gateway, const crypto::Sealer::Key& key);

  // kInvalidArgument: it is no folder in which a file can be made, and why.
  static absl::Status CheckFolder(const std::string& folder);

  // The key of a file of 64 hexadecimal digits. If there is none it is made (0600): then `folder` may hold no state,
  // since nobody could read that again (kFailedPrecondition). Processes that begin together get the same.
  static absl::StatusOr<crypto::Sealer::Key> ReadKey(const std::string& path, const std::string& folder);

  // The right to write, beside the file ("NAMESPACE.NAME.lock"), until it is destroyed: state_lock.h. Without it two
  // processes, an old one and the one that takes its place, would undo each other's work.
  absl::StatusOr<base::FileDescriptor> Lock() const;

  absl::Status Write(const SavedState& state) const;

  // kNotFound: there is no file. kDataLoss: it is cut off or changed, sealed with another key, of another gateway or of
  // another format; it says which, and nothing of it may be served.
  absl::StatusOr<SavedState> Read() const;

  const std::string& path() const { return path_; }

 private:
  std::string HeaderLine() const;
  absl::StatusOr<SavedState> Parse(const std::string& bytes) const;

  const check::ResourceKey gateway_;
  const std::string stem_;  // of both files
  const std::string path_;
  const crypto::Sealer sealer_;
};

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_STATE_FILE_H_
