#include "tools/inspect/capture_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/tools/inspect/times.h"
#include "tools/inspect/capture_reader.h"

namespace zpost::inspect {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kWritten = 1'767'225'600'000 * kMs;

class CaptureWriterTest : public testing::Test {
 protected:
  CaptureWriterTest() {
    std::string name = (fs::temp_directory_path() / "zpost-capture-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    plan_.path = (folder_ / "trace.pcapng").string();
  }

  ~CaptureWriterTest() override { fs::remove_all(folder_); }

  static TapEntry entry_of(std::uint64_t id) {
    TapEntry entry;
    entry.record.event = TapEvent::kForwarded;
    entry.record.first_id = entry.record.last_id = id;
    entry.record.count = 1;
    entry.from = "alice";
    entry.to = "bob";
    return entry;
  }

  static std::vector<std::uint64_t> ids_in(const std::string& path) {
    std::vector<std::uint64_t> ids;
    CaptureReader reader(path);
    EXPECT_TRUE(reader.open());
    while (true) {
      const Result<bool> more = reader.next();
      EXPECT_TRUE(more) << more.error().text;
      if (!more || !*more) return ids;
      EXPECT_EQ(reader.entry().from, "alice");
      ids.push_back(reader.entry().record.first_id);
    }
  }

  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& each : fs::directory_iterator(folder_)) {
      names.push_back(each.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

  [[nodiscard]] std::string in_folder(const std::string& name) const {
    return (folder_ / name).string();
  }

  fs::path folder_;
  CapturePlan plan_;
};

using Ids = std::vector<std::uint64_t>;
using Names = std::vector<std::string>;

TEST_F(CaptureWriterTest, WhatWaitsToBeWrittenDoesNotCountAsWritten) {
  for (const auto compression : {capture::Compression::kNone, capture::Compression::kZstd}) {
    plan_.compression = compression;
    CaptureWriter writer(plan_);
    ASSERT_TRUE(writer.open(kWritten));
    ASSERT_TRUE(writer.add(entry_of(1), false, kWritten));
    EXPECT_EQ(writer.written(), 0u);
    ASSERT_TRUE(writer.turn(kWritten + 1000 * kMs));
    EXPECT_EQ(writer.written(), 1u);
    ASSERT_TRUE(writer.add(entry_of(2), false, kWritten));
    ASSERT_TRUE(writer.finish(kWritten));
    EXPECT_EQ(writer.written(), 2u);
  }
}

TEST_F(CaptureWriterTest, ADiskThatIsFullIsNamedAndNothingIsWritten) {
  plan_.path = "/dev/full";
  CaptureWriter writer(plan_);
  ASSERT_TRUE(writer.open(kWritten));
  ASSERT_TRUE(writer.add(entry_of(1), false, kWritten));
  const Result<void> done = writer.turn(kWritten + 1000 * kMs);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "cannot write /dev/full: No space left on device");
  EXPECT_EQ(writer.written(), 0u);
}

TEST_F(CaptureWriterTest, WhatWasAddedCanBeReadAfterTheNextTurnThoughTheFileHasNoEnd) {
  for (const auto compression :
       {capture::Compression::kNone, capture::Compression::kGzip, capture::Compression::kZstd}) {
    plan_.compression = compression;
    CaptureWriter writer(plan_);
    ASSERT_TRUE(writer.open(kWritten));
    ASSERT_TRUE(writer.add(entry_of(1), false, kWritten));
    ASSERT_TRUE(writer.turn(kWritten + 250 * kMs));
    EXPECT_EQ(ids_in(plan_.path), Ids{1});
  }
}

TEST_F(CaptureWriterTest, MissedRecordsAreCountedInTheFileAndInItsStatistics) {
  CaptureWriter writer(plan_);
  ASSERT_TRUE(writer.open(kWritten));
  TapEntry late = entry_of(1);
  late.missed = 12;
  ASSERT_TRUE(writer.add(late, false, kWritten));
  ASSERT_TRUE(writer.finish(kWritten));
  CaptureReader reader(plan_.path);
  ASSERT_TRUE(reader.open());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.entry().missed, 12u);
  ASSERT_TRUE(reader.next());
  ASSERT_TRUE(reader.packets().totals());
  EXPECT_EQ(reader.packets().totals()->missed, 12u);
  EXPECT_EQ(reader.packets().totals()->records, 1u);
}

TEST_F(CaptureWriterTest, ANewFileBeginsAfterSoManyRecordsAndARingForgetsTheOldest) {
  plan_.file_records = 2;
  plan_.ring_files = 2;
  CaptureWriter writer(plan_);
  ASSERT_TRUE(writer.open(kWritten));
  for (std::uint64_t id = 1; id <= 5; ++id) ASSERT_TRUE(writer.add(entry_of(id), false, kWritten));
  ASSERT_TRUE(writer.finish(kWritten));
  EXPECT_EQ(files(),
            (Names{"trace_00002_20260101T000000.pcapng", "trace_00003_20260101T000000.pcapng"}));
  EXPECT_EQ(ids_in(in_folder(files()[0])), (Ids{3, 4}));
  EXPECT_EQ(ids_in(in_folder(files()[1])), Ids{5});
  EXPECT_EQ(writer.totals().records, 5u);
}

TEST_F(CaptureWriterTest, ANewFileBeginsAfterATimeOrASize) {
  plan_.file_time = std::chrono::seconds(1);
  {
    CaptureWriter writer(plan_);
    ASSERT_TRUE(writer.open(kWritten));
    for (std::uint64_t id = 1; id <= 3; ++id) {
      ASSERT_TRUE(writer.add(entry_of(id), false, kWritten + id * 600 * kMs));
    }
    ASSERT_TRUE(writer.finish(kWritten));
    EXPECT_EQ(writer.files(), 2u);
  }
  plan_.file_time = {};
  plan_.file_bytes = 1000;
  CaptureWriter writer(plan_);
  ASSERT_TRUE(writer.open(kWritten));
  for (std::uint64_t id = 1; id <= 50; ++id) ASSERT_TRUE(writer.add(entry_of(id), false, kWritten));
  ASSERT_TRUE(writer.finish(kWritten));
  EXPECT_GT(writer.files(), 5u);
  for (const auto& each : fs::directory_iterator(folder_)) EXPECT_LT(each.file_size(), 1400u);
}

TEST_F(CaptureWriterTest, AFileThatCannotBeOpenedIsNamed) {
  plan_.path = in_folder("no/such.pcapng");
  CaptureWriter writer(plan_);
  const Result<void> opened = writer.open(kWritten);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().text, "cannot open " + plan_.path + ": No such file or directory");
}

TEST(CapturePlanTest, TheEndingTellsTheFormat) {
  EXPECT_EQ(format_of("a.jsonl.zst"), CaptureFormat::kJson);
  EXPECT_EQ(format_of("a.json"), CaptureFormat::kJson);
  EXPECT_EQ(format_of("a.pcapng.gz"), CaptureFormat::kPcapng);
  EXPECT_EQ(format_of("a"), CaptureFormat::kPcapng);
}

TEST(CapturePlanTest, PartsAreNumberedBeforeTheEnding) {
  EXPECT_EQ(part_path("d.x/trace", 1, kWritten), "d.x/trace_00001_20260101T000000");
  EXPECT_EQ(part_path("a.pcapng.zst", 12, kWritten), "a_00012_20260101T000000.pcapng.zst");
}

}  // namespace
}  // namespace zpost::inspect
