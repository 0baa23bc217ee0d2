// What keys do in top.
#include "tools/inspect/top_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/filter/filter.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class TopStateTest : public testing::Test {
 protected:
  static constexpr std::size_t kPage = 10;

  TopStateTest() {
    for (const std::string name : {"alice", "bob", "carol"}) {
      rows_.emplace_back();
      rows_.back().name = name;
    }
    for (const TopRow& row : rows_) shown_.rows.push_back(&row);
  }

  TopWish press(TopKey key) { return state_.press({key, ""}, shown_, kPage); }

  TopWish type(const std::string& text) {
    TopWish last = TopWish::kNothing;
    for (const char c : text)
      last = state_.press({TopKey::kText, std::string(1, c)}, shown_, kPage);
    return last;
  }

  void show_envelopes() {
    TailLine line{.event = TapEvent::kDelivered, .from = "alice", .to = "bob"};
    for (std::uint64_t id = 1; id < 4; ++id) {
      line.first_id = line.last_id = id;
      shown_.envelopes.push_back({line});
    }
  }

  std::vector<TopRow> rows_;
  TopShown shown_;
  TopState state_;
};

TEST_F(TopStateTest, TheCursorStaysWithItsNameWhenRowsMove) {
  EXPECT_EQ(state_.row_of(shown_.rows), 0u);
  (void)press(TopKey::kDown);
  EXPECT_EQ(state_.row_of(shown_.rows), 1u);
  std::swap(shown_.rows[1], shown_.rows[2]);
  EXPECT_EQ(state_.row_of(shown_.rows), 2u);
  (void)press(TopKey::kDown);
  EXPECT_EQ(state_.row_of(shown_.rows), 2u);
  (void)press(TopKey::kHome);
  EXPECT_EQ(state_.row_of(shown_.rows), 0u);
}

TEST_F(TopStateTest, TabsHaveTheirNumbersAndLetters) {
  (void)type("2");
  EXPECT_EQ(state_.tab, TopTab::kTopics);
  (void)type("v");
  EXPECT_EQ(state_.tab, TopTab::kServices);
  (void)type("p");
  EXPECT_EQ(state_.tab, TopTab::kPeers);
}

TEST_F(TopStateTest, TheOrderGoesRoundAllColumnsAndTheName) {
  EXPECT_EQ(state_.order().column, 1u);
  (void)type("<");
  EXPECT_EQ(state_.order().column, 0u);
  (void)type("<");
  EXPECT_EQ(state_.order().column, columns_of(TopTab::kPeers).size());
  (void)type("s>");
  EXPECT_EQ(state_.order().column, 1u);
  (void)type("r");
  EXPECT_TRUE(state_.order().reversed);
}

TEST_F(TopStateTest, EachTabHasAnOrderOfItsOwn) {
  (void)type("s2");
  EXPECT_EQ(state_.order().column, 1u);
}

TEST_F(TopStateTest, AFilterIsTypedCheckedAndPutInForce) {
  EXPECT_EQ(type("/frm = alice"), TopWish::kNothing);
  EXPECT_EQ(press(TopKey::kEnter), TopWish::kNothing);
  EXPECT_THAT(state_.filter_fault, HasSubstr("frm"));
  for (int i = 0; i < 20; ++i) (void)press(TopKey::kErase);
  EXPECT_THAT(state_.typed, IsEmpty());
  (void)type("from = alice");
  EXPECT_EQ(press(TopKey::kEnter), TopWish::kFilter);
  EXPECT_EQ(state_.filter, "from = alice");
  EXPECT_FALSE(state_.typing);
}

TEST_F(TopStateTest, EscapeKeepsTheFilterInForce) {
  (void)type("/from = alice");
  (void)press(TopKey::kEnter);
  (void)type("/ or to = q");
  EXPECT_EQ(press(TopKey::kEscape), TopWish::kNothing);
  EXPECT_EQ(state_.filter, "from = alice");
  EXPECT_FALSE(state_.typing);
}

TEST_F(TopStateTest, ErasingTakesWholeCharacters) {
  (void)type("/");
  (void)state_.press({TopKey::kText, "ä"}, shown_, kPage);
  (void)press(TopKey::kErase);
  EXPECT_THAT(state_.typed, IsEmpty());
}

TEST_F(TopStateTest, AllThatWasTypedIsErasedAtOnce) {
  (void)type("/frm = alice");
  (void)press(TopKey::kEnter);
  (void)press(TopKey::kEraseAll);
  EXPECT_THAT(state_.typed, IsEmpty());
  EXPECT_THAT(state_.filter_fault, IsEmpty());
  EXPECT_TRUE(state_.typing);
}

TEST_F(TopStateTest, ATypedFilterIsNoLongerThanOneMayBe) {
  (void)type("/" + std::string(filter::kMaxFilterBytes + 10, 'a'));
  EXPECT_THAT(state_.typed, SizeIs(filter::kMaxFilterBytes));
}

TEST_F(TopStateTest, EnterGoesIntoAPeerAndThenAnEnvelopeAndEscapeBack) {
  (void)press(TopKey::kDown);
  EXPECT_EQ(press(TopKey::kEnter), TopWish::kEnvelopes);
  EXPECT_EQ(state_.chosen, "bob");
  EXPECT_EQ(press(TopKey::kEnter), TopWish::kNothing);  // There is none yet.
  show_envelopes();
  (void)press(TopKey::kDown);
  EXPECT_EQ(press(TopKey::kEnter), TopWish::kStory);
  EXPECT_EQ(state_.envelope.first_id, 2u);
  EXPECT_EQ(press(TopKey::kEscape), TopWish::kEnvelopes);
  EXPECT_EQ(press(TopKey::kEscape), TopWish::kBack);
  EXPECT_EQ(state_.look, TopLook::kTable);
}

