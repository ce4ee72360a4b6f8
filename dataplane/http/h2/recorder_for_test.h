#ifndef PORTICO_DATAPLANE_HTTP_H2_RECORDER_FOR_TEST_H_
#define PORTICO_DATAPLANE_HTTP_H2_RECORDER_FOR_TEST_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/http/codec.h"

// Handlers that write down in words what a codec delivers; content that comes in pieces is one line. For tests only.

namespace portico::http::h2 {

class Recorder {
 public:
  const std::vector<std::string>& lines() const { return lines_; }
  // The lines, joined by "; ", and forgotten.
  std::string Take() {
    std::string all;
    for (const std::string& line : lines_)
      all += (all.empty() ? "" : "; ") + line;
    lines_.clear();
    return all;
  }
  size_t content_bytes(StreamId id) const {
    const auto found = content_bytes_.find(id);
    return found == content_bytes_.end() ? 0 : found->second;
  }

 protected:
  static std::string Text(const Fields& fields) {
    std::string text = "[";
    for (const Field& line : fields) {
      text += (text.size() > 1 ? "," : "") + std::string(line.name) + "=" + std::string(line.value);
    }
    return text + "]";
  }
  static std::string Text(const ResponseHead& head) { return std::to_string(head.status) + " " + Text(head.fields); }
  static std::string Text(const RequestHead& head) {
    std::string text = std::string(head.method) + " " + std::string(head.scheme) + "://" + std::string(head.authority) +
                       std::string(head.path) + " " + Text(head.fields);
    if (head.expects_continue) text += " continue";
    return text;
  }
  void Write(const std::string& event, StreamId id, const std::string& text = "") {
    lines_.push_back(event + " " + std::to_string(id) + (text.empty() ? "" : " " + text));
  }
  void WriteContent(StreamId id, std::string_view content) {
    content_bytes_[id] += content.size();
    const std::string start = "content " + std::to_string(id) + " ";
    if (lines_.empty() || !lines_.back().starts_with(start)) lines_.push_back(start);
    if (lines_.back().size() < 200) lines_.back().append(content.substr(0, 200));
  }
  void WriteReset(StreamId id, ResetReason reason) {
    static constexpr const char* kNames[] = {"cancelled", "refused",  "protocol", "closed",
                                             "internal",  "no-error", "too-large"};
    Write("reset", id, kNames[static_cast<size_t>(reason)]);
  }

  std::vector<std::string> lines_;
  std::map<StreamId, size_t> content_bytes_;
};

class ServerRecorder : public ServerEvents, public Recorder {
 public:
  base::Arena& OnRequestBegin(StreamId id) override {
    arenas_.push_back(std::make_unique<base::Arena>());
    return *arenas_.back();
  }
  void OnRequest(StreamId id, RequestHead head) override { Write("request", id, Text(head)); }
  void OnBadRequest(StreamId id, MessageError error) override { Write("bad", id, std::to_string(error.status)); }
  void OnContent(StreamId id, base::Slice content) override { WriteContent(id, content.view()); }
  void OnTrailers(StreamId id, Fields trailers) override { Write("trailers", id, Text(trailers)); }
  void OnMessageEnd(StreamId id) override { Write("end", id); }
  void OnReset(StreamId id, ResetReason reason) override { WriteReset(id, reason); }
  void OnSendReady(StreamId id) override { Write("ready", id); }
  void OnPeerDrains() override { lines_.push_back("drains"); }

 private:
  std::vector<std::unique_ptr<base::Arena>> arenas_;
};

class ClientRecorder : public ClientEvents, public Recorder {
 public:
  void OnInformational(StreamId id, ResponseHead head) override { Write("informational", id, Text(head)); }
  void OnResponse(StreamId id, ResponseHead head) override { Write("response", id, Text(head)); }
  void OnContent(StreamId id, base::Slice content) override { WriteContent(id, content.view()); }
  void OnTrailers(StreamId id, Fields trailers) override { Write("trailers", id, Text(trailers)); }
  void OnMessageEnd(StreamId id) override { Write("end", id); }
  void OnReset(StreamId id, ResetReason reason) override { WriteReset(id, reason); }
  void OnSendReady(StreamId id) override { Write("ready", id); }
  void OnPeerDrains() override { lines_.push_back("drains"); }
};

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_RECORDER_FOR_TEST_H_
