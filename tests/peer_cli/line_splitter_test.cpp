#include "peer/cli/line_splitter.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace zpost::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// All lines of `text` when it comes in pieces of `piece` bytes.
std::vector<std::string> split(std::string_view text, std::size_t piece) {
  LineSplitter splitter;
  std::vector<std::string_view> views;
  std::vector<std::string> lines;
  while (!text.empty()) {
    splitter.add(text.substr(0, piece), views);
    lines.insert(lines.end(), views.begin(), views.end());
    text.remove_prefix(std::min(piece, text.size()));
  }
  splitter.finish(views);
  lines.insert(lines.end(), views.begin(), views.end());
  return lines;
}

TEST(LineSplitterTest, LinesComeWithoutTheirLineFeed) {
  EXPECT_THAT(split("one\ntwo\n", 100), ElementsAre("one", "two"));
}

TEST(LineSplitterTest, EmptyLinesAreLinesAndNothingIsNone) {
  EXPECT_THAT(split("\n\na\n", 100), ElementsAre("", "", "a"));
  EXPECT_THAT(split("", 1), IsEmpty());
}

TEST(LineSplitterTest, TheLastLineNeedsNoLineFeed) {
  EXPECT_THAT(split("one\ntw", 100), ElementsAre("one", "tw"));
}

TEST(LineSplitterTest, ALineWithoutAnEndIsCounted) {
  LineSplitter splitter;
  std::vector<std::string_view> lines;
  splitter.add("one\nfour", lines);
  EXPECT_EQ(splitter.open_bytes(), 4U);
}

TEST(LineSplitterTest, ALineThatIsSkippedIsGoneToItsEnd) {
  LineSplitter splitter;
  std::vector<std::string_view> lines;
  splitter.add("one\ntoo long", lines);
  EXPECT_THAT(lines, ElementsAre("one"));
  splitter.skip_line();
  EXPECT_EQ(splitter.open_bytes(), 0U);
  splitter.add(" still too long", lines);
  EXPECT_THAT(lines, IsEmpty());
  EXPECT_EQ(splitter.open_bytes(), 0U);
  splitter.add(" end\ntwo\nthree", lines);
  EXPECT_THAT(lines, ElementsAre("two"));
  splitter.finish(lines);
  EXPECT_THAT(lines, ElementsAre("three"));
}

TEST(LineSplitterTest, ASkippedLineNeedsNoEnd) {
  LineSplitter splitter;
  std::vector<std::string_view> lines;
  splitter.add("too long", lines);
  splitter.skip_line();
  splitter.finish(lines);
  EXPECT_THAT(lines, IsEmpty());
}

RC_GTEST_PROP(LineSplitterProperty, PiecesOfAnySizeGiveTheSameLines, (std::string text)) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) % 5 == 0) c = '\n';
  }
  RC_ASSERT(split(text, *rc::gen::inRange<std::size_t>(1, 20)) == split(text, text.size() + 1));
}

}  // namespace
}  // namespace zpost::cli
