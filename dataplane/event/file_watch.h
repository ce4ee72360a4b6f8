#ifndef PORTICO_DATAPLANE_EVENT_FILE_WATCH_H_
#define PORTICO_DATAPLANE_EVENT_FILE_WATCH_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/time.h"
#include "dataplane/event/fd_event.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"

namespace portico::event {

// Notices that a file, or what a folder holds, is no longer what it was: written, renamed over, created, deleted, or
// reached by a symbolic link that now points elsewhere (Kubernetes swaps `..data` in the folder above the files).
//
// It watches folders, never files: each folder through which the path and its links lead, for the one name that leads
// on, and the folder itself for all names. The path need not exist yet. Folders inside a watched folder are not looked
// into. Built on inotify, so changes on the far side of a network file system go unnoticed.
//
//   auto watch = FileWatch::Start(loop, "/etc/portico", *this);   → OnFilesChanged()   (read everything anew)
//
// Changes are gathered: told once kQuiet after the last one, and kDelayMax after the first one at the latest. What
// changes while the handler reads is told again.
class FileWatch : private FdEvent::Handler, private Timer::Handler {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnFilesChanged() = 0;
  };

  static constexpr base::Duration kQuiet = std::chrono::milliseconds(50);      // an editor's save is several events
  static constexpr base::Duration kDelayMax = std::chrono::milliseconds(500);  // somebody who never stops writing
  // When the kernel has no watches left, OnFilesChanged comes at this pace instead, whether anything changed or not.
  static constexpr base::Duration kPollInterval = std::chrono::seconds(5);
  static constexpr size_t kFoldersMax = 256;  // and kLinksMax links in a row, as the kernel has it
  static constexpr int kLinksMax = 40;

  // Loop and handler outlive it. Fails only if the kernel gives no inotify descriptor.
  static absl::StatusOr<std::unique_ptr<FileWatch>> Start(LibeventLoop& loop, std::string_view path, Handler& handler);

  // Some part could not be watched; it polls.
  bool polling() const { return polling_; }

 private:
  struct Folder {
    std::string path;
    std::set<std::string> names;  // that matter in it
    bool all_names = false;
  };

  FileWatch(LibeventLoop& loop, std::string_view path, Handler& handler, base::FileDescriptor fd);
  void OnFdEvent(FdReadiness ready) override;
  void OnTimer(Timer& timer) override;

  // Walks the path anew and watches what it finds.
  void Rebuild();
  void Follow(std::string path, bool into_folder);
  Folder* WatchFolder(const std::string& path);
  bool Matters(int watch, std::string_view name, uint32_t what) const;
  void Changed();

  LibeventLoop& loop_;
  const std::string path_;
  Handler& handler_;
  base::FileDescriptor fd_;
  FdEvent event_;
  Timer timer_;
  std::map<int, Folder> folders_;  // by watch descriptor
  bool pending_ = false;           // a change was seen and not told yet
  base::MonotonicTime first_change_{};
  bool polling_ = false;
};

}  // namespace portico::event

#endif  // PORTICO_DATAPLANE_EVENT_FILE_WATCH_H_
