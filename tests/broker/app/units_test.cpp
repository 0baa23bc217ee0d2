#include "broker/app/units.h"

#include <gtest/gtest.h>

namespace zpost::app {
namespace {

TEST(UnitsTest, SizesAreReadWithEveryUnit) {
  EXPECT_EQ(*parse_size("512"), 512u);
  EXPECT_EQ(*parse_size("512B"), 512u);
  EXPECT_EQ(*parse_size("64KiB"), 65'536u);
  EXPECT_EQ(*parse_size("64 KiB"), 65'536u);
  EXPECT_EQ(*parse_size(" 1MiB "), 1'048'576u);
  EXPECT_EQ(*parse_size("2GiB"), std::uint64_t{2} << 30);
  EXPECT_EQ(*parse_size("1TiB"), std::uint64_t{1} << 40);
  EXPECT_EQ(*parse_size("3kB"), 3'000u);
  EXPECT_EQ(*parse_size("3MB"), 3'000'000u);
}

TEST(UnitsTest, BadSizesSayWhatASizeIs) {
  for (const auto* const text : {"", "x", "-1", "1.5GiB", "1 parsec", "1kib", "99999999999TiB",
                                 "18446744073709551616", "KiB", "1 0"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_NE(size.error().text.find("64KiB"), std::string::npos);
  }
}

TEST(UnitsTest, DurationsNeedAUnit) {
  EXPECT_EQ(*parse_duration("500ms"), 500'000'000);
  EXPECT_EQ(*parse_duration("30s"), 30'000'000'000);
  EXPECT_EQ(*parse_duration("30 s"), 30'000'000'000);
  EXPECT_EQ(*parse_duration("5m"), 300'000'000'000);
  EXPECT_EQ(*parse_duration("1h"), 3'600'000'000'000);
  EXPECT_EQ(*parse_duration("0s"), 0);
  for (const auto* const text : {"", "30", "s", "1.5s", "-1s", "30sec", "9999999999h"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(UnitsTest, CountsHaveNoUnit) {
  EXPECT_EQ(*parse_count("20000"), 20'000u);
  EXPECT_FALSE(parse_count("20k").has_value());
  EXPECT_FALSE(parse_count("").has_value());
}

TEST(UnitsTest, WhatIsFormattedReadsBackTheSame) {
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1'000}, std::uint64_t{1'024},
        std::uint64_t{1'536}, std::uint64_t{64} << 20, std::uint64_t{3} << 40}) {
    EXPECT_EQ(*parse_size(format_size(bytes)), bytes) << format_size(bytes);
  }
  for (const std::int64_t ns : {0LL, 1LL, 1'500'000LL, 5'000'000'000LL, 7'200'000'000'000LL}) {
    EXPECT_EQ(*parse_duration(format_duration(ns)), ns) << format_duration(ns);
  }
}

TEST(UnitsTest, TheLargestUnitWithoutAFractionIsTaken) {
  EXPECT_EQ(format_size(1 << 20), "1MiB");
  EXPECT_EQ(format_size(1'536), "1536B");
  EXPECT_EQ(format_duration(90'000'000'000), "90s");
  EXPECT_EQ(format_duration(120'000'000'000), "2m");
}

}  // namespace
}  // namespace zpost::app
