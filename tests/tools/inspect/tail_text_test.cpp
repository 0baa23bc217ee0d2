#include "tools/inspect/tail_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "tools/inspect/tail_json.h"

namespace zpost::inspect {
namespace {

constexpr std::uint64_t kTime = 1'767'225'600'000'000'000;

TailLine hello() {
  TailLine line{.event = TapEvent::kReceived,
                .time_ns = kTime,
                .sequence = 3,
                .from = "alice",
                .to = "bob",
                .kind_number = 16,
                .first_id = 7,
                .last_id = 7,
                .count = 1,
                .bytes = 33};
  line.envelope =
      ShownEnvelope{.kind_number = 16, .id = 7, .body = as_bytes("hello bob"), .size = 33};
  return line;
}

class TailTextTest : public testing::Test {
 protected:
  void SetUp() override { cli::use_utf8(); }

  static std::string text(const TailLine& line, std::size_t columns = 140) {
    const std::string shown = tail_text(line, cli::Palette(false), columns);
    const std::string clock = cli::local_time_ms(kTime) + " ";
    EXPECT_TRUE(shown.starts_with(clock)) << shown;
    return shown.substr(clock.size());
  }
};

TEST_F(TailTextTest, AnEnvelopeShowsItsBody) {
  EXPECT_EQ(text(hello()), "received  alice → bob    send    33 B    #7 \"hello bob\"\n");
}

TEST_F(TailTextTest, BodiesAreMadeHarmlessAndShortened) {
  TailLine line = hello();
  line.envelope->body = as_bytes("\x1b[2J\nabcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(text(line, 80),
            "received  alice → bob    send    33 B    #7 \"\\e[2J\\nabcdefghijklmn…\n");
  EXPECT_LE(cli::columns_of(tail_text(line, cli::Palette(false), 80)), 82u);
}

TEST_F(TailTextTest, LongNamesYieldSoThatARowFitsItsColumns) {
  TailLine line = hello();
  line.to = "lab/building-3/floor-2/room-217/oven/temperature/celsius/left";
  for (const std::size_t columns : {80U, 100U, 140U}) {
    std::string row = tail_text(line, cli::Palette(false), columns);
    row.pop_back();
    EXPECT_LE(cli::columns_of(row), columns) << row;
    EXPECT_NE(row.find("alice → lab/"), std::string::npos) << row;
  }
  EXPECT_NE(text(line, 200).find("alice → " + line.to + " "), std::string::npos);
  line.from = std::string(64, 'a');
  EXPECT_NE(text(line, 140).find("a… → lab/"), std::string::npos) << text(line, 140);
}

TEST_F(TailTextTest, ABodyThatIsCutSaysSo) {
  TailLine line = hello();
  line.envelope->cut = true;
  EXPECT_EQ(text(line), "received  alice → bob    send    33 B    #7 \"hello bob…\"\n");
}

TEST_F(TailTextTest, AFailureSaysWhy) {
  TailLine line = hello();
  line.event = TapEvent::kFailed;
  line.envelope.reset();
  line.outcome = Outcome::kNoPeer;
  EXPECT_EQ(text(line),
            "failed    alice → bob    send    33 B    #7 no-peer: nobody named bob is here\n");
}

TEST_F(TailTextTest, ARunShowsItsCount) {
  TailLine line = hello();
  line.envelope.reset();
  line.count = 1234;
  EXPECT_EQ(text(line), "received  alice → bob    send    33 B    #7… ×1,234\n");
}

TEST_F(TailTextTest, ASizeThatTheBrokerDoesNotTellIsNotShown) {
  const TailLine answered{.event = TapEvent::kAnswered,
                          .time_ns = kTime,
                          .from = "alice",
                          .to = "bob",
                          .kind_number = 17,
                          .first_id = 7,
                          .last_id = 9,
                          .count = 1,
                          .reply_id = 9};
  EXPECT_EQ(text(answered), "answered  alice → bob    request         #7 by #9\n");
  EXPECT_FALSE(nlohmann::json::parse(tail_json(answered)).contains("bytes"));
  EXPECT_EQ(nlohmann::json::parse(tail_json(hello()))["bytes"], 33);
}

TEST_F(TailTextTest, SessionsAndMissesAreSentences) {
  TailLine session{.event = TapEvent::kSession, .time_ns = kTime, .from = "bob"};
  session.change = SessionChange::kOver;
  session.outcome = Outcome::kSilent;
  EXPECT_EQ(text(session), "session   bob over (silent)\n");
  EXPECT_EQ(text({.event = TapEvent::kMissed, .time_ns = kTime, .missed = 1234}),
            "… 1,234 records missed\n");
}

TEST_F(TailTextTest, JsonHasTheSameForPrograms) {
  const auto json = nlohmann::json::parse(tail_json(hello()));
  EXPECT_EQ(json["time"], "2026-01-01T00:00:00.000000000Z");
  EXPECT_EQ(json["event"], "received");
  EXPECT_EQ(json["from"], "alice");
  EXPECT_EQ(json["to"], "bob");
  EXPECT_EQ(json["kind"], "send");
  EXPECT_EQ(json["id"], "7");
  EXPECT_EQ(json["body"], "hello bob");
}

TEST_F(TailTextTest, JsonOfASessionNamesThePeer) {
  TailLine session{.event = TapEvent::kSession, .time_ns = kTime, .from = "bob"};
  session.change = SessionChange::kAway;
  const auto json = nlohmann::json::parse(tail_json(session));
  EXPECT_EQ(json["peer"], "bob");
  EXPECT_EQ(json["change"], "away");
}

}  // namespace
}  // namespace zpost::inspect
