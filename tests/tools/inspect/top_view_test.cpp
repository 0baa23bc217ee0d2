// How top looks, character by character.
#include "tools/inspect/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

#include "peer/cli/shared/text.h"
#include "tests/tools/inspect/times.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using peer::Peer;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class TopViewTest : public testing::Test {
 protected:
  void SetUp() override {
    cli::use_utf8();
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
    model_.turn(kStart);
    model_.apply(TailLine{.event = TapEvent::kReceived,
                          .time_ns = kStart,
                          .from = "alice",
                          .to = "bob",
                          .kind_number = static_cast<std::uint8_t>(Kind::kSend),
                          .first_id = 1,
                          .last_id = 4,
                          .count = 4});
    model_.apply(TailLine{.event = TapEvent::kDelivered,
                          .time_ns = kStart,
                          .from = "alice",
                          .to = "bob",
                          .first_id = 1,
                          .last_id = 4,
                          .count = 4,
                          .outcome = Outcome::kDelivered,
                          .latency_ns = 3 * kMs});
    model_.apply(TailLine{.event = TapEvent::kFailed,
                          .time_ns = kStart,
                          .from = "alice",
                          .to = "nobody",
                          .first_id = 5,
                          .last_id = 5,
                          .count = 1,
                          .outcome = Outcome::kNoPeer});
    model_.turn(kStart + kSecond);
    Peer::PeerInfo slow;
    slow.name = "carol";
    slow.state = "active";
    slow.queued = 12'345;
    slow.queued_bytes = 1 << 20;
    model_.apply({slow}, kStart + kSecond);
    BrokerStats numbers;
    numbers.started_ns = kStart - 299 * kSecond;
    numbers.peers = 3;
    numbers.held = 12'345;
    numbers.failed = 3;
    numbers.failed_by = {{"full", 1}, {"no-peer", 2}};
    numbers.memory = 5 << 20;
    numbers.recorder_oldest_ns = kStart - 119 * kSecond;
    numbers.recorder_bytes = 3 << 20;
    numbers.recorder_limit = 64 << 20;
    model_.apply(numbers, kStart + kSecond);
  }

  std::vector<TopLine> picture(std::size_t columns, std::size_t lines) {
    shown_.rows = ordered_rows(model_, state_.tab, state_.order(), state_.filter.empty());
    return draw(whole(columns, lines));
  }

  std::string text(std::size_t columns = 80, std::size_t lines = 24) {
    return plain_text(picture(columns, lines));
  }

  [[nodiscard]] TopPicture whole(std::size_t columns, std::size_t lines) const {
    return {.model = model_,
            .state = state_,
            .shown = shown_,
            .broker = "post",
            .endpoint = "tcp://127.0.0.1:1234",
            .taps = taps_,
            .message = message_,
            .columns = columns,
            .lines = lines};
  }

  /// Line `number`, from 0.
  std::string line(std::size_t number, std::size_t columns = 80) {
    return plain_text({picture(columns, 24).at(number)});
  }

  TopModel model_;
  TopState state_;
  TopShown shown_;
  std::string message_;
  bool taps_ = true;
};

TEST_F(TopViewTest, TheFirstPictureHasPeersInTheirColumns) {
  EXPECT_EQ(text(),
            "zpost top  post at tcp://127.0.0.1:1234                                 00:00:01\n"
            "up 5 min  3 peers  memory 5.0 MiB  recorder holds 2.0 min, 3.0 MiB of 64 MiB\n"
            "in 4/s  out 4/s  held 12.3k  failed 1/s, 3 ever (no-peer 2, full 1)\n"
            " 1 Peers   2 Topics   3 Services\n"
            "  Peer            ▼SENT/s TAKEN/s QUEUED  UNACK FAILED     P50     P99 LATENCY\n"
            "  alice                 4       0      0      0      1       -       -\n"
            "  bob                   0       4      0      0      0 3.15 ms 3.15 ms         █\n"
            "! carol                 0       0  12.3k      0      0       -       -\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "\n"
            "q quit  ? help  s sort  / filter  space pause  Enter look inside\n");
}

