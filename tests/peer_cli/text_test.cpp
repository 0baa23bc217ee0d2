#include "peer/cli/shared/text.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

class TextTest : public testing::Test {
 protected:
  void SetUp() override { use_utf8(); }
};

TEST_F(TextTest, PrintableTextStaysAsItIs) {
  EXPECT_EQ(visible_line("Grüße, 世界 \U0001f600"), "Grüße, 世界 \U0001f600");
}

TEST_F(TextTest, ControlCharactersBecomeEscapes) {
  EXPECT_EQ(visible_line("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(visible_line("\x1b[31mred\x07"), "\\e[31mred\\x07");
  EXPECT_EQ(visible_line(std::string("\0\x7f", 2)), "\\x00\\x7f");
}

TEST_F(TextTest, C1ControlsAndMarksOfDirectionBecomeEscapes) {
  EXPECT_EQ(visible_line("\u009b2J"), "\\u{9b}2J");
  EXPECT_EQ(visible_line("\u202eevil"), "\\u{202e}evil");
  EXPECT_EQ(visible_line("\u2028"), "\\u{2028}");
}

TEST_F(TextTest, BytesThatAreNoUtf8BecomeEscapes) {
  EXPECT_EQ(visible_line("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(visible_line("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // A surrogate.
}

TEST_F(TextTest, FurtherLinesOfABlockAreIndentedSoThatTheyCannotLookLikeOurs) {
  EXPECT_EQ(visible_block("one\n12:00:00 bob: two\n", 4), "one\n    12:00:00 bob: two");
  EXPECT_EQ(visible_block("a\r\nb\rc", 1), "a\n b\\rc");
}

RC_GTEST_PROP(TextProperty, AnyBytesBecomeVisibleUtf8, (const std::string& bytes)) {
  for (const std::string& text : {visible_line(bytes), visible_block(bytes, 2)}) {
    RC_ASSERT(is_utf8(text));
    RC_ASSERT(std::ranges::none_of(text, [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f;
    }));
  }
  RC_ASSERT(visible_line(bytes).find('\n') == std::string::npos);
  RC_ASSERT(is_utf8(as_utf8(bytes)));
}

TEST_F(TextTest, WideCharactersNeedTwoColumns) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("世界"), 4U);
  EXPECT_EQ(padded("世", 4), "世  ");
}

TEST_F(TextTest, ShortenedTextEndsInAMark) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abcde…");
  EXPECT_EQ(shortened("世界世", 5), "世界…");
}

}  // namespace
}  // namespace zpost::cli