TEST_F(TopStateTest, AStoryScrollsAsFarAsItGoes) {
  state_.look = TopLook::kStory;
  shown_.story.resize(kPage + 2);
  (void)press(TopKey::kEnd);
  EXPECT_EQ(state_.scrolled, 2u);
  (void)press(TopKey::kUp);
  EXPECT_EQ(state_.scrolled, 1u);
}

TEST_F(TopStateTest, SpacePausesAndQQuits) {
  EXPECT_EQ(type(" "), TopWish::kPause);
  EXPECT_TRUE(state_.paused);
  EXPECT_EQ(type("q"), TopWish::kQuit);
}

TEST_F(TopStateTest, AnyKeyLeavesTheHelp) {
  (void)type("?");
  EXPECT_TRUE(state_.help);
  EXPECT_EQ(type(" "), TopWish::kNothing);
  EXPECT_FALSE(state_.help);
  EXPECT_FALSE(state_.paused);
}

TEST(TopFilterTest, WhatIsChosenBecomesAFilterWithItsCharactersHarmless) {
  EXPECT_EQ(filter_for(TopTab::kPeers, "alice"), "peer = \"alice\"");
  EXPECT_EQ(filter_for(TopTab::kTopics, "lab/oven"), "topic = \"lab/oven\"");
  EXPECT_EQ(filter_for(TopTab::kServices, "a\"b*"),
            "service = \"a\\\"b\\*\" or (kind = call and event in (assigned, answered, failed))");
  for (const TopTab tab : {TopTab::kPeers, TopTab::kTopics, TopTab::kServices}) {
    EXPECT_TRUE(filter::Filter::compile(filter_for(tab, "a")));
  }
}

TEST(TopEnvelopesTest, OfEachTheLatestFateIsKeptNewestFirst) {
  std::vector<TapEntry> records;
  const auto add = [&records](TapEvent event, std::uint64_t id, std::uint64_t time_ns) {
    TapEntry entry;
    entry.record.event = event;
    entry.record.first_id = entry.record.last_id = id;
    entry.record.count = 1;
    entry.record.time_ns = time_ns;
    entry.record.kind = event == TapEvent::kReceived ? 16 : 0;
    entry.from = "alice";
    entry.to = "bob";
    records.push_back(entry);
  };
  add(TapEvent::kReceived, 1, 10);
  add(TapEvent::kReceived, 2, 20);
  add(TapEvent::kDelivered, 1, 30);
  add(TapEvent::kSession, 0, 40);
  const std::vector<TopEnvelope> all = latest_envelopes(records, 100);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].line.first_id, 1u);
  EXPECT_EQ(all[0].line.event, TapEvent::kDelivered);
  EXPECT_EQ(all[0].line.kind_number, 16u);
  EXPECT_EQ(all[1].line.first_id, 2u);
  EXPECT_THAT(latest_envelopes(records, 1), SizeIs(1));
}

class LatestCallsTest : public testing::Test {
 protected:
  /// Of calls `first` to `last` of alice.
  void add(TapEvent event, const std::string& to, std::uint64_t first, std::uint64_t last) {
    TapEntry entry;
    entry.record.event = event;
    entry.record.first_id = first;
    entry.record.last_id = last;
    entry.record.count =
        static_cast<std::uint32_t>(event == TapEvent::kAnswered ? 1 : last - first + 1);
    entry.record.time_ns = records_.size() + 1;
    entry.record.kind = event == TapEvent::kDelivered ? 0 : static_cast<std::uint8_t>(Kind::kCall);
    entry.from = "alice";
    entry.to = to;
    records_.push_back(entry);
  }

  std::vector<TapEntry> records_;
};

TEST_F(LatestCallsTest, AreForTheirServiceAndShowHowTheyEnded) {
  add(TapEvent::kReceived, "@up", 1, 1);
  add(TapEvent::kAssigned, "w1", 1, 1);
  add(TapEvent::kAnswered, "w1", 1, 9);
  add(TapEvent::kDelivered, "w1", 1, 1);  // Acknowledged only after the reply.
  const std::vector<TopEnvelope> all = latest_envelopes(records_, 100, "up");
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].line.event, TapEvent::kAnswered);
  EXPECT_EQ(all[0].line.to, "@up");
}

TEST_F(LatestCallsTest, OfOtherServicesAreLeftOut) {
  add(TapEvent::kReceived, "@up", 1, 2);
  add(TapEvent::kReceived, "@down", 3, 3);
  add(TapEvent::kAssigned, "w1", 2, 2);
  add(TapEvent::kAssigned, "w2", 3, 3);
  add(TapEvent::kAssigned, "w2", 4, 4);  // Received before what the recorder tells.
  const std::vector<TopEnvelope> all = latest_envelopes(records_, 100, "up");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].line.first_id, 2u);
  EXPECT_EQ(all[0].line.event, TapEvent::kAssigned);
  EXPECT_EQ(all[1].line.event, TapEvent::kReceived);
  EXPECT_THAT(latest_envelopes(records_, 100), SizeIs(4));
}

}  // namespace
}  // namespace zpost::inspect
