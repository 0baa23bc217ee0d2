#include <gtest/gtest.h>

#include "tools/inspect/json_lines_reader.h"
#include "tools/inspect/json_record.h"
#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tail_json.h"
#include "tools/inspect/tail_line.h"
#include "zpost/protocol/envelope.h"

namespace zpost::inspect {
namespace {

constexpr std::uint64_t kTime = 1'767'225'600'123'456'789;

TapEntry entry_of(TapEvent event, Kind kind) {
  TapEntry entry;
  entry.record.event = event;
  entry.record.sequence = 3;
  entry.record.time_ns = kTime;
  entry.record.kind = static_cast<std::uint8_t>(kind);
  entry.record.first_id = entry.record.last_id = 1'795'697'212'983'095'761;
  entry.record.count = 1;
  entry.record.bytes = 50;
  entry.from = "alice";
  entry.to = "bob";
  return entry;
}

/// As capture and read write it.
std::string lines_of(const TapEntry& entry) {
  std::vector<TailLine> lines;
  append_lines(entry, lines);
  std::string text;
  for (const TailLine& line : lines) text += tail_json(line);
  return text;
}

std::string read_and_written(const std::string& text) {
  capture::MemorySource source(as_bytes(text));
  JsonLinesReader reader(source);
  std::string written;
  while (true) {
    const Result<bool> more = reader.next();
    EXPECT_TRUE(more) << more.error().text;
    if (!more || !*more) return written;
    written += lines_of(reader.entry());
  }
}

ByteBuffer envelope_of(std::string_view body, bool is_text, const Meta& meta = {}) {
  ByteBuffer bytes;
  append_envelope(bytes, {.kind = Kind::kReply,
                          .to = "bob",
                          .from = "alice",
                          .id = 1'795'697'212'983'095'761,
                          .meta = meta,
                          .body = as_bytes(body),
                          .body_is_text = is_text});
  return bytes;
}

std::string error_of(const std::string& line) {
  ByteBuffer shown;
  const auto record = record_from_json(line, shown);
  EXPECT_FALSE(record) << line;
  return record ? "" : record.error().text;
}

TEST(JsonRecordTest, EveryEventIsReadAsItWasWritten) {
  for (unsigned number = 1; number < 32; ++number) {
    const auto event = static_cast<TapEvent>(number);
    if (event_name(event) == "unknown" || !is_asked_for(event)) continue;
    for (std::uint16_t code = 0; code < 8; ++code) {
      TapEntry entry = entry_of(event, Kind::kRequest);
      if (event == TapEvent::kSession) entry.record.first_id = 0;
      // Codes that nothing has a word for are not in the JSON.
      entry.record.code = code;
      if (event == TapEvent::kAnswered && code == 0) entry.record.last_id += 5;
      const std::string text = lines_of(entry);
      if (text.find("unknown") != std::string::npos) continue;
      EXPECT_EQ(read_and_written(text), text);
    }
  }
}

TEST(JsonRecordTest, APublishKeepsItsQueuesAndARunItsIds) {
  TapEntry entry = entry_of(TapEvent::kForwarded, Kind::kPublish);
  entry.record.code = 300;
  entry.record.last_id += 7;
  entry.record.count = 4;
  EXPECT_EQ(read_and_written(lines_of(entry)), lines_of(entry));
}

TEST(JsonRecordTest, BodiesAreTextOrBytesAgain) {
  for (const std::string_view body : {"hello", "{\"a\":1}", "\x81\xa1n\x05", "\xff\xfe", ""}) {
    TapEntry entry = entry_of(TapEvent::kReceived, Kind::kReply);
    const ByteBuffer shown =
        envelope_of(body, false, {.in_reply_to = 7, .content_type = "", .rejected = true});
    entry.shown = shown;
    EXPECT_EQ(read_and_written(lines_of(entry)), lines_of(entry));
  }
}

TEST(JsonRecordTest, ABodyThatWasCutStaysCutAndKeepsItsSize) {
  TapEntry entry = entry_of(TapEvent::kReceived, Kind::kReply);
  const ByteBuffer whole = envelope_of(std::string(500, 'x'), true);
  entry.record.bytes = static_cast<std::uint32_t>(whole.size());
  entry.shown = Bytes(whole).first(100);
  const std::string text = lines_of(entry);
  EXPECT_NE(text.find("\"body_cut\":true"), std::string::npos);
  EXPECT_EQ(read_and_written(text), text);
}

TEST(JsonRecordTest, WhatIsWrongIsNamedByItsKey) {
  const std::string time = R"("time":"2026-01-01T00:00:00.000000000Z")";
  EXPECT_EQ(error_of("[]"), "it is no JSON object");
  EXPECT_NE(
      error_of("{" + time + R"(,"event":"sent"})").find(R"("event" is "sent", which is none)"),
      std::string::npos);
  EXPECT_NE(error_of(R"({"event":"received","time":"2026-02-31T00:00:00.000000000Z"})")
                .find(R"("time" is "2026-02-31)"),
            std::string::npos);
  EXPECT_EQ(error_of("{" + time + R"(,"event":"failed","count":4294967296})"),
            "\"count\" is 4294967296, the most is 4294967295");
  EXPECT_EQ(error_of("{" + time + R"(,"event":"received","kind":"send","body_base64":"a"})"),
            "\"body_base64\" is no base64");
  EXPECT_EQ(error_of("{" + time + R"(,"event":"failed","outcome":"gone"})"),
            "\"outcome\" is \"gone\", which is not known");
  EXPECT_EQ(error_of("{" + time + R"(,"event":"received","from":7})"), "\"from\" is no text");
}

TEST(JsonLinesReaderTest, WhatWasMissedGoesToTheRecordBehindIt) {
  TapEntry entry = entry_of(TapEvent::kDelivered, Kind::kSend);
  entry.missed = entry.record.missed = 12;
  const std::string text = lines_of(entry);
  capture::MemorySource source(as_bytes(text));
  JsonLinesReader reader(source);
  ASSERT_TRUE(*reader.next());
  EXPECT_EQ(reader.entry().record.event, TapEvent::kDelivered);
  EXPECT_EQ(reader.entry().missed, 12U);
  EXPECT_FALSE(*reader.next());
}

TEST(JsonLinesReaderTest, WhatWasMissedByItselfIsARecord) {
  const std::string missed =
      R"({"time":"2026-01-01T00:00:00.000000000Z","sequence":9,"event":"missed","missed":2})"
      "\n";
  EXPECT_EQ(read_and_written(missed), missed);
  const std::string behind = lines_of(entry_of(TapEvent::kDelivered, Kind::kSend));
  EXPECT_EQ(read_and_written(missed + behind), missed + behind);
}

TEST(JsonLinesReaderTest, DamageIsToldWithItsPlaceAndPassedOver) {
  const std::string good = lines_of(entry_of(TapEvent::kDelivered, Kind::kSend));
  const std::string text = good + "{\"event\":\n" + good;
  capture::MemorySource source(as_bytes(text));
  JsonLinesReader reader(source);
  ASSERT_TRUE(*reader.next());
  const Result<bool> damaged = reader.next();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(reader.offset(), good.size());
  ASSERT_TRUE(reader.resume());
  EXPECT_EQ(reader.offset(), good.size() + 10);
  ASSERT_TRUE(*reader.next());
  EXPECT_FALSE(*reader.next());
}

TEST(JsonLinesReaderTest, ALastLineThatIsCutIsSaidToBe) {
  const std::string good = lines_of(entry_of(TapEvent::kDelivered, Kind::kSend));
  const std::string text = good + good.substr(0, good.size() / 2);
  capture::MemorySource source(as_bytes(text));
  JsonLinesReader reader(source);
  ASSERT_TRUE(*reader.next());
  const Result<bool> cut = reader.next();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().text, "the last line is cut");
  EXPECT_FALSE(reader.resume());
}

TEST(JsonLinesReaderTest, ALineBeyondTheBoundIsNotKept) {
  const std::string good = lines_of(entry_of(TapEvent::kDelivered, Kind::kSend));
  const std::string text = std::string(3 * JsonLinesReader::kMaxLine, 'x') + "\n" + good;
  capture::MemorySource source(as_bytes(text));
  JsonLinesReader reader(source);
  const Result<bool> damaged = reader.next();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().text, "a line of more than 1048576 bytes");
  ASSERT_TRUE(reader.resume());
  ASSERT_TRUE(*reader.next());
}

}  // namespace
}  // namespace zpost::inspect
