#include "peer/cli/shared/units.h"

#include <gmock/gmock.h>

namespace zpost::cli {
namespace {

using std::chrono::milliseconds;
using testing::Optional;

TEST(UnitsTest, DurationsHaveUnitsAndABareNumberMeansSeconds) {
  EXPECT_THAT(parse_duration("500ms"), Optional(milliseconds(500)));
  EXPECT_THAT(parse_duration("10s"), Optional(milliseconds(10'000)));
  EXPECT_THAT(parse_duration("1.5s"), Optional(milliseconds(1500)));
  EXPECT_THAT(parse_duration("2m"), Optional(milliseconds(120'000)));
  EXPECT_THAT(parse_duration("1h"), Optional(milliseconds(3'600'000)));
  EXPECT_THAT(parse_duration("3"), Optional(milliseconds(3000)));
  EXPECT_THAT(parse_duration("0"), Optional(milliseconds(0)));
}

TEST(UnitsTest, WhatIsNoDurationIsRefused) {
  for (const char* text : {"", "s", "soon", "-1s", "+1s", "1x", "1s2", "1ss", "nan", "inf", "1e3s",
                           "99999999999h", "0x10s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(UnitsTest, CountsAreWholeNumbersFromOne) {
  EXPECT_THAT(parse_count("1"), Optional(1U));
  EXPECT_THAT(parse_count("4611686018427387904"), Optional(std::uint64_t{1} << 62));
  for (const char* text :
       {"", "0", "-1", "+1", "1.5", "1 ", "many", "4611686018427387905", "99999999999999999999"}) {
    EXPECT_EQ(parse_count(text), std::nullopt) << text;
  }
}

TEST(UnitsTest, DurationsAreWrittenInTheLargestUnitWithoutAFraction) {
  EXPECT_EQ(duration_text(milliseconds(0)), "0s");
  EXPECT_EQ(duration_text(milliseconds(1500)), "1500ms");
  EXPECT_EQ(duration_text(milliseconds(90'000)), "90s");
  EXPECT_EQ(duration_text(milliseconds(120'000)), "2m");
  EXPECT_EQ(duration_text(milliseconds(7'200'000)), "2h");
}

TEST(UnitsTest, SizesHaveBinaryAndDecimalUnits) {
  EXPECT_THAT(parse_size("512"), Optional(512U));
  EXPECT_THAT(parse_size("64KiB"), Optional(65'536U));
  EXPECT_THAT(parse_size("1MB"), Optional(1'000'000U));
  EXPECT_EQ(parse_size("1 elephant"), std::nullopt);
}

TEST(UnitsTest, CountsAreGroupedAndNounsCounted) {
  EXPECT_EQ(count_text(7), "7");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(counted(1, "envelope"), "1 envelope");
  EXPECT_EQ(counted(0, "line"), "0 lines");
  EXPECT_EQ(counted(2, "reply"), "2 replies");
  EXPECT_EQ(counted(2, "publish"), "2 publishes");
  EXPECT_EQ(counted(2, "key"), "2 keys");
}

}  // namespace
}  // namespace zpost::cli
