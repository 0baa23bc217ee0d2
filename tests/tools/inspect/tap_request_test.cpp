#include "tools/inspect/tap_request.h"

#include <gtest/gtest.h>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/msgpack_json.h"
#include "protocol/filter/filter.h"
#include "tools/inspect/patterns.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {
namespace {

std::string text(const TapWish& wish) {
  return cli::json_from_msgpack(encode(wish))->dump();
}

TEST(TapRequestTest, AsksForEverythingWithoutFilters) {
  EXPECT_EQ(text({}), R"({"op":"tap","snap":0})");
}

TEST(TapRequestTest, NamesPatternsKindsAndSnap) {
  const TapWish wish{"alice", "sensor-*", {Kind::kRequest, Kind::kReply}, 256, true, ""};
  EXPECT_EQ(
      text(wish),
      R"({"op":"tap","snap":256,"each":true,"from":"alice","to":"sensor-*","kinds":[17,18]})");
}

TEST(TapRequestTest, AServiceWithItsMarkIsAskedForByName) {
  EXPECT_EQ(text({.to = "@up*"}),
            R"({"op":"tap","snap":0,"to":"up*","filter":"service = \"@up*\""})");
  EXPECT_EQ(text({.to = "@up", .filter = "size > 4 or id = 1"}),
            R"({"op":"tap","snap":0,"to":"up","filter":"(size > 4 or id = 1) and )"
            R"(service = \"@up\""})");
}

TEST(TapRequestTest, EventsArePartOfTheFilter) {
  const std::set<TapEvent> events{TapEvent::kFailed, TapEvent::kSession};
  EXPECT_EQ(with_events("", events), "event in (failed, session)");
  EXPECT_EQ(with_events("size > 4 or id = 1", events),
            "(size > 4 or id = 1) and event in (failed, session)");
  for (const TapEvent event : all_events()) {
    EXPECT_TRUE(filter::Filter::compile(with_events("", {event}))) << event_name(event);
  }
}

TEST(TapRequestTest, WhatABrokerWouldNotTakeIsLeftToWhoeverAsks) {
  const std::string longest = "from = " + std::string(filter::kMaxFilterBytes - 7, 'x');
  ASSERT_TRUE(filter::Filter::compile(longest));
  EXPECT_EQ(with_events(longest, {TapEvent::kFailed}), longest);
}

TEST(TapRequestTest, LinesOfWhatFollowsReceivedNeedThat) {
  EXPECT_TRUE(tell_by_themselves({TapEvent::kReceived, TapEvent::kSession, TapEvent::kFlow}));
  EXPECT_FALSE(tell_by_themselves({TapEvent::kSession, TapEvent::kDelivered}));
}

TEST(TargetPatternTest, AMarkWantsServicesOnly) {
  for (const std::string good : {"@up", "@up*", "up", "lab/**"}) {
    EXPECT_EQ(check_target_pattern(good), "") << good;
  }
  for (const std::string wrong : {"@", "@@up", "@lab/oven", "a*b"}) {
    EXPECT_NE(check_target_pattern(wrong), "") << wrong;
  }
  EXPECT_TRUE(matches_target("@up", "@up"));
  EXPECT_TRUE(matches_target("@u*", "@up"));
  EXPECT_FALSE(matches_target("@up", "up"));
  EXPECT_FALSE(matches_target("@up", "@down"));
  EXPECT_TRUE(matches_target("up", "@up"));
}

}  // namespace
}  // namespace zpost::inspect
