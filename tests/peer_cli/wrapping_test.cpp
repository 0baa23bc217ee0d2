#include "peer/cli/wrapping.h"

#include <gmock/gmock.h>

#include <clocale>

namespace zpost::cli {
namespace {

TEST(WrappingTest, ARowBeginsBeforeAWordThatWouldBeCut) {
  Wrapping rows(12, 0, {});
  EXPECT_EQ(rows.put("one two three four"), "one two\nthree four");
}

TEST(WrappingTest, AWordThatJustFitsStays) {
  Wrapping rows(7, 0, {});
  EXPECT_EQ(rows.put("one two three"), "one two\nthree");
}

TEST(WrappingTest, WhatStandsBeforeTheTextTakesItsColumns) {
  Wrapping rows(18, 8, {.line = 4, .wrap = 4});
  EXPECT_EQ(rows.put("one two three"), "one two\n    three");
}

TEST(WrappingTest, ALineFeedOfTheTextIsIndented) {
  Wrapping rows(40, 8, {.line = 8, .wrap = 8});
  EXPECT_EQ(rows.put("one\ntwo"), "one\n        two");
  Wrapping endless(0, 8, {.line = 8, .wrap = 8});
  EXPECT_EQ(endless.put("one\ntwo"), "one\n        two");
}

TEST(WrappingTest, SpacesBetweenWordsStayButNotAtTheBeginningOfARow) {
  Wrapping rows(12, 0, {});
  EXPECT_EQ(rows.put("a   b"), "a   b");
  EXPECT_EQ(rows.put("   seven77"), "\nseven77");
}

TEST(WrappingTest, TextsFollowEachOther) {
  Wrapping rows(12, 0, {});
  EXPECT_EQ(rows.put("one two "), "one two");
  EXPECT_EQ(rows.put("x"), " x");
  EXPECT_EQ(rows.put(" mark"), "\nmark");
}

TEST(WrappingTest, AWordThatFitsNoRowIsNotTornApart) {
  Wrapping rows(10, 0, {});
  EXPECT_EQ(rows.put("see https://example.org/a/b ok"), "see https://example.org/a/b ok");
}

TEST(WrappingTest, WideCharactersTakeTwoColumns) {
  ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);  // Widths are the locale's.
  Wrapping rows(8, 0, {});
  EXPECT_EQ(rows.put("漢字 漢字"), "漢字\n漢字");
}

TEST(WrappingTest, ANarrowTerminalKeepsRoomForWords) {
  Wrapping rows(12, 20, {.line = 20, .wrap = 20});
  EXPECT_EQ(rows.put(" a\nb"), "\n    a\n    b");
}

TEST(WrappingTest, WithoutColumnsNothingIsWrapped) {
  Wrapping rows(0, 0, {});
  const std::string text(500, 'x');
  EXPECT_EQ(rows.put(text + " " + text), text + " " + text);
}

}  // namespace
}  // namespace zpost::cli
