#include "peer/cli/shown_values.h"

#include <gmock/gmock.h>

namespace zpost::cli {
namespace {

TEST(ShownValuesTest, AValueThatComesForEachPatternIsNewOnce) {
  ShownValues values;
  EXPECT_TRUE(values.is_new("lab/oven", as_bytes("20 C")));
  EXPECT_FALSE(values.is_new("lab/oven", as_bytes("20 C")));
}

TEST(ShownValuesTest, EqualValuesOfTwoTopicsAreTwo) {
  ShownValues values;
  EXPECT_TRUE(values.is_new("lab/oven", as_bytes("20 C")));
  EXPECT_TRUE(values.is_new("lab/door", as_bytes("20 C")));
}

TEST(ShownValuesTest, AValueThatWasReplacedMeanwhileIsNew) {
  ShownValues values;
  EXPECT_TRUE(values.is_new("lab/oven", as_bytes("20 C")));
  EXPECT_TRUE(values.is_new("lab/oven", as_bytes("21 C")));
  EXPECT_FALSE(values.is_new("lab/oven", as_bytes("21 C")));
  EXPECT_TRUE(values.is_new("lab/oven", as_bytes("20 C")));
}

TEST(ShownValuesTest, WhatIsRememberedIsBounded) {
  ShownValues values;
  for (std::size_t i = 0; i < ShownValues::kMost; ++i) {
    EXPECT_TRUE(values.is_new(std::to_string(i), as_bytes("x")));
  }
  EXPECT_TRUE(values.is_new("0", as_bytes("x")));
}

}  // namespace
}  // namespace zpost::cli
