#include "dataplane/source/file_source.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "api/base/check.h"
#include "dataplane/source/recording_reader.h"

namespace portico::source {
namespace {

// "conf", "conf/" and "./conf" are the same.
std::filesystem::path Folder(const std::filesystem::path& path) {
  return (path / "").lexically_normal();
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Start(event::LibeventLoop& loop, Options options,
                                                              yaml::FileReader& files,
                                                              const check::KeyPairChecker& key_pairs,
                                                              Handler& handler) {
  std::unique_ptr<FileSource> source(new FileSource(loop, std::move(options), files, key_pairs, handler));
  auto watch = event::FileWatch::Start(loop, source->options_.path, *source);
  if (!watch.ok()) return watch.status();
  source->watch_ = *std::move(watch);
  return source;
}

FileSource::FileSource(event::LibeventLoop& loop, Options options, yaml::FileReader& files,
                       const check::KeyPairChecker& key_pairs, Handler& handler)
    : loop_(loop),
      options_(std::move(options)),
      files_(files),
      key_pairs_(key_pairs),
      handler_(handler),
      jobs_("portico-build", loop, /*waiting_max=*/1) {}

FileSource::~FileSource() = default;

// A watch that polls calls at its pace, and there is nothing to tell most times.
void FileSource::OnFilesChanged() {
  bool polls = watch_->polling();
  for (const auto& [path, watch] : file_watches_)
    polls = polls || watch->polling();
  Ask(polls ? Why::kVerify : Why::kAsked);
}

void FileSource::Ask(Why why) {
  next_ = std::max(next_, why);
  if (building_ == Why::kNothing && next_ != Why::kNothing) Build();
}

void FileSource::Build() {
  building_ = std::exchange(next_, Why::kNothing);
  const bool accepted = jobs_.TryRun<Built>(
      [this, path = options_.path, gateway = options_.gateway, build = options_.build, now = loop_.WallNow()] {
        RecordingReader files(files_);
        Built built;
        built.candidate = BuildCandidate(path, files, key_pairs_, gateway, build, now);
        built.paths = files.paths();
        built.digest = files.digest();
        return built;
      },
      [this](Built built) { OnBuilt(std::move(built)); });
  PORTICO_CHECK(accepted, "one at a time");
}

void FileSource::OnBuilt(Built built) {
  const Why why = std::exchange(building_, Why::kNothing);
  const bool is_told = why == Why::kAsked || digest_ != built.digest;
  if (WatchFiles(built.paths)) next_ = std::max(next_, Why::kVerify);
  if (is_told) digest_ = built.digest;
  Ask(Why::kNothing);
  if (is_told) handler_.OnCandidate(std::move(built.candidate));  // the last: it may destroy this
}

bool FileSource::WatchFiles(const std::set<std::string>& paths) {
  std::map<std::string, std::unique_ptr<event::FileWatch>> old = std::exchange(file_watches_, {});
  bool has_new = false;
  for (const std::string& path : paths) {
    const bool covered =
        path == options_.path || Folder(std::filesystem::path(path).parent_path()) == Folder(options_.path);
    if (covered || file_watches_.size() >= kFilesMax) continue;
    if (auto known = old.extract(path)) {
      file_watches_.insert(std::move(known));
    } else if (auto watch = event::FileWatch::Start(loop_, path, *this); watch.ok()) {
      file_watches_.emplace(path, *std::move(watch));
      has_new = true;
    }
  }
  return has_new;
}

}  // namespace portico::source
