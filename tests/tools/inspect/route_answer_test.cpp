#include "tools/inspect/route_answer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "peer/cli/shared/text.h"

namespace zpost::inspect {
namespace {

using testing::Test;

class RouteAnswerTest : public Test {
 protected:
  void SetUp() override { cli::use_utf8(); }

  [[nodiscard]] Result<void> add(const nlohmann::json& page) {
    const std::vector<std::uint8_t> packed = nlohmann::json::to_msgpack(page);
    return answer_.add(std::as_bytes(std::span(packed)));
  }

  /// What people are told of an answer of one page.
  std::string told(nlohmann::json page) {
    const nlohmann::json usual{{"kind", 16},  {"from", "alice"},    {"to", "bob"},
                               {"bytes", 40}, {"sender", "active"}, {"credit", 1024},
                               {"pair", 256}};
    for (const auto& [key, value] : usual.items()) {
      if (!page.contains(key)) page[key] = value;
    }
    answer_ = RouteAnswer();
    const Result<void> added = add(page);
    return added ? route_text(answer_.json(), cli::Palette(false)) : added.error().text;
  }

  static nlohmann::json recipient(nlohmann::json more) {
    nlohmann::json row{{"name", "bob"},      {"state", "active"}, {"queued", 2},
                       {"queued_bytes", 80}, {"unacked", 1},      {"window_room", 2048},
                       {"frames_room", 1},   {"queue_room", 4096}};
    if (more.is_object()) row.update(more);
    return row;
  }

