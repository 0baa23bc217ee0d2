// What the recorder told and what the tap tells meet in one file, without a gap or a double.
#include "tools/inspect/snapshot_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

class SnapshotFileTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kStart = 1'767'225'600'000'000'000;

  ~SnapshotFileTest() override { ::unlink(path_.c_str()); }

  static TapEntry received(std::uint64_t time, std::uint64_t first_id, std::uint64_t last_id) {
    TapEntry made;
    made.record.event = TapEvent::kReceived;
    made.record.time_ns = kStart + time;
    made.record.first_id = first_id;
    made.record.last_id = last_id;
    made.record.count = static_cast<std::uint32_t>(last_id - first_id + 1);
    made.record.bytes = 40 * made.record.count;
    made.record.kind = static_cast<std::uint8_t>(Kind::kSend);
    made.from = "alice";
    made.to = "bob";
    return made;
  }

  void open(std::set<TapEvent> events = {}) {
    CapturePlan plan;
    plan.path = path_;
    plan.format = CaptureFormat::kJson;
    file_.emplace(std::move(plan), redactions_, EntryChoice(TailFilter(std::move(events), false)));
  }

  void recall(const TapEntry& entry) { ASSERT_TRUE(file_->add_recalled(entry, kStart)); }

  void live(const TapEntry& entry) { ASSERT_TRUE(file_->add_live(entry, kStart)); }

  std::string written() {
    EXPECT_TRUE(file_->finish(kStart));
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  std::uint64_t records() { return file_->writer().totals().records; }

  const std::string path_ =
      testing::TempDir() + "snapshot_file_test_" + std::to_string(::getpid()) + ".jsonl";
  const Redactions redactions_{};
  std::optional<SnapshotFile> file_;
};

TEST_F(SnapshotFileTest, WhatTheRecorderToldTheTapDoesNotTellAgain) {
  open();
  recall(received(1, 10, 10));
  recall(received(2, 11, 11));
  live(received(1, 10, 10));
  live(received(2, 11, 11));
  live(received(2, 12, 12));
  EXPECT_EQ(records(), 3U);
}

TEST_F(SnapshotFileTest, AnEnvelopeOfARunThatTheRecorderMergedIsKnownByItsId) {
  open();
  recall(received(1, 10, 14));
  live(received(3, 13, 14));
  live(received(4, 15, 15));
  EXPECT_EQ(records(), 2U);
}

TEST_F(SnapshotFileTest, OnceTheTapIsAheadEverythingItTellsIsNew) {
  open();
  recall(received(5, 10, 10));
  live(received(6, 11, 11));
  live(received(6, 11, 11));
  EXPECT_EQ(records(), 3U);
}

TEST_F(SnapshotFileTest, AFileThatIsThereIsKeptWhereThereIsNothingToWrite) {
  std::ofstream(path_) << "of yesterday";
  open({TapEvent::kFailed});
  recall(received(1, 10, 10));
  live(received(2, 11, 11));
  EXPECT_TRUE(file_->turn(kStart));
  EXPECT_FALSE(file_->is_begun());
  std::ostringstream text;
  text << std::ifstream(path_).rdbuf();
  EXPECT_EQ(text.str(), "of yesterday");
}

TEST_F(SnapshotFileTest, WhatWasMissedIsWrittenThoughTheRecordBehindItIsNotWanted) {
  open({TapEvent::kFailed});
  TapEntry behind_a_gap = received(1, 10, 10);
  behind_a_gap.missed = 5;
  recall(behind_a_gap);
  recall(received(2, 11, 11));
  const std::string text = written();
  EXPECT_NE(text.find("\"missed\":5"), std::string::npos) << text;
  EXPECT_EQ(text.find("received"), std::string::npos) << text;
  EXPECT_EQ(file_->writer().totals().missed, 5U);
}

}  // namespace
}  // namespace zpost::inspect
