#include "broker/core/tap_filter.h"

#include <gtest/gtest.h>

#include "zpost/protocol/kinds.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::core {
namespace {

TapRecord record_of(TapEvent event, Kind kind = Kind::kSend) {
  TapRecord record;
  record.event = event;
  record.kind = static_cast<std::uint8_t>(kind);
  return record;
}

TEST(TapFilterTest, WithoutKeysEverythingIsWanted) {
  ByteBuffer request;
  MsgpackWriter(request).map(1).str("op").str("tap");
  const auto filter = parse_tap_filter(request);
  ASSERT_TRUE(filter.has_value());
  EXPECT_TRUE(filter->wants(record_of(TapEvent::kReceived), "alice", "bob"));
  EXPECT_EQ(filter->snap, 0u);
}

TEST(TapFilterTest, AllKeysAreRead) {
  ByteBuffer request;
  MsgpackWriter(request).map(6).str("op").str("tap").str("from").str("a*").str("to").str("bob");
  MsgpackWriter(request).str("kinds").array(2).uint(16).uint(18).str("snap").uint(100);
  MsgpackWriter(request).str("later").array(1).uint(1);
  const auto filter = parse_tap_filter(request);
  ASSERT_TRUE(filter.has_value()) << filter.error().text;
  EXPECT_EQ(filter->snap, 100u);
  EXPECT_TRUE(filter->wants(record_of(TapEvent::kReceived), "alice", "bob"));
  EXPECT_FALSE(filter->wants(record_of(TapEvent::kReceived), "carol", "bob"));
  EXPECT_FALSE(filter->wants(record_of(TapEvent::kReceived), "alice", "carol"));
  EXPECT_FALSE(filter->wants(record_of(TapEvent::kReceived, Kind::kRequest), "alice", "bob"));
}

TEST(TapFilterTest, ASessionsRecordMatchesEitherPattern) {
  TapFilter filter;
  filter.to = "bob";
  EXPECT_TRUE(filter.wants(record_of(TapEvent::kSession), "bob", ""));
  EXPECT_FALSE(filter.wants(record_of(TapEvent::kSession), "alice", ""));
}

TEST(TapFilterTest, ABadValueNamesItsKey) {
  ByteBuffer request;
  MsgpackWriter(request).map(1).str("kinds").array(1).uint(128);
  const auto filter = parse_tap_filter(request);
  ASSERT_FALSE(filter.has_value());
  EXPECT_NE(filter.error().text.find("kinds"), std::string::npos);

  ByteBuffer pattern;
  MsgpackWriter(pattern).map(1).str("from").str("*a");
  EXPECT_FALSE(parse_tap_filter(pattern).has_value());
  EXPECT_FALSE(parse_tap_filter({}).has_value());
}

TEST(TapFilterTest, AnUnknownKeyIsNotRepeated) {
  ByteBuffer request;
  MsgpackWriter(request).map(1).str("x\njoined name=root");  // Its value is missing.
  const auto filter = parse_tap_filter(request);
  ASSERT_FALSE(filter.has_value());
  EXPECT_EQ(filter.error().text, "bad value of an unknown key: truncated at byte 20");
}

}  // namespace
}  // namespace zpost::core
