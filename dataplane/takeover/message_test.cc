#include "dataplane/takeover/message.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"

namespace portico::takeover {
namespace {

using Kind = Message::Kind;

net::Address At(std::string_view text) {
  return net::Address::ParseWithPort(text).value();
}

std::string Frame(Kind kind, std::string_view body = "", uint8_t version = Message::kVersion) {
  std::string bytes = "PTKO";
  bytes.push_back(static_cast<char>(version));
  bytes.push_back(static_cast<char>(kind));
  return bytes.append(body);
}

TEST(Message, IsReadAsItWasWritten) {
  struct Row {
    std::string_view name;
    Message message;
    std::string bytes;
  };
  const Row rows[] = {
      {"the question", {.kind = Kind::kAsk, .addresses = {}, .text = {}}, Frame(Kind::kAsk)},
      {"sockets", {.kind = Kind::kSockets, .addresses = {}, .text = {}}, Frame(Kind::kSockets, {"\0", 1})},
      {"some of them",
       {.kind = Kind::kSockets, .more = true, .addresses = {}, .text = {}},
       Frame(Kind::kSockets, "\1")},
      {"ready", {.kind = Kind::kReady, .addresses = {}, .text = {}}, Frame(Kind::kReady)},
      {"go", {.kind = Kind::kGo, .addresses = {}, .text = {}}, Frame(Kind::kGo)},
      {"serving nothing", {.kind = Kind::kServing, .addresses = {}, .text = {}}, Frame(Kind::kServing)},
      {"serving",
       {.kind = Kind::kServing, .addresses = {At("127.0.0.1:80"), At("[fd00::1]:8443")}, .text = {}},
       Frame(Kind::kServing, {"\4\x7f\0\0\1\0\x50"
                              "\6\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x20\xfb",
                              7 + 19})},
      {"a refusal", {.kind = Kind::kRefused, .addresses = {}, .text = "busy"}, Frame(Kind::kRefused, "busy")},
  };
  for (const Row& row : rows) {
    const absl::StatusOr<std::string> bytes = Encode(row.message);
    ASSERT_TRUE(bytes.ok()) << row.name;
    EXPECT_EQ(*bytes, row.bytes) << row.name;
    const absl::StatusOr<Message> again = Decode(row.bytes);
    ASSERT_TRUE(again.ok()) << row.name << ": " << again.status();
    EXPECT_TRUE(*again == row.message) << row.name;
  }
}

TEST(Message, IsRefused) {
  struct Row {
    std::string_view name;
    std::string bytes;
    std::string_view says;
  };
  const Row rows[] = {
      {"nothing", "", "does not begin as one"},
      {"a head that is cut off", "PTKO\1", "does not begin as one"},
      {"something else", "GET / HTTP/1.1\r\n\r\n", "does not begin as one"},
      {"a later version", Frame(Kind::kAsk, "", 2),
       "it speaks version 2 of the takeover's protocol, this process vers"},
      {"version 0", Frame(Kind::kAsk, "", 0), "it speaks version 0"},
      {"kind 0", Frame(static_cast<Kind>(0)), "an unknown kind, 0"},
      {"kind 7", Frame(static_cast<Kind>(7)), "an unknown kind, 7"},
      {"kind 255", Frame(static_cast<Kind>(255)), "an unknown kind, 255"},
      {"a question with a body", Frame(Kind::kAsk, "x"), "more bytes"},
      {"ready with a body", Frame(Kind::kReady, "x"), "more bytes"},
      {"go with a body", Frame(Kind::kGo, "x"), "more bytes"},
      {"sockets without a word", Frame(Kind::kSockets), "do not say if more follow"},
      {"sockets with 2", Frame(Kind::kSockets, "\2"), "do not say if more follow"},
      {"sockets with two bytes", Frame(Kind::kSockets, "\1\1"), "do not say if more follow"},
      {"an unknown family", Frame(Kind::kServing, "\5\1\1\1\1\1\1"), "unknown family"},
      {"a family alone", Frame(Kind::kServing, "\4"), "cut off"},
      {"IPv4 that is cut off", Frame(Kind::kServing, "\4\1\1\1\1\1"), "cut off"},
      {"IPv6 that is cut off", Frame(Kind::kServing, "\6\1\1\1\1\1\1"), "cut off"},
      {"a second one that is cut off", Frame(Kind::kServing, "\4\1\1\1\1\1\1\4"), "cut off"},
      {"a long refusal", Frame(Kind::kRefused, std::string(Message::kTextBytesMax + 1, 'x')), "too long"},
      {"a long one", Frame(Kind::kServing, std::string(Message::kBytesMax, '\4')), "too long"},
  };
  for (const Row& row : rows) {
    const absl::StatusOr<Message> message = Decode(row.bytes);
    ASSERT_FALSE(message.ok()) << row.name;
    EXPECT_NE(base::ToStd(message.status().message()).find(row.says), std::string_view::npos)
        << row.name << ": " << message.status();
  }
}

// Else a process of another version could not be told why it is refused.
TEST(Message, ARefusalIsReadInEveryVersion) {
  EXPECT_EQ(Decode(Frame(Kind::kRefused, "version 9 is too new\n", 9))->text, "version 9 is too new?");
}

TEST(Message, IsNotWrittenTooLong) {
  Message message{.kind = Kind::kServing, .addresses = {}, .text = {}};
  message.addresses.assign(Message::kBytesMax / 7, At("127.0.0.1:1"));
  EXPECT_EQ(Encode(message).status().code(), absl::StatusCode::kOutOfRange);
  message.addresses.resize(message.addresses.size() - 1);
  EXPECT_TRUE(Encode(message).ok());
  const Message wordy{.kind = Kind::kRefused, .addresses = {}, .text = std::string(2 * Message::kTextBytesMax, 'x')};
  EXPECT_EQ(Decode(Encode(wordy).value())->text, std::string(Message::kTextBytesMax, 'x'));
}

}  // namespace
}  // namespace portico::takeover
