// Names of files, and how a file under way is shown.
#include <gmock/gmock.h>

#include "peer/cli/files/file_name.h"
#include "peer/cli/files/progress_text.h"
#include "peer/cli/files/rate_meter.h"
#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(FileNameTest, NamesOfAllLanguagesAreTaken) {
  for (const char* const name : {"a", "a b.txt", "ümläut ☃", "a\\b", "-rf", "~", "a..b", "CON"}) {
    EXPECT_EQ(file_name_trouble(name), "") << name;
  }
  EXPECT_EQ(file_name_trouble(std::string(255, 'x')), "");
}

TEST(FileNameTest, NamesThatLeadAstrayAreRefused) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string(".a"), std::string("a/b"),
        std::string("/"), std::string("a\0b", 3), std::string("a\tb"), std::string("\x7f"),
        std::string("\xff"), std::string("a\u202eb"), std::string(256, 'x')}) {
    EXPECT_NE(file_name_trouble(name), "") << visible_line(name);
  }
}

TEST(FileNameTest, TheLastPartOfAPathIsItsName) {
  EXPECT_EQ(base_name("a"), "a");
  EXPECT_EQ(base_name("/x/y/a.b"), "a.b");
  EXPECT_EQ(base_name("x/"), "");
}

TEST(FileNameTest, ANumberGoesBeforeTheExtension) {
  EXPECT_EQ(numbered_name("report.pdf", 2), "report (2).pdf");
  EXPECT_EQ(numbered_name("report", 12), "report (12)");
  EXPECT_EQ(numbered_name("No. 5 of the longest sentences", 2),
            "No. 5 of the longest sentences (2)");
}

TEST(FileNameTest, ALongNameIsCutBetweenCharactersToMakeRoom) {
  std::string name;
  for (int i = 0; i < 127; ++i) name += "ü";
  EXPECT_LE(numbered_name(name, 2).size(), kMaxFileNameBytes);
  EXPECT_EQ(file_name_trouble(numbered_name(name, 2)), "");
  EXPECT_LE(part_name(name, std::string(32, 'a')).size(), kMaxFileNameBytes);
}

TEST(FileNameTest, APartHasItsFilesNameAndItsTransfers) {
  EXPECT_EQ(part_name("a.txt", "0123"), ".a.txt.0123.part");
}

class ProgressTextTest : public testing::Test {
 protected:
  void SetUp() override { use_utf8(); }

  FileProgress half{"big.iso to bob", 1 << 30, 2ULL << 30, 512.0 * 1024 * 1024};
};

TEST_F(ProgressTextTest, AWideTerminalGetsAll) {
  EXPECT_EQ(
      progress_text(half, 100),
      "big.iso to bob ━━━━━━━━━━━━━━━───────────────  50%  512 MiB/s  2 s  1.0 GiB of 2.0 GiB");
}

TEST_F(ProgressTextTest, ANarrowTerminalGetsWhatMattersMost) {
  EXPECT_EQ(progress_text(half, 45), "big.iso to bob ━━━━─────  50%  512 MiB/s  2 s");
  EXPECT_EQ(progress_text(half, 39), "big.iso to bob  50%  512 MiB/s  2 s");
  EXPECT_EQ(progress_text(half, 20), "big.iso t…  50%  2 s");
  EXPECT_EQ(progress_text(half, 12), "big.is…  50%");
}

TEST_F(ProgressTextTest, ItIsNeverWiderThanTheTerminal) {
  half.what = std::string(200, 'x') + " to bob";
  for (std::size_t columns = 1; columns < 120; ++columns) {
    EXPECT_LE(columns_of(progress_text(half, columns)), columns);
  }
}

TEST_F(ProgressTextTest, AnEmptyFileIsThereAlready) {
  half.position = half.size = 0;
  EXPECT_THAT(progress_text(half, 80), HasSubstr("100%"));
}

TEST_F(ProgressTextTest, WithoutARateNobodyKnowsTheRest) {
  half.bytes_per_second = 0;
  EXPECT_EQ(progress_text(half, 60),
            "big.iso to bob ━━━━━━───────  50%  0 B/s  1.0 GiB of 2.0 GiB");
}

TEST(TookTextTest, GrowsWithTheTime) {
  EXPECT_EQ(took_text(milliseconds(340)), "0.3 s");
  EXPECT_EQ(took_text(milliseconds(12'500)), "12.5 s");
  EXPECT_EQ(took_text(milliseconds(185'000)), "3:05");
  EXPECT_EQ(took_text(milliseconds(3'723'000)), "1:02:03");
}

TEST(RateMeterTest, FollowsTheRateSmoothly) {
  RateMeter meter;
  RateMeter::Time now;
  for (std::uint64_t i = 0; i < 20; ++i, now += milliseconds(100)) meter.note(i * 100, now);
  EXPECT_NEAR(meter.bytes_per_second(), 1000, 1);
  for (std::uint64_t i = 0; i < 100; ++i, now += milliseconds(100)) meter.note(1900, now);
  EXPECT_LT(meter.bytes_per_second(), 10);
}

TEST(RateMeterTest, BeginsAgainWhenItGoesBack) {
  RateMeter meter;
  meter.note(1000, RateMeter::Time());
  meter.note(5000, RateMeter::Time() + milliseconds(1000));
  meter.note(0, RateMeter::Time() + milliseconds(2000));
  EXPECT_EQ(meter.bytes_per_second(), 0);
}

}  // namespace
}  // namespace zpost::cli
