#include "tools/inspect/terminal_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace zpost::inspect {
namespace {

TEST(WrappedTest, LinesBreakBetweenWords) {
  EXPECT_EQ(wrapped("one two three\nfour\n", 8),
            (std::vector<std::string>{"one two ", "three", "four"}));
  EXPECT_EQ(wrapped("abcdefgh", 3), (std::vector<std::string>{"abc", "def", "gh"}));
}

TEST(FoldedTest, WhatGoesOnIsIndented) {
  EXPECT_EQ(folded("one two three four five six", 24), "one two three four\n  five six");
  EXPECT_EQ(folded("one two three four five six", 27), "one two three four five six");
}

TEST(FoldedTest, WithoutATerminalALineIsALine) {
  EXPECT_EQ(folded("one two three four five six", 0), "one two three four five six");
}

}  // namespace
}  // namespace zpost::inspect
