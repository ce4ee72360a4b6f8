#include "dataplane/downstream/connection.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/http/h2/frames_for_test.h"
#include "test/support/scripted_network.h"

namespace portico::downstream {
namespace {

using std::chrono::seconds;

// What an exchange heard; lives on when the exchange is gone.
struct Heard {
  std::string method, path, content;
  int bad_request = 0;
  size_t trailer_count = 0;
  bool ended = false, destroyed = false;
  std::optional<http::ResetReason> reset;
  Connection* connection = nullptr;
  http::StreamId id = 0;
};

class TestExchange final : public ExchangeEvents {
 public:
  TestExchange(std::shared_ptr<Heard> heard, bool answer_at_once)
      : heard_(std::move(heard)), at_once_(answer_at_once) {}
  ~TestExchange() override { heard_->destroyed = true; }

  base::Arena& arena() override { return arena_; }
  void OnRequest(http::RequestHead head) override {
    heard_->method = head.method;
    heard_->path = head.path;
    if (head.path == "/reset") return heard_->connection->Reset(heard_->id, http::ResetReason::kInternal);
    if (at_once_) Answer(200, "ok");
  }
  void OnBadRequest(http::MessageError error) override {
    heard_->bad_request = error.status;
    Answer(error.status, "bad");
  }
  void OnContent(base::Slice content) override {
    heard_->content += content.view();
    heard_->connection->Consumed(heard_->id, content.size());
  }
  void OnTrailers(http::Fields trailers) override { heard_->trailer_count = trailers.size(); }
  void OnRequestEnd() override { heard_->ended = true; }
  void OnReset(http::ResetReason reason) override { heard_->reset = reason; }
  void OnSendReady() override {}

  void Answer(int status, std::string_view content) {
    http::ResponseHead head(arena_);
    head.status = status;
    head.framing.length = content.size();
    head.fields.Add("content-length", std::to_string(content.size()));
    heard_->connection->SendResponse(heard_->id, head, false);
    base::Buffer buffer;
    buffer.Append(content);
    heard_->connection->SendContent(heard_->id, buffer, true);
  }

 private:
  base::Arena arena_;
  std::shared_ptr<Heard> heard_;
  const bool at_once_;
};

struct World : Connection::Owner {
  explicit World(bool open = true, std::string_view alpn = "") {
    far = std::make_shared<test::FarEnd>();
    far->open = open;
    far->alpn = alpn;
    connection = new Connection(loop, pool, std::make_unique<test::ScriptedStream>(far), *this,
                                std::make_shared<const http::Limits>(), {});
  }
  ~World() override {
    if (connection != nullptr) connection->Close();
    loop.Turn();
    for (const auto& one : heard)
      EXPECT_TRUE(one->destroyed);
    EXPECT_TRUE(far->destroyed);
    EXPECT_EQ(pool.blocks_in_use(), 0u);
    EXPECT_EQ(loop.timers().size(), 0u);
  }

  std::unique_ptr<ExchangeEvents> NewExchange(Connection& owner, http::StreamId id) override {
    heard.push_back(std::make_shared<Heard>());
    heard.back()->connection = &owner;
    heard.back()->id = id;
    auto exchange = std::make_unique<TestExchange>(heard.back(), answer_at_once);
    last = exchange.get();
    return exchange;
  }
  void OnClosed(Connection& closed) override {
    loop.DeleteLater(std::unique_ptr<event::Deletable>(&closed));
    connection = nullptr;
  }
  void Say(std::string_view bytes) {
    far->Say(bytes);
    loop.Turn();
  }

