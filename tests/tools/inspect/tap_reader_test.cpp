#include "tools/inspect/tap_reader.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/tools/inspect/tap_bytes.h"

namespace zpost::inspect {
namespace {

TapRecord record(std::uint64_t sequence, std::uint32_t from, std::uint32_t to) {
  TapRecord result;
  result.sequence = sequence;
  result.from = from;
  result.to = to;
  return result;
}

class TapReaderTest : public testing::Test {
 protected:
  const std::vector<TapEntry>& read() {
    entries_.clear();
    const Result<void> result = reader_.read(body_, entries_);
    error_ = result ? "" : result.error().text;
    return entries_;
  }

  ByteBuffer body_;
  TapReader reader_;
  std::vector<TapEntry> entries_;
  std::string error_;
};

TEST_F(TapReaderTest, NumbersBecomeNamesAndZeroIsTheBroker) {
  append_name(body_, 1, 7, "alice");
  append_record(body_, record(2, 7, 0), as_bytes("shown"));

  ASSERT_EQ(read().size(), 1u);
  EXPECT_EQ(entries_[0].from, "alice");
  EXPECT_EQ(entries_[0].to, "");
  EXPECT_EQ(as_text(entries_[0].shown), "shown");
  EXPECT_EQ(entries_[0].missed, 0u);
}

TEST_F(TapReaderTest, NamesOutliveTheirBody) {
  append_name(body_, 1, 7, "alice");
  (void)read();
  body_.clear();
  append_record(body_, record(2, 7, 8));
  ASSERT_EQ(read().size(), 1u);
  EXPECT_EQ(entries_[0].from, "alice");
  EXPECT_EQ(entries_[0].to, "#8");
}

TEST_F(TapReaderTest, AJumpInTheSequenceIsMissedRecords) {
  append_record(body_, record(1, 0, 0));
  append_record(body_, record(5, 0, 0));
  ASSERT_EQ(read().size(), 2u);
  EXPECT_EQ(entries_[0].missed, 0u);
  EXPECT_EQ(entries_[1].missed, 3u);
}

TEST_F(TapReaderTest, WhatWasMissedBeforeANameIsToldWithTheNextRecord) {
  append_record(body_, record(1, 0, 0));
  append_name(body_, 4, 7, "alice");
  append_record(body_, record(5, 7, 0));
  ASSERT_EQ(read().size(), 2u);
  EXPECT_EQ(entries_[1].missed, 2u);
}

TEST_F(TapReaderTest, TheBrokersCountAndTheJumpAreNotAddedUp) {
  append_record(body_, record(1, 0, 0));
  TapRecord late = record(5, 0, 0);
  late.missed = 3;
  append_record(body_, late);
  EXPECT_EQ(read()[1].missed, 3u);
}

TEST_F(TapReaderTest, ACutRecordIsAnErrorAndWhatCameBeforeStands) {
  append_record(body_, record(1, 0, 0));
  append_record(body_, record(2, 0, 0), as_bytes("12345678"));
  body_.resize(body_.size() - 4);
  EXPECT_EQ(read().size(), 1u);
  EXPECT_EQ(error_, "a tap record announces 8 bytes, 4 are there");
  body_.resize(sizeof(TapRecord) + 10);
  EXPECT_EQ(read().size(), 1u);
  EXPECT_NE(error_, "");
}

RC_GTEST_FIXTURE_PROP(TapReaderTest, AnyBytesDoNoHarm, (const std::vector<std::uint8_t>& bytes)) {
  for (const std::uint8_t byte : bytes) body_.push_back(std::byte{byte});
  (void)read();
}

}  // namespace
}  // namespace zpost::inspect
