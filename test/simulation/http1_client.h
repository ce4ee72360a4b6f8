#ifndef PORTICO_TEST_SIMULATION_HTTP1_CLIENT_H_
#define PORTICO_TEST_SIMULATION_HTTP1_CLIENT_H_

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "test/simulation/client.h"
#include "test/simulation/http1_reader.h"

namespace portico::simulation {

// A client that speaks HTTP/1.1, and sometimes sends the next request before the last response has come.
class Http1Client final : public Client, private Http1Reader::Sink {
 public:
  Http1Client(const ClientParts& parts, std::deque<Script> scripts, bool pipelines)
      : Client(parts, std::move(scripts)), pipelines_(pipelines) {}

 private:
  static constexpr size_t kPipelineMax = 4;
  // A server that has answered reads less than this of the rest of a request, and closes if there is more.
  static constexpr size_t kUnreadBytesMax = 48 * 1024;
  static constexpr size_t kOutputBytes = 8 * 1024;  // content that is made ahead of its writing

  size_t under_way() const override { return exchanges_.size(); }
  bool CanBegin() const override;
  void OnConnected() override;
  void OnDisconnected(bool excused) override;
  void BeginExchange(std::unique_ptr<ClientExchange> exchange) override;
  void OnBytes(std::string_view bytes) override;
  std::string_view Output() override;
  void Written(size_t bytes) override { output_.erase(0, bytes); }
  Script::Pace ReadPace() const override {
    return exchanges_.empty() ? Script::Pace::kEager : exchanges_.front()->script().pace;
  }
  void OnEndOfStream() override { reader_->EndOfStream(); }
  void OnLeaving(ClientExchange& exchange) override;

  Due ResponseDue() override;
  void OnInformational(int status) override;
  void OnHead(int status, FieldList fields) override;
  void OnContent(std::string_view bytes) override { exchanges_.front()->Content(bytes); }
  void OnTrailers(FieldList trailers) override { exchanges_.front()->Trailers(trailers); }
  void OnEnd() override;

  void MakeContent();
  void EndContent();

  const bool pipelines_;
  std::unique_ptr<Http1Reader> reader_;
  std::deque<std::unique_ptr<ClientExchange>> exchanges_;  // the responses are due in this order
  std::string output_;
  const ClientExchange* sending_ = nullptr;  // whose content is not yet in output_
  uint64_t sent_ = 0;                        // bytes of it that are
  bool held_back_ = false;                   // until a 100 comes
  bool last_ = false;                        // the response under way is the last on the connection
  bool perhaps_last_ = false;                // a response was, if its request was not read to the end
  bool disconnect_ = false;                  // once the reader has returned
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_HTTP1_CLIENT_H_