TEST_F(TopViewTest, AWideTerminalHasTwoCurvesAndLongerNames) {
  EXPECT_EQ(line(4, 120),
            "  Peer                            ▼SENT/s TAKEN/s QUEUED  UNACK FAILED     P50     "
            "P99 TRAFFIC          LATENCY\n");
  EXPECT_EQ(line(5, 120),
            "  alice                                 4       0      0      0      1       -       "
            "-                █\n");
}

TEST_F(TopViewTest, EveryLookFillsTheTerminalAndNoLineIsWider) {
  TailLine envelope{.event = TapEvent::kDelivered,
                    .time_ns = kStart,
                    .from = std::string(64, 'x'),
                    .to = std::string(64, 'y'),
                    .first_id = kStart,
                    .last_id = kStart,
                    .count = 1};
  shown_.envelopes.resize(100, {envelope});
  shown_.story.resize(100, std::string(300, 'z'));
  for (const std::size_t columns : {80U, 81U, 99U, 100U, 120U, 250U}) {
    for (const TopLook look : {TopLook::kTable, TopLook::kEnvelopes, TopLook::kStory}) {
      for (const bool help : {false, true}) {
        state_.look = look;
        state_.help = help;
        const std::vector<TopLine> lines = picture(columns, 40);
        EXPECT_THAT(lines, SizeIs(40));
        for (const TopLine& each : lines) {
          EXPECT_LE(cli::columns_of(plain_text({each})), columns + 1) << plain_text({each});
        }
      }
    }
  }
}

TEST_F(TopViewTest, TheHelpFitsTheSmallestTerminal) {
  state_.help = true;
  EXPECT_THAT(text(), Not(HasSubstr("…")));
  EXPECT_THAT(text(), HasSubstr("P50 P99"));
}

TEST_F(TopViewTest, ASmallTerminalIsToldSo) {
  EXPECT_THAT(text(60, 20), HasSubstr("top wants 80×24, here is 60×20"));
  EXPECT_THAT(picture(60, 20), SizeIs(20));
  EXPECT_THAT(picture(3, 1), SizeIs(1));
}

