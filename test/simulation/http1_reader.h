#ifndef PORTICO_TEST_SIMULATION_HTTP1_READER_H_
#define PORTICO_TEST_SIMULATION_HTTP1_READER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "test/simulation/client_exchange.h"

namespace portico::simulation {

// Reads HTTP/1.1 responses byte by byte and without any leniency (RFC 9112): what the proxy's own codec would forgive,
// this one does not. A second implementation on purpose, so that a mistake in the first one does not hide itself.
class Http1Reader {
 public:
  class Sink {
   public:
    enum class Due : uint8_t { kNothing, kResponse, kResponseToHead };
    // What the next response belongs to.
    virtual Due ResponseDue() = 0;
    virtual void OnInformational(int status) = 0;
    virtual void OnHead(int status, FieldList fields) = 0;
    virtual void OnContent(std::string_view bytes) = 0;
    virtual void OnTrailers(FieldList trailers) = 0;
    virtual void OnEnd() = 0;

   protected:
    ~Sink() = default;
  };

  explicit Http1Reader(Sink& sink) : sink_(sink) {}

  // "", or what is wrong: then nothing more may be fed.
  std::string Feed(std::string_view bytes);
  // The connection has ended. True: that was the end of the response under way.
  bool EndOfStream();

 private:
  enum class State : uint8_t { kStatusLine, kFields, kContent, kChunkSize, kChunk, kChunkEnd, kTrailers, kUntilClose };
  static constexpr size_t kLineBytesMax = 16 * 1024;

  void TakeLine(std::string_view line);
  void TakeStatusLine(std::string_view line);
  void TakeField(std::string_view line);
  void TakeHead();
  void TakeChunkSize(std::string_view line);
  size_t TakeContent(std::string_view bytes);
  void End();
  void Fail(std::string_view why);

  Sink& sink_;
  State state_ = State::kStatusLine;
  Sink::Due due_ = Sink::Due::kNothing;
  std::string line_;
  int status_ = 0;
  FieldList fields_;
  uint64_t left_ = 0;  // bytes of the content, or of the chunk
  std::string failure_;
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_HTTP1_READER_H_
