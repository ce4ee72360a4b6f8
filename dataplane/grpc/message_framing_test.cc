#include "dataplane/grpc/message_framing.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "api/base/text.h"

namespace portico::grpc {
namespace {

using base::Concat;

constexpr size_t kBytesMax = 300;

std::string Framed(std::string_view message) {
  base::Buffer buffer;
  AppendMessage(message, buffer);
  return buffer.ToString();
}

// What is read, in words: "abc|", "abc|!cut" (ends inside a message), "abc|!RESOURCE_EXHAUSTED: …".
std::string ReadAll(const std::vector<std::string_view>& pieces) {
  MessageReader reader(kBytesMax);
  base::Buffer input;
  std::string text;
  for (const std::string_view piece : pieces) {
    input.Append(piece);
    while (true) {
      const auto message = reader.Read(input);
      if (!message.ok()) {
        EXPECT_EQ(reader.Read(input).status(), message.status()) << "an error is for good";
        return Concat(text, "!", base::ToStd(message.status().message()));
      }
      if (!message->has_value()) break;
      text += **message + "|";
    }
    EXPECT_TRUE(input.empty());
  }
  return reader.between_messages() ? text : text + "!cut";
}

TEST(MessageFramingTest, MessagesAreReadWholeInAnySplit) {
  const struct {
    const char* name;
    std::string input;
    std::string read;
  } kRows[] = {
      {"nothing", "", ""},
      {"one", Framed("abc"), "abc|"},
      {"an empty one", Framed(""), "|"},
      {"several", Framed("a") + Framed("") + Framed("bc"), "a||bc|"},
      {"as large as may be", Framed(std::string(kBytesMax, 'x')), std::string(kBytesMax, 'x') + "|"},
      {"one byte larger", Framed("a") + Framed(std::string(kBytesMax + 1, 'x')),
       "a|!a message of 301 bytes; at most 300 are taken"},
      {"a length with its highest bit", std::string("\0\xff\xff\xff\xff", 5),
       "!a message of 4294967295 bytes; at most 300 are taken"},
      {"compressed", std::string("\1\0\0\0\1x", 6), "!a compressed message, which was not asked for"},
      {"an unknown flag", Framed("a") + std::string("\x80\0\0\0\1x", 6), "a|!a message with the unknown flag 128"},
      {"ends inside a prefix", Framed("a") + std::string("\0\0", 2), "a|!cut"},
      {"ends behind a prefix", std::string("\0\0\0\0\1", 5), "!cut"},
      {"ends inside a message", Framed("abc").substr(0, 7), "!cut"},
  };
  for (const auto& row : kRows) {
    const std::string_view input = row.input;
    EXPECT_EQ(ReadAll({input}), row.read) << row.name;
    for (size_t i = 0; i <= input.size(); ++i)
      EXPECT_EQ(ReadAll({input.substr(0, i), input.substr(i)}), row.read) << row.name << " split at " << i;
    std::vector<std::string_view> bytes;
    for (size_t i = 0; i < input.size(); ++i)
      bytes.push_back(input.substr(i, 1));
    EXPECT_EQ(ReadAll(bytes), row.read) << row.name << " byte by byte";
  }
}

TEST(MessageFramingTest, NothingBeyondTheMessageIsTaken) {
  MessageReader reader(kBytesMax);
  base::Buffer input;
  input.Append(Framed("abc") + Framed("de"));
  ASSERT_EQ(**reader.Read(input), "abc");
  EXPECT_EQ(input.size(), kPrefixBytes + 2);
  EXPECT_TRUE(reader.between_messages());
}

}  // namespace
}  // namespace portico::grpc