TEST_F(TopViewTest, NamesAreMadeHarmless) {
  model_.apply(TailLine{
      .event = TapEvent::kReceived, .time_ns = kStart, .from = "evil\x1b[2J\n", .count = 1});
  EXPECT_THAT(text(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(text(), HasSubstr("evil\\e[2J\\n"));
}

TEST_F(TopViewTest, TheCursorsPageIsShown) {
  for (int i = 0; i < 50; ++i) {
    Peer::PeerInfo info;
    info.name = "p" + std::to_string(100 + i);
    info.state = "active";
    model_.apply(TailLine{.event = TapEvent::kDelivered,
                          .time_ns = kStart,
                          .from = "alice",
                          .to = info.name,
                          .count = 1});
  }
  state_.order().column = 0;
  state_.cursors[0] = "p149";
  EXPECT_THAT(text(), HasSubstr("p149"));
  EXPECT_THAT(text(), Not(HasSubstr("p100")));
}

TEST_F(TopViewTest, TopicsAndServicesHaveTitlesOfTheirOwn) {
  state_.tab = TopTab::kTopics;
  EXPECT_THAT(line(4), HasSubstr("Topic "));
  EXPECT_THAT(line(4), HasSubstr("QUEUES"));
  state_.tab = TopTab::kServices;
  EXPECT_THAT(line(4), HasSubstr("Service "));
  EXPECT_THAT(line(4), HasSubstr("WORKERS"));
}

TEST_F(TopViewTest, PauseFilterAndMessagesAreSeen) {
  state_.paused = true;
  state_.filter = "from = alice";
  message_ = "connection lost";
  EXPECT_THAT(line(2), testing::StartsWith("PAUSED"));
  EXPECT_THAT(line(3), HasSubstr("only from = alice"));
  EXPECT_THAT(line(23), HasSubstr("connection lost"));
}

TEST_F(TopViewTest, WhatIsWrongWithATypedFilterIsSaid) {
  state_.typing = true;
  state_.typed = "frm";
  EXPECT_EQ(line(23), "/frm_\n");
  state_.filter_fault = "column 1: there is no field";
  EXPECT_EQ(line(23), "column 1: there is no field\n");
}

TEST_F(TopViewTest, ABrokerThatFallsSilentIsSaidToBe) {
  model_.turn(kStart + 10 * kSecond);
  EXPECT_EQ(line(1), "the broker does not answer\n");
}

TEST(TopViewOfNothingTest, ABrokerThatNeverAnsweredIsAskedForAWhileAndThenSaidToBeSilent) {
  TopModel model;
  const TopState state;
  const TopShown shown;
  const auto line = [&](std::uint64_t now_ns) {
    model.turn(now_ns);
    return plain_text({draw({.model = model, .state = state, .shown = shown}).at(1)});
  };
  EXPECT_EQ(line(kStart), "asking the broker\n");
  EXPECT_EQ(line(kStart + 2 * kSecond), "asking the broker\n");
  EXPECT_EQ(line(kStart + 10 * kSecond), "the broker does not answer\n");
}

TEST_F(TopViewTest, ATapThatIsNotOpenIsSaidNotToCount) {
  taps_ = false;
  EXPECT_EQ(line(1), "the broker's tap is not open: what passes now may not be counted\n");
}

TEST_F(TopViewTest, APeersEnvelopesComeUnderWhatThereIsToSayOfIt) {
  state_.look = TopLook::kEnvelopes;
  state_.chosen = "carol";
  shown_.envelopes.push_back({TailLine{.event = TapEvent::kFailed,
                                       .time_ns = kStart,
                                       .from = "alice",
                                       .to = "carol",
                                       .kind_number = 16,
                                       .first_id = 7,
                                       .last_id = 7,
                                       .count = 1,
                                       .bytes = 33,
                                       .outcome = Outcome::kFull}});
  EXPECT_THAT(line(4), HasSubstr("carol  active  queued 12.3k, 1.0 MiB"));
  EXPECT_THAT(line(4, 120), HasSubstr("slow: 12,345 envelopes wait for it"));
  EXPECT_THAT(line(5), HasSubstr("failed    alice → carol  send    33 B    #7 full"));
}

TEST_F(TopViewTest, OnceShowsAllRowsWithoutKeys) {
  shown_.rows = ordered_rows(model_, TopTab::kPeers, {}, true);
  const std::string all = plain_text(draw(whole(80, 0)));
  EXPECT_THAT(all, HasSubstr("carol"));
  EXPECT_THAT(all, Not(HasSubstr("q quit")));
}

TEST_F(TopViewTest, JsonHasTheSameForPrograms) {
  const auto json = nlohmann::json::parse(top_json(whole(80, 0)));
  EXPECT_EQ(json["broker"], "post");
  EXPECT_EQ(json["answers"], true);
  EXPECT_EQ(json["tap_open"], true);
  EXPECT_EQ(json["recorder"]["reach_ns"], 120 * kSecond);
  EXPECT_EQ(json["failed_by"]["no-peer"], 2);
  ASSERT_EQ(json["peers"].size(), 3U);
  const auto& alice = json["peers"][0];
  EXPECT_EQ(alice["name"], "alice");
  EXPECT_EQ(alice["sent_rate"], 4);
  EXPECT_EQ(alice["failed_by"]["no-peer"], 1);
  EXPECT_FALSE(alice.contains("p50_ns"));
  EXPECT_EQ(alice["state"], "gone");
  EXPECT_EQ(json["peers"][1]["name"], "bob");
  EXPECT_GT(json["peers"][1]["p99_ns"], 3 * kMs);
  EXPECT_THAT(json["peers"][2]["slow"], HasSubstr("12,345"));
}

TEST_F(TopViewTest, JsonSaysWhetherItsNumbersHold) {
  taps_ = false;
  model_.turn(kStart + 10 * kSecond);
  const auto json = nlohmann::json::parse(top_json(whole(80, 0)));
  EXPECT_EQ(json["answers"], false);
  EXPECT_EQ(json["tap_open"], false);
}

}  // namespace
}  // namespace zpost::inspect
