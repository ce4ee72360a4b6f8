#ifndef PORTICO_DATAPLANE_SOURCE_FILE_SOURCE_H_
#define PORTICO_DATAPLANE_SOURCE_FILE_SOURCE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/check/key_pair.h"
#include "api/yaml/read.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/event/file_watch.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/offload/job_thread.h"
#include "dataplane/snapshot/snapshot_config.h"
#include "dataplane/source/candidate.h"

namespace portico::source {

// The configuration of a file or a folder, built anew whenever it changes: on a thread of its own, so that the loop
// goes on answering.
//
//   auto source = FileSource::Start(loop, {.path = "/etc/portico", .build = options}, files, key_pairs, *this);
//   (*source)->Reload();                    → OnCandidate(the first one)
//   somebody edits the file                 → OnCandidate(refused: keep what runs)
//   somebody mends it                       → OnCandidate(good)
//
// It is watched from Start on, so nothing is missed between that and the first reading. Files that Secrets name are
// watched as well, wherever they are. Every change is told, also one back to what was there before; several while a
// candidate is being built become one more candidate, of what is there then.
class FileSource : private event::FileWatch::Handler {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // On the loop, never inside Start or Reload. May destroy the source. Refused: whatever runs goes on.
    virtual void OnCandidate(Candidate candidate) = 0;
  };

  struct Options {
    std::string path;
    std::optional<check::ResourceKey> gateway = std::nullopt;  // as BuildCandidate
    snapshot::BuildOptions build;
  };

  // Files of Secrets outside of `path` that are watched; changes of the rest are seen at the next reading.
  static constexpr size_t kFilesMax = 32;  // each costs an inotify instance, of which the kernel gives a user 128

  // Loop, files, key_pairs and handler outlive it; `files` and `key_pairs` are used on its thread alone. Fails only if
  // the kernel can't watch.
  static absl::StatusOr<std::unique_ptr<FileSource>> Start(event::LibeventLoop& loop, Options options,
                                                           yaml::FileReader& files,
                                                           const check::KeyPairChecker& key_pairs, Handler& handler);
  // Waits for the candidate that is being built, which is dropped.
  ~FileSource() override;

  // Builds now, whether anything changed or not.
  void Reload() { Ask(Why::kAsked); }
  bool building() const { return building_ != Why::kNothing; }

 private:
  // In order of weight. kVerify: told only if something is different from what was last read.
  enum class Why : uint8_t { kNothing, kVerify, kAsked };
  struct Built {
    Candidate candidate;
    std::set<std::string> paths;  // that were read
    crypto::Sha256Digest digest;
  };

  FileSource(event::LibeventLoop& loop, Options options, yaml::FileReader& files,
             const check::KeyPairChecker& key_pairs, Handler& handler);
  void OnFilesChanged() override;
  void Ask(Why why);
  void Build();
  void OnBuilt(Built built);
  // True: there is a file that was not watched while it was read.
  bool WatchFiles(const std::set<std::string>& paths);

  event::LibeventLoop& loop_;
  Options options_;
  yaml::FileReader& files_;
  const check::KeyPairChecker& key_pairs_;
  Handler& handler_;
  std::unique_ptr<event::FileWatch> watch_;
  std::map<std::string, std::unique_ptr<event::FileWatch>> file_watches_;  // by path
  std::optional<crypto::Sha256Digest> digest_;                             // of what was last told
  Why building_ = Why::kNothing;
  Why next_ = Why::kNothing;  // asked for while one was being built
  offload::JobThread jobs_;
};

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_FILE_SOURCE_H_
