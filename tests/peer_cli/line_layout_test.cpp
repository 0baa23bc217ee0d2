#include "peer/cli/line_layout.h"

#include <gtest/gtest.h>

#include <clocale>
#include <string>

#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

class LineLayoutTest : public testing::Test {
 protected:
  void SetUp() override { use_utf8(); }
};

TEST_F(LineLayoutTest, AShortLineStaysInItsRow) {
  EXPECT_EQ(rows_above_cursor(8, L"hello", 80), 0U);
}

TEST_F(LineLayoutTest, AFullRowPutsTheCursorInTheNext) {
  EXPECT_EQ(rows_above_cursor(8, std::wstring(71, L'x'), 80), 0U);
  EXPECT_EQ(rows_above_cursor(8, std::wstring(72, L'x'), 80), 1U);
  EXPECT_EQ(rows_above_cursor(8, std::wstring(152, L'x'), 80), 2U);
}

TEST_F(LineLayoutTest, WideCharactersTakeTwoColumnsAndDoNotBreak) {
  EXPECT_EQ(rows_above_cursor(0, L"世世", 5), 0U);
  EXPECT_EQ(rows_above_cursor(0, L"世世世", 5), 1U);
}

TEST_F(LineLayoutTest, AWideCharacterThatDoesNotFitBeginsTheNextRow) {
  EXPECT_EQ(rows_above_cursor(0, L"abcd世", 5), 1U);
  EXPECT_EQ(rows_above_cursor(0, L"abcd世xyz", 5), 2U);
}

TEST_F(LineLayoutTest, AnUnknownWidthIsNoReasonToDivideByIt) {
  EXPECT_EQ(rows_above_cursor(8, L"hello", 0), 0U);
}

}  // namespace
}  // namespace zpost::cli
