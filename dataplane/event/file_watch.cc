#include "dataplane/event/file_watch.h"

#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/errno_text.h"

namespace portico::event {

namespace {

// Not IN_MODIFY: a file is read when its writer has closed it, not in the middle. IN_ATTRIB: a file that could not be
// read may be readable now.
constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                              IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

std::string Absolute(std::string_view path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? std::string(path) : absolute.string();
}

std::string ReadLink(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<size_t>(size)) : "";
}

std::string Join(const std::string& folder, std::string_view name) {
  return base::Concat(folder, folder.ends_with('/') ? "" : "/", name);
}

// Takes the first component off the front; "" at the end.
std::string TakeComponent(std::string& path) {
  const size_t begin = std::min(path.find_first_not_of('/'), path.size());
  const size_t end = std::min(path.find('/', begin), path.size());
  std::string component = path.substr(begin, end - begin);
  path.erase(0, end);
  return component;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileWatch>> FileWatch::Start(LibeventLoop& loop, std::string_view path,
                                                            Handler& handler) {
  base::FileDescriptor fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const int error = errno;
  if (fd.valid()) {
    std::unique_ptr<FileWatch> watch(new FileWatch(loop, path, handler, std::move(fd)));
    if (watch->event_.Watch(watch->fd_.get(), FdEvent::Interest::kReadable)) {
      watch->Rebuild();
      return watch;
    }
  }
  return absl::ResourceExhaustedError(base::ToAbsl(base::Concat("watching ", path, ": ", base::ErrnoText(error))));
}

FileWatch::FileWatch(LibeventLoop& loop, std::string_view path, Handler& handler, base::FileDescriptor fd)
    : loop_(loop),
      path_(Absolute(path)),
      handler_(handler),
      fd_(std::move(fd)),
      event_(loop, *this),
      timer_(loop.timers(), *this) {}

// The new watches are made before the old ones go, so nothing is missed between; adding a folder again gives the same
// descriptor.
void FileWatch::Rebuild() {
  polling_ = false;
  std::map<int, Folder> old = std::exchange(folders_, {});
  Follow(path_, /*into_folder=*/true);
  for (const auto& [watch, folder] : old)
    if (!folders_.contains(watch)) inotify_rm_watch(fd_.get(), watch);
  if (polling_) timer_.Set(loop_.Now() + kPollInterval);
}

// A folder is watched before what is in it is looked at: a change after the look is an event, one before it is seen.
void FileWatch::Follow(std::string path, bool into_folder) {
  std::string folder = "/";
  for (int links = 0; links <= kLinksMax;) {
    const std::string name = TakeComponent(path);
    if (name.empty()) break;
    if (name == ".") continue;
    if (name == "..") {
      folder = std::filesystem::path(folder).parent_path().string();
      continue;
    }
    if (Folder* watched = WatchFolder(folder)) watched->names.insert(name);
    const std::string here = Join(folder, name);
    struct stat status;
    if (::lstat(here.c_str(), &status) != 0) return;  // comes into being: then it is an event
    if (S_ISLNK(status.st_mode)) {
      ++links;
      const std::string target = ReadLink(here);
      if (target.starts_with('/')) folder = "/";
      path = base::Concat(target, "/", path);
    } else if (S_ISDIR(status.st_mode)) {
      folder = here;
    } else {
      return;
    }
  }
  if (!into_folder) return;
  Folder* watched = WatchFolder(folder);
  if (watched == nullptr) return;
  watched->all_names = true;
  std::error_code error;
  auto entry = std::filesystem::directory_iterator(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_symlink(ignored)) Follow(entry->path().string(), /*into_folder=*/false);
  }
}

FileWatch::Folder* FileWatch::WatchFolder(const std::string& path) {
  if (folders_.size() >= kFoldersMax) {
    polling_ = true;
    return nullptr;
  }
  const int watch = inotify_add_watch(fd_.get(), path.c_str(), kChanges);
  if (watch < 0) {
    // A folder that is gone again is noticed in the one above it. One that may be passed through but not read can't be
    // watched; nothing short of root could.
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) polling_ = true;
    return nullptr;
  }
  Folder& folder = folders_[watch];
  folder.path = path;
  return &folder;
}

void FileWatch::OnFdEvent(FdReadiness ready) {
  alignas(struct inotify_event) char memory[16 * 1024];
  while (true) {
    const ssize_t size = ::read(fd_.get(), memory, sizeof memory);
    if (size <= 0) return;
    for (ssize_t offset = 0; offset < size;) {
      const auto* event = reinterpret_cast<const struct inotify_event*>(memory + offset);
      offset += static_cast<ssize_t>(sizeof *event + event->len);
      const std::string_view name = event->len > 0 ? std::string_view(event->name) : std::string_view();
      if (Matters(event->wd, name, event->mask)) Changed();
    }
  }
}

bool FileWatch::Matters(int watch, std::string_view name, uint32_t what) const {
  if (what & IN_Q_OVERFLOW) return true;
  const auto place = folders_.find(watch);
  if (place == folders_.end()) return false;
  const Folder& folder = place->second;
  if (name.empty()) return (what & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
  if (!folder.all_names && !folder.names.contains(std::string(name))) return false;
  if (what & IN_CREATE) {
    // A new file is still empty; it is worth reading when its writer closes it. A link is whole from the start.
    struct stat status;
    const bool written_later =
        ::lstat(Join(folder.path, name).c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1;
    return !written_later;
  }
  return true;
}

void FileWatch::Changed() {
  if (!std::exchange(pending_, true)) first_change_ = loop_.Now();
  timer_.Set(std::min(loop_.Now() + kQuiet, first_change_ + kDelayMax));
}

void FileWatch::OnTimer(Timer& timer) {
  pending_ = false;
  Rebuild();
  handler_.OnFilesChanged();
}

}  // namespace portico::event
