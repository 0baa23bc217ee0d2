#include "zpost/protocol/names.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>

namespace zpost {
namespace {

void append_utf8(std::string& text, std::uint32_t code_point) {
  const auto put = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | code_point >> 6);
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3f));
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
}

TEST(NamesTest, APatternMatchesItselfOrWhatStartsLikeIt) {
  EXPECT_TRUE(matches_name_pattern("bob", "bob"));
  EXPECT_FALSE(matches_name_pattern("bob", "bobby"));
  EXPECT_TRUE(matches_name_pattern("bob*", "bobby"));
  EXPECT_TRUE(matches_name_pattern("bob*", "bob"));
  EXPECT_FALSE(matches_name_pattern("bob*", "bo"));
  EXPECT_TRUE(matches_name_pattern("*", "anybody"));
}

TEST(NamesTest, AnIdentityLendsItsName) {
  const std::string identity = "bob~0123456789abcdef0123456789abcdef";
  const auto name = name_of_identity(identity);
  ASSERT_TRUE(name);
  EXPECT_EQ(*name, "bob");
  EXPECT_EQ(name->data(), identity.data());
}

TEST(NamesTest, HexIsOfTheDigitsAskedForInLowercase) {
  EXPECT_TRUE(is_hex("09af", 4));
  EXPECT_TRUE(is_hex("", 0));
  EXPECT_FALSE(is_hex("09af", 5));
  EXPECT_FALSE(is_hex("09aF", 4));
  EXPECT_FALSE(is_hex("09ag", 4));
}

TEST(Utf8Test, EveryCodePointExceptSurrogatesIsText) {
  for (std::uint32_t code_point = 0; code_point <= 0x110000; ++code_point) {
    std::string text;
    append_utf8(text, code_point);
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    ASSERT_EQ(is_utf8(text), !surrogate && code_point <= 0x10ffff) << code_point;
  }
}

TEST(Utf8Test, OverlongFormsLoneBytesAndCutCharactersAreNoText) {
  for (const char* text : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\x80",
                           "\xbf", "\xfe", "\xff", "\xc3", "\xe2\x98", "\xf0\x9f\x98", "\xc3(",
                           "\xf5\x80\x80\x80", "12345678\xff", "1234567\xc3"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Utf8Test, TextIsCheckedWhereverTheBadByteStands) {
  for (std::size_t size = 1; size < 40; ++size) {
    std::string text(size, 'x');
    EXPECT_TRUE(is_utf8(text));
    for (std::size_t at = 0; at < size; ++at) {
      std::string bad = text;
      bad[at] = '\x80';
      EXPECT_FALSE(is_utf8(bad)) << size << " " << at;
    }
  }
}

RC_GTEST_PROP(NamesProperty, EveryNameIsAPatternThatMatchesOnlyIt, (const std::string& text)) {
  RC_ASSERT(!is_name(text) || (is_name_pattern(text) && matches_name_pattern(text, text)));
  RC_ASSERT(!is_name(text) || is_name_pattern(text + "*"));
  RC_ASSERT(!is_name(text) || !matches_name_pattern(text, text + "x"));
}

}  // namespace
}  // namespace zpost
