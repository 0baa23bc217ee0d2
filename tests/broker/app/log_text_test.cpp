#include "broker/app/log_text.h"

#include <gtest/gtest.h>

#include "zpost/protocol/names.h"

namespace zpost::app {
namespace {

TEST(LogTextTest, PlainTextStaysAsItIs) {
  const std::string line = R"(joined name=bob software="a \"b\" ~")";
  EXPECT_EQ(log_text(line), line);
  EXPECT_EQ(log_text("gr\u00fc\u00dfe \u4f60\u597d \U0001f600"),
            "gr\u00fc\u00dfe \u4f60\u597d \U0001f600");
  EXPECT_EQ(log_text(""), "");
}

TEST(LogTextTest, NothingStartsALineOrCommandsATerminal) {
  EXPECT_EQ(log_text("x\n2026 joined\r\t"), "x\\x0a2026 joined\\x0d\\x09");
  EXPECT_EQ(log_text("\x1b[2J\x7f"), "\\x1b[2J\\x7f");
  EXPECT_EQ(log_text(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(log_text("\u0085\u009b"), "\\xc2\\x85\\xc2\\x9b") << "control characters of two bytes";
  EXPECT_EQ(log_text("\u2028\u202e"), "\\xe2\\x80\\xa8\\xe2\\x80\\xae")
      << "line end, turned around";
}

TEST(LogTextTest, BytesThatAreNoUtf8AreShownOneByOne) {
  EXPECT_EQ(log_text("a\xff\xc3(\xe2\x82"), "a\\xff\\xc3(\\xe2\\x82");
  EXPECT_EQ(log_text("\xc0\x8a"), "\\xc0\\x8a") << "an overlong line end";
}

TEST(LogTextTest, LongLinesAreCutBetweenCharacters) {
  for (const std::string piece : {"x", "\n", "\u00fc", "\U0001f600"}) {
    std::string text;
    while (text.size() <= kMaxLogLineBytes) text += piece;
    const std::string line = log_text(text);
    EXPECT_LE(line.size(), kMaxLogLineBytes);
    EXPECT_GT(line.size(), kMaxLogLineBytes - 10);
    EXPECT_TRUE(line.ends_with("\u2026"));
    EXPECT_TRUE(is_utf8(line));
  }
  EXPECT_EQ(log_text(std::string(kMaxLogLineBytes, 'x')), std::string(kMaxLogLineBytes, 'x'));
}

}  // namespace
}  // namespace zpost::app
