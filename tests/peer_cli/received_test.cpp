#include "peer/cli/received.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"

namespace zpost::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kReceivedTime = 1'767'225'600'000'000'000;

Received hello() {
  return {.kind = "send",
          .from = "alice",
          .id = 1'767'225'600'000'000'001,
          .sent_ns = kReceivedTime,
          .body = {as_bytes("hello"), true}};
}

TEST(ReceivedTest, TextNamesTimeAndSender) {
  use_utf8();
  EXPECT_EQ(received_text(hello(), Palette(false), kReceivedTime),
            local_time(kReceivedTime, kReceivedTime) + " alice: hello\n");
}

TEST(ReceivedTest, JsonKeepsTheIdExact) {
  const auto json = nlohmann::json::parse(received_json(hello()));
  EXPECT_EQ(json["id"], "1767225600000000001");
  EXPECT_EQ(json["from"], "alice");
  EXPECT_EQ(json["kind"], "send");
  EXPECT_EQ(json["sent"], "2026-01-01T00:00:00.000000000Z");
  EXPECT_EQ(json["body"], "hello");
}

TEST(ReceivedTest, RawTextGetsALineFeedAndBytesDoNot) {
  Received envelope = hello();
  EXPECT_EQ(received_raw(envelope), "hello\n");
  envelope.body.is_text = false;
  EXPECT_EQ(received_raw(envelope), "hello");
}

TEST(ReceivedTest, GivingUpNamesWhatCameAndForHowLongNothingDid) {
  EXPECT_EQ(too_few_text(0, "envelope", 2s, 0),
            "timed out: no envelope came within 2s (--timeout)");
  EXPECT_EQ(too_few_text(0, "file", 500ms, 1),
            "timed out: no file came within 500ms (--timeout), 1 wanted");
  EXPECT_EQ(too_few_text(2, "envelope", 2s, 3),
            "timed out: 2 envelopes came, then nothing for 2s (--timeout), 3 wanted");
}

TEST(ReceivedTest, AnEnvelopeIsReadWithItsMeta) {
  ByteBuffer frame;
  EnvelopeFields fields;
  fields.to = "bob";
  fields.from = "alice";
  fields.id = 7;
  fields.meta.content_type = "text/plain";
  fields.meta.sent_ns = kReceivedTime;
  fields.body = as_bytes("hi");
  append_envelope(frame, fields);
  FrameReader reader{Bytes(frame)};
  EnvelopeView view;
  ASSERT_TRUE(reader.next(view));

  const Received envelope = received(view);

  EXPECT_EQ(envelope.from, "alice");
  EXPECT_EQ(envelope.id, 7u);
  EXPECT_EQ(envelope.sent_ns, kReceivedTime);
  EXPECT_EQ(envelope.body.content_type, "text/plain");
}

}  // namespace
}  // namespace zpost::cli