  RouteAnswer answer_;
};

TEST_F(RouteAnswerTest, TheQuestionSaysTheEnvelopeAndWhereThePageStarts) {
  const ByteBuffer body = encode(
      {.kind = Kind::kPublish, .from = "alice", .to = "lab/temp", .bytes = 7, .retain = true}, 100);
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(body.data());
  EXPECT_EQ(nlohmann::json::from_msgpack(begin, begin + body.size()),
            nlohmann::json({{"op", "route"},
                            {"kind", static_cast<int>(Kind::kPublish)},
                            {"from", "alice"},
                            {"to", "lab/temp"},
                            {"bytes", 7},
                            {"retain", true},
                            {"start", 100}}));
}

TEST_F(RouteAnswerTest, WhatGoesAtOnceIsToldWithTheRoomThereIs) {
  EXPECT_EQ(told({{"fate", "forwarded"}, {"recipients", {recipient({})}}}),
            "send of 40 B from alice to bob\n"
            "  forwarded to bob at once\n"
            "  alice may send 1.0 KiB more, 256 B unsettled to one recipient\n"
            "  bob  active  at once\n"
            "    queued 2, 80 B; unacknowledged 1; room: window 2.0 KiB, 1 frame; queue 4.0 KiB\n");
  EXPECT_FALSE(answer_.is_refused());
}

TEST_F(RouteAnswerTest, WhatIsHeldIsToldWithItsReason) {
  const auto held = [this](const char* why) {
    return told({{"fate", "held"}, {"recipients", {recipient({{"why", why}})}}});
  };
  EXPECT_NE(held("away").find("held at the broker: bob is away; it waits until it is back"),
            std::string::npos);
  EXPECT_NE(held("window-full").find("its window is full"), std::string::npos);
  EXPECT_NE(held("no-demand").find("wants no more"), std::string::npos);
  EXPECT_NE(held("connection-full").find("takes no more at the moment"), std::string::npos);
  EXPECT_NE(held("for-fun").find("held: for-fun"), std::string::npos) << "of a newer broker";
  EXPECT_NE(told({{"fate", "held"}}).find("bob has not come yet"), std::string::npos);
  EXPECT_FALSE(answer_.is_refused());
}

TEST_F(RouteAnswerTest, ARefusalNamesItsOutcomeAndText) {
  const std::string text = told(
      {{"fate", "refused"}, {"outcome", static_cast<int>(Outcome::kNoPeer)}, {"text", "no bob"}});
  EXPECT_NE(text.find("\n  refused: no-peer: no bob\n"), std::string::npos) << text;
  EXPECT_TRUE(answer_.is_refused());
  EXPECT_EQ(answer_.json()["outcome"], "no-peer");
  EXPECT_NE(
      told(
          {{"fate", "refused"}, {"outcome", static_cast<int>(Outcome::kOverCredit)}, {"text", "x"}})
          .find("over-credit: x; a library waits until there is credit"),
      std::string::npos);
}

TEST_F(RouteAnswerTest, ACallIsGivenToAWorkerOrWaitsForOne) {
  const nlohmann::json worker = recipient({{"name", "srv"}, {"capacity", 4}, {"in_hand", 1}});
  const std::string given =
      told({{"fate", "assigned"}, {"worker", "srv"}, {"workers", 1}, {"recipients", {worker}}});
  EXPECT_NE(given.find("given to srv at once"), std::string::npos) << given;
  EXPECT_NE(given.find("1 of 4 calls in hand"), std::string::npos) << given;
  EXPECT_NE(given.find("srv  active  at once"), std::string::npos) << given;
  const nlohmann::json full = recipient({{"name", "srv"}, {"capacity", 1}, {"in_hand", 1}});
  const std::string held = told({{"fate", "waiting"}, {"workers", 1}, {"recipients", {full}}});
  EXPECT_NE(held.find("has as many calls as it takes"), std::string::npos) << held;
  EXPECT_EQ(held.find("at once"), std::string::npos) << held;
  const nlohmann::json waits{{"fate", "waiting"}, {"waiting", 1}, {"queue_limit", 10'000}};
  EXPECT_NE(told(waits).find("no worker has come yet; 1 call before it, the limit is 10,000"),
            std::string::npos);
  nlohmann::json busy = waits;
  busy["workers"] = 2;
  EXPECT_NE(told(busy).find("no worker has room"), std::string::npos);
}

TEST_F(RouteAnswerTest, APublishTellsWhatEachSubscriptionDoesWithItsCopy) {
  const auto copy = [this](nlohmann::json more) {
    nlohmann::json row =
        recipient({{"policy", "drop-oldest"}, {"patterns", {"lab/*"}}, {"matching", 3}});
    if (more.is_object()) row.update(more);
    return told({{"fate", "published"}, {"queues", 1}, {"recipients", {row}}});
  };
  const std::string text = copy({});
  EXPECT_NE(text.find("a copy for 1 subscriber"), std::string::npos) << text;
  EXPECT_NE(text.find("by lab/* and 2 more; policy drop-oldest; "), std::string::npos) << text;
  EXPECT_NE(copy({{"full", true}}).find("the oldest that wait are dropped"), std::string::npos);
  EXPECT_NE(copy({{"full", true}, {"policy", "block"}}).find("the publisher waits"),
            std::string::npos);
  EXPECT_NE(copy({{"own", true}}).find("it leaves out its own"), std::string::npos);
  EXPECT_NE(copy({{"lost", static_cast<int>(Outcome::kFull)}}).find("its copy is full"),
            std::string::npos);
}

TEST_F(RouteAnswerTest, APublishThatNobodyGetsCountsAsRefused) {
  EXPECT_NE(told({{"fate", "published"}, {"queues", 0}}).find("goes nowhere: nobody subscribes"),
            std::string::npos);
  EXPECT_TRUE(answer_.is_refused());
}

TEST_F(RouteAnswerTest, AnAbsentSenderIsSaidToBeAbsent) {
  const auto sender = [this](const char* state) {
    return told({{"fate", "forwarded"}, {"sender", state}});
  };
  EXPECT_NE(sender("absent").find("alice is absent itself: this is so once it comes"),
            std::string::npos);
  EXPECT_NE(sender("away").find("alice is away itself: this is so once it is back"),
            std::string::npos);
  EXPECT_EQ(told({{"fate", "forwarded"}, {"from", ""}, {"sender", "absent"}}).find("itself:"),
            std::string::npos);
}

TEST_F(RouteAnswerTest, PagesBecomeOneAnswer) {
  ASSERT_TRUE(
      add({{"fate", "published"}, {"queues", 2}, {"next", 1}, {"recipients", {recipient({})}}}));
  EXPECT_EQ(answer_.next(), 1U);
  ASSERT_TRUE(add({{"fate", "published"}, {"recipients", {recipient({{"name", "carol"}})}}}));
  EXPECT_EQ(answer_.next(), 0U);
  ASSERT_EQ(answer_.json()["recipients"].size(), 2U);
  EXPECT_EQ(answer_.json()["recipients"][1]["name"], "carol");
  EXPECT_EQ(answer_.json()["queues"], 2);
}

TEST_F(RouteAnswerTest, WhatIsNoAnswerIsRefused) {
  const std::string wrong = "the broker's answer to route cannot be read";
  for (const nlohmann::json& page : {nlohmann::json(7), nlohmann::json::object(),
                                     nlohmann::json{{"fate", "held"}, {"recipients", 7}},
                                     nlohmann::json{{"fate", "held"}, {"recipients", {7}}}}) {
    const Result<void> added = add(page);
    ASSERT_FALSE(added) << page;
    EXPECT_EQ(added.error().text, wrong);
  }
  const Result<void> cut = answer_.add(Bytes(reinterpret_cast<const std::byte*>("\x81"), 1));
  EXPECT_FALSE(cut);
}

TEST_F(RouteAnswerTest, AnAnswerOfOtherTypesIsShownAsFarAsItGoes) {
  const std::string text =
      told({{"fate", "published"},
            {"queues", "many"},
            {"from", 7},
            {"recipients",
             {{{"name", "b\x1b[2J"}, {"policy", 3}}, {{"patterns", "x"}, {"policy", 3}}}}});
  EXPECT_NE(text.find("b\\e[2J"), std::string::npos) << text;
}

}  // namespace
}  // namespace zpost::inspect
