#include "tools/capture/record.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace zpost::capture {
namespace {

Record some_record() {
  Record record;
  record.record.sequence = 7;
  record.record.time_ns = 1'767'225'600'000'000'123;
  record.record.first_id = 100;
  record.record.last_id = 109;
  record.record.count = 10;
  record.record.missed = 3;
  record.record.event = TapEvent::kReceived;
  record.from = "alice";
  record.to = "lab/oven";
  record.shown = as_bytes("envelopes");
  return record;
}

ByteBuffer packet_of(const Record& record) {
  ByteBuffer buffer;
  append_packet_data(buffer, record);
  return buffer;
}

TEST(RecordTest, APacketNamesTheDissectorAndHoldsTheRecordAsItWas) {
  const ByteBuffer packet = packet_of(some_record());
  Bytes data = packet;
  ASSERT_TRUE(strip_tags(data));
  const Result<Record> record = read_record(data);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->record.sequence, 7u);
  EXPECT_EQ(record->record.time_ns, 1'767'225'600'000'000'123u);
  EXPECT_EQ(record->record.last_id, 109u);
  EXPECT_EQ(record->record.missed, 3u);
  EXPECT_EQ(record->from, "alice");
  EXPECT_EQ(record->to, "lab/oven");
  EXPECT_EQ(as_text(record->shown), "envelopes");
  EXPECT_FALSE(record->redacted);
}

TEST(RecordTest, ARedactedOneSaysSo) {
  Record hidden = some_record();
  hidden.redacted = true;
  const ByteBuffer packet = packet_of(hidden);
  Bytes data = packet;
  ASSERT_TRUE(strip_tags(data));
  EXPECT_TRUE(read_record(data)->redacted);
}

TEST(RecordTest, PacketsForOtherDissectorsAreNotOurs) {
  const unsigned char http[] = {0, 12, 0, 4, 'h', 't', 't', 'p', 0, 0, 0, 0, 'x'};
  Bytes data = std::as_bytes(std::span(http));
  EXPECT_FALSE(strip_tags(data));
}

TEST(RecordTest, LengthsBeyondTheDataAreAnErrorThatNamesThem) {
  const ByteBuffer packet = packet_of(some_record());
  Bytes data = packet;
  ASSERT_TRUE(strip_tags(data));
  const Result<Record> cut = read_record(data.first(data.size() - 1));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().text, "a record of 93 bytes announces 94");
}

TEST(RecordTest, AnEventOfLaterBrokersIsKept) {
  Record later = some_record();
  later.record.event = static_cast<TapEvent>(200);
  const ByteBuffer packet = packet_of(later);
  Bytes data = packet;
  ASSERT_TRUE(strip_tags(data));
  EXPECT_EQ(read_record(data)->record.event, static_cast<TapEvent>(200));
}

TEST(RecordTest, AHeadThatALaterVersionMadeLongerIsPassedOver) {
  const ByteBuffer packet = packet_of(some_record());
  Bytes data = packet;
  ASSERT_TRUE(strip_tags(data));
  ByteBuffer longer(data.begin(), data.end());
  longer.insert(longer.begin() + 72, 8, std::byte{9});
  longer[0] = std::byte{80};
  const Result<Record> record = read_record(longer);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->from, "alice");
}

RC_GTEST_PROP(RecordTest, AnyBytesAreReadOrRefusedWithinTheirBounds, (const std::string& text)) {
  Bytes data = as_bytes(text);
  (void)strip_tags(data);
  const Result<Record> record = read_record(data);
  RC_ASSERT(record || !record.error().text.empty());
}

}  // namespace
}  // namespace zpost::capture