  base::BlockPool pool;
  test::ManualLoop loop;
  bool answer_at_once = true;
  std::shared_ptr<test::FarEnd> far;
  std::vector<std::shared_ptr<Heard>> heard;
  TestExchange* last = nullptr;
  Connection* connection;
};

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kSettings(std::string_view("\0\0\0\4\0\0\0\0\0", 9));

size_t Count(std::string_view text, std::string_view piece) {
  size_t count = 0;
  for (size_t at = text.find(piece); at != std::string_view::npos; at = text.find(piece, at + 1))
    ++count;
  return count;
}

TEST(ConnectionTest, EverySplitOfARequestIsAnsweredOnce) {
  for (size_t split = 0; split <= kGet.size(); ++split) {
    World world;
    world.Say(kGet.substr(0, split));
    world.Say(kGet.substr(split));
    ASSERT_EQ(world.heard.size(), 1u) << split;
    EXPECT_EQ(world.heard[0]->path, "/a");
    EXPECT_TRUE(world.heard[0]->destroyed);
    EXPECT_EQ(Count(world.far->written, "HTTP/1.1 200 OK"), 1u) << split;
  }
}

TEST(ConnectionTest, PipelinedRequestsAreAnsweredInOrder) {
  World world;
  world.Say(std::string(kGet) + std::string(kGet) + std::string(kGet));
  world.loop.Turn();
  world.loop.Turn();
  EXPECT_EQ(world.heard.size(), 3u);
  EXPECT_EQ(Count(world.far->written, "HTTP/1.1 200 OK"), 3u);
}

TEST(ConnectionTest, TheFirstBytesChooseTheProtocol) {
  struct Row {
    std::string_view name, first;
    bool http2;
  };
  const std::string preface = std::string(kPreface) + kSettings;
  const Row rows[] = {{"prior knowledge", preface, true},
                      {"a method like it", "PROPFIND /a HTTP/1.1\r\nhost: x\r\n\r\n", false},
                      {"another", "PUT /a HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n", false},
                      {"one letter off", "PRINT /a HTTP/1.1\r\nhost: x\r\n\r\n", false}};
  for (const Row& row : rows) {
    for (size_t split = 0; split <= row.first.size(); ++split) {
      World world;
      world.Say(row.first.substr(0, split));
      world.Say(row.first.substr(split));
      ASSERT_NE(world.connection, nullptr) << row.name << split;
      EXPECT_EQ(world.connection->http2(), row.http2) << row.name << split;
      if (row.http2) continue;
      EXPECT_EQ(Count(world.far->written, "HTTP/1.1 200 OK"), 1u) << row.name << split;
    }
  }
}

TEST(ConnectionTest, ContentAndTrailersReachTheExchange) {
  World world;
  world.answer_at_once = false;
  world.Say("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_EQ(world.heard[0]->content, "abc");
  EXPECT_FALSE(world.heard[0]->ended);
  world.Say("0\r\nx-sum: 1\r\n\r\n");
  EXPECT_TRUE(world.heard[0]->ended);
  EXPECT_EQ(world.heard[0]->trailer_count, 1u);
  world.last->Answer(200, "done");
  world.loop.Turn();
  EXPECT_TRUE(world.heard[0]->destroyed);
}

TEST(ConnectionTest, ABadRequestIsAnsweredAndTheConnectionLingersThenCloses) {
  World world;
  world.Say("GET / HTTP/1.1\r\nhost : x\r\n\r\n");
  EXPECT_EQ(world.heard[0]->bad_request, 400);
  EXPECT_EQ(Count(world.far->written, "HTTP/1.1 400 "), 1u);
  EXPECT_TRUE(world.far->shut_down);
  EXPECT_FALSE(world.far->destroyed);  // a reset now would eat the answer
  world.Say(std::string(100000, 'x'));
  EXPECT_TRUE(world.far->inbound.empty());
  EXPECT_FALSE(world.far->destroyed);
  world.loop.Turn(seconds(2));
  EXPECT_TRUE(world.far->destroyed);
}

TEST(ConnectionTest, LingeringEndsWithTheClientsFin) {
  World world;
  world.Say("bad\r\n\r\n");
  world.far->End();
  world.loop.Turn();
  EXPECT_TRUE(world.far->destroyed);
}

TEST(ConnectionTest, EveryWaitHasAnEnd) {
  struct Row {
    std::string_view name, said;
    base::Duration before, after;
    std::string_view answered;
  };
  const std::string greeting = std::string(kPreface) + kSettings;
  const std::string reset = greeting + http::h2::frames::Headers(1, http::h2::frames::Request("GET", "/reset"), 1);
  const std::string half_settings = greeting.substr(0, greeting.size() - 1);
  const Row rows[] = {
      {"nothing said", "", seconds(3590), seconds(3602), ""},
      {"half a preface", "PRI", seconds(9), seconds(12), ""},
      {"half a head", "GET / HT", seconds(9), seconds(12), "HTTP/1.1 408 "},
      {"between requests", kGet, seconds(3590), seconds(3602), "HTTP/1.1 200 "},
      {"HTTP/2's first word", "PRI * HT", seconds(9), seconds(12), ""},
      {"HTTP/2's preface alone", kPreface, seconds(9), seconds(12), ""},
      {"half of the settings", half_settings, seconds(9), seconds(12), ""},
      {"HTTP/2 between requests", greeting, seconds(3590), seconds(3602), ""},
      {"HTTP/2 after a reset of ours", reset, seconds(3590), seconds(3602), ""},
  };
  for (const Row& row : rows) {
    World world;
    world.Say(row.said);
    world.loop.Turn(row.before);
    EXPECT_FALSE(world.far->shut_down || world.far->destroyed) << row.name;
    world.loop.Turn(row.after - row.before);
    world.loop.Turn(seconds(2));
    EXPECT_TRUE(world.far->destroyed) << row.name;
    const bool late = row.answered == "HTTP/1.1 408 ";
    EXPECT_EQ(Count(world.far->written, "connection: close"), late ? 1u : 0u) << row.name;
    EXPECT_EQ(Count(world.far->written, row.answered.empty() ? "HTTP" : row.answered), row.answered.empty() ? 0u : 1u)
        << row.name;
  }
}

TEST(ConnectionTest, AHandshakeAndAChosenProtocolHaveTheirTime) {
  struct Row {
    std::string_view name;
    bool open;
    std::string_view alpn;
    base::Duration closes_after;
  };
  for (const Row& row : {Row{"the handshake does not end", false, "", seconds(10)},
                         Row{"h2 by ALPN, and no preface", true, "h2", seconds(10)},
                         Row{"http/1.1 by ALPN, and no request", true, "http/1.1", seconds(3600)}}) {
    World world(row.open, row.alpn);
    world.loop.Turn(row.closes_after - seconds(1));
    EXPECT_FALSE(world.far->shut_down || world.far->destroyed) << row.name;
    world.loop.Turn(seconds(2));
    world.loop.Turn(seconds(2));
    EXPECT_TRUE(world.far->destroyed) << row.name;
  }
}

// Frames that carry no message are no use of the connection, and no reading of an answer.
TEST(ConnectionTest, PingsBuyNoTime) {
  using http::h2::frames::Headers;
  using http::h2::frames::Request;
  const std::string get = Headers(1, Request("GET", "/"), http::h2::frames::kEndStream);
  const std::string post = Headers(1, Request("POST", "/"));
  struct Row {
    std::string_view name;
    std::string said;
    base::Duration closes_after;
  };
  for (const Row& row :
       {Row{"idle", std::string(kPreface) + kSettings, seconds(3600)},
        Row{"idle after a reset of ours", std::string(kPreface) + kSettings + Headers(1, Request("GET", "/reset")),
            seconds(3600)},
        Row{"answer not taken", std::string(kPreface) + http::h2::frames::Setting(4, 0) + get, Connection::kLeave},
        Row{"answer not taken, request not ended", std::string(kPreface) + http::h2::frames::Setting(4, 0) + post,
            Connection::kLeave}}) {
    World world;
    world.Say(row.said);
    base::Duration lived = seconds(0);
    for (; !world.far->shut_down && !world.far->destroyed && lived < seconds(7200); lived += seconds(5)) {
      world.Say(http::h2::frames::Ping());
      world.loop.Turn(seconds(5));
    }
    EXPECT_GE(lived, row.closes_after) << row.name;
    EXPECT_LE(lived, row.closes_after + seconds(10)) << row.name;
    world.loop.Turn(seconds(2));
    world.loop.Turn(seconds(2));
    EXPECT_TRUE(world.far->destroyed) << row.name;
  }
}

TEST(ConnectionTest, AClientThatNeverSendsTheRestIsLeftAfterItsAnswer) {
  World world;
  world.Say("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n");
  EXPECT_EQ(Count(world.far->written, "HTTP/1.1 200 OK"), 1u);
  world.loop.Turn(Connection::kLeave - seconds(1));
  EXPECT_FALSE(world.far->destroyed);
  world.loop.Turn(seconds(4));
  EXPECT_TRUE(world.far->destroyed);
}

TEST(ConnectionTest, AClientThatDoesNotReadItsLastAnswerIsLeft) {
  World world;
  world.far->write_room = 0;
  world.Say("bad\r\n\r\n");
  for (int i = 0; i < 3; ++i) {  // every byte that it reads gives it time
    world.loop.Turn(Connection::kLeave - seconds(1));
    EXPECT_FALSE(world.far->destroyed) << i;
    world.far->write_room = 1;
    world.far->handler->OnWritable();
    world.loop.Turn();
  }
  world.loop.Turn(Connection::kLeave + seconds(2));
  EXPECT_TRUE(world.far->destroyed);
}

TEST(ConnectionTest, AnExchangeUnderWayIsNotIdle) {
  World world;
  world.answer_at_once = false;
  world.Say(kGet);
  world.loop.Turn(seconds(7200));
  EXPECT_FALSE(world.far->destroyed);
  world.last->Answer(200, "late");
  world.loop.Turn();
  EXPECT_EQ(Count(world.far->written, "HTTP/1.1 200 OK"), 1u);
}

// The exchange is long over here, but the client still reads its answer.
TEST(ConnectionTest, AnAnswerThatIsStillBeingReadIsNotIdle) {
  World world;
  world.answer_at_once = false;
  world.Say(kGet);
  world.far->write_room = 0;
  world.last->Answer(200, std::string(1000, 'x'));
  world.loop.Turn();
  for (int i = 0; i < 4; ++i) {  // every byte that it reads gives it time
    world.loop.Turn(seconds(25));
    EXPECT_FALSE(world.far->destroyed) << i;
    world.far->write_room = 10;
    world.far->handler->OnWritable();
    world.loop.Turn();
  }
  EXPECT_EQ(world.far->written.size(), 40u);
  world.loop.Turn(seconds(32));  // and when it reads no more, its time is over
  world.loop.Turn(seconds(2));
  EXPECT_TRUE(world.far->destroyed);
}

// The client leaves at every point: the exchange hears of it once, and nothing stays behind (World's destructor).
TEST(ConnectionTest, TheClientMayLeaveAtEveryPoint) {
  const std::string whole = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello";
  for (const bool reset : {false, true}) {
    for (size_t point = 0; point <= whole.size(); ++point) {
      World world;
      world.answer_at_once = false;
      world.Say(std::string_view(whole).substr(0, point));
      reset ? world.far->Fail() : world.far->End();
      world.loop.Turn();
      if (!world.heard.empty() && world.heard[0]->bad_request == 0) {
        EXPECT_EQ(world.heard[0]->reset, http::ResetReason::kClosed) << point << reset;
      }
      world.loop.Turn(seconds(2));
      EXPECT_TRUE(world.far->destroyed) << point << reset;
    }
  }
}

TEST(ConnectionTest, AClientThatSaidItsLastWordGetsItsAnswer) {
  World world;
  world.answer_at_once = false;
  world.Say("GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  world.far->End();
  world.loop.Turn();
  EXPECT_FALSE(world.heard[0]->reset);
  world.last->Answer(200, "ok");
  world.loop.Turn();
  EXPECT_EQ(Count(world.far->written, "HTTP/1.1 200 OK"), 1u);
  world.loop.Turn(seconds(2));
  EXPECT_TRUE(world.far->destroyed);
}

TEST(ConnectionTest, PipelinedRequestsWaitForAClientThatDoesNotRead) {
  World world;
  world.answer_at_once = false;
  world.Say(std::string(kGet) + std::string(kGet));
  world.far->write_room = 0;
  world.last->Answer(200, std::string(1'000'000, 'x'));
  world.loop.Turn();
  world.loop.Turn();
  EXPECT_EQ(world.heard.size(), 1u);
  world.far->write_room = SIZE_MAX;
  world.far->handler->OnWritable();  // all of it is written at once: nothing else will wake the connection
  world.loop.Turn();
  EXPECT_EQ(world.heard.size(), 2u);
  world.last->Answer(200, "ok");
}

TEST(ConnectionTest, ASlowReaderHoldsNothingButItsAnswer) {
  World world;
  world.answer_at_once = false;
  world.Say(kGet);
  world.far->write_room = 10;
  world.last->Answer(200, std::string(100000, 'x'));
  world.loop.Turn();
  EXPECT_EQ(world.far->written.size(), 10u);
  world.far->write_room = SIZE_MAX;
  world.far->handler->OnWritable();
  world.loop.Turn();
  EXPECT_GT(world.far->written.size(), 100000u);
}

TEST(ConnectionTest, DrainSaysCloseWithTheNextAnswer) {
  World world;
  world.answer_at_once = false;
  world.Say(kGet);
  world.connection->Drain(false);
  world.last->Answer(200, "ok");
  world.loop.Turn();
  EXPECT_EQ(Count(world.far->written, "connection: close"), 1u);
  EXPECT_TRUE(world.far->shut_down);
}

TEST(ConnectionTest, AnIdleConnectionIsKeptUntilTheDrainIsFinal) {
  World world;
  world.Say(kGet);
  world.connection->Drain(false);
  world.loop.Turn();
  EXPECT_FALSE(world.far->shut_down);
  world.Say(kGet);  // came in time: answered, then closed
  EXPECT_EQ(Count(world.far->written, "HTTP/1.1 200 OK"), 2u);
  EXPECT_TRUE(world.far->shut_down);

  World other;
  other.Say(kGet);
  other.connection->Drain(true);
  other.loop.Turn();
  EXPECT_TRUE(other.far->shut_down);
}

TEST(ConnectionTest, AnAgedWarningEndsAnIdleHttp2ConnectionAlone) {
  for (const bool http2 : {true, false}) {
    World world;
    world.Say(http2 ? std::string(kPreface) + kSettings : std::string(kGet));
    world.connection->AgeWarning();
    world.connection->AgeWarning();
    EXPECT_FALSE(world.far->shut_down) << http2;  // nobody was warned
    world.connection->Drain(false);
    world.connection->AgeWarning();
    world.loop.Turn();
    EXPECT_FALSE(world.far->shut_down) << http2;
    world.connection->AgeWarning();
    world.loop.Turn();
    EXPECT_EQ(world.far->shut_down, http2);
  }
}

TEST(ConnectionTest, TheExchangeMayResetItself) {
  World world;
  world.answer_at_once = false;
  world.Say(kGet);
  world.connection->Reset(world.heard[0]->id, http::ResetReason::kInternal);
  world.loop.Turn(seconds(2));
  EXPECT_FALSE(world.heard[0]->reset);
  EXPECT_TRUE(world.heard[0]->destroyed);
  EXPECT_TRUE(world.far->destroyed);
}

}  // namespace
}  // namespace portico::downstream
