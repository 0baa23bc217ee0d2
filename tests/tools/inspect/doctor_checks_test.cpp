#include "tools/inspect/doctor_checks.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "peer/cli/shared/text.h"
#include "tests/tools/inspect/times.h"

namespace zpost::inspect {
namespace {

using testing::Test;
using PeerInfo = peer::Peer::PeerInfo;

constexpr std::uint64_t kNow = 1'800'000'000 * kSecond;

class DoctorChecksTest : public Test {
 protected:
  void SetUp() override { cli::use_utf8(); }

  static PeerInfo peer(std::string name) {
    PeerInfo info;
    info.name = std::move(name);
    info.instance = std::string(32, 'a');
    info.software = "lab 1";
    info.state = "active";
    info.address = "10.0.0.7:4711";
    info.since_ns = kNow - 60 * kSecond;
    info.last_seen_ns = kNow - kSecond / 2;
    return info;
  }

  /// That the oldest it has not taken came so long ago.
  static PeerInfo owing(std::uint64_t seconds, std::uint64_t rate) {
    PeerInfo info = peer("bob");
    info.queued = 1'234;
    info.queued_bytes = 2048;
    info.unacked = 5;
    info.oldest_ns = kNow - seconds * kSecond;
    info.received_rate = rate;
    return info;
  }

  static BrokerStats stats() {
    BrokerStats numbers;
    numbers.peers = 5;
    numbers.memory = 9 << 20;
    numbers.limits = {{"peers", 20'000}, {"memory", 1 << 30}, {"inspectors", 16}};
    return numbers;
  }
};

TEST_F(DoctorChecksTest, FewDescriptorsAreWarnedOf) {
  EXPECT_EQ(descriptor_check(256).state, Health::kOk);
  const Check few = descriptor_check(255);
  EXPECT_EQ(few.state, Health::kWarn);
  EXPECT_EQ(few.text, "only 255 may be open here");
  EXPECT_FALSE(few.advice.empty());
}

TEST_F(DoctorChecksTest, ClocksMayDifferByLessThanASecond) {
  EXPECT_EQ(clock_check(kNow, kNow + 999'999'999).state, Health::kOk);
  EXPECT_EQ(clock_check(kNow, kNow + kSecond).text, "the broker's is 1000 ms behind ours");
  EXPECT_EQ(clock_check(kNow + kSecond, kNow).text, "the broker's is 1000 ms ahead of ours");
  EXPECT_EQ(clock_check(kNow + kSecond, kNow).state, Health::kWarn);
}

TEST_F(DoctorChecksTest, LimitsThatAreFarAwayAreOneLine) {
  const std::vector<Check> checks = limit_checks(stats());
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].state, Health::kOk);
  EXPECT_EQ(checks[0].text, "5 of 20,000 peers, 9.0 MiB of 1.0 GiB memory, 0 of 16 inspectors");
}

TEST_F(DoctorChecksTest, ALimitThatIsNearIsNamedWithItsValueAndKey) {
  BrokerStats full = stats();
  full.inspectors = 15;
  full.peers = 20'000;
  const std::vector<Check> checks = limit_checks(full);
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[0].state, Health::kWarn);
  EXPECT_EQ(checks[0].text, "peers: 20,000 of 20,000, at the limit (limits.peers)");
  EXPECT_EQ(
      checks[0].advice,
      "Now newcomers are refused\nRaise limits.peers in the broker's configuration, or need less");
  EXPECT_EQ(checks[1].text, "inspectors: 15 of 16, near the limit (limits.inspectors)");
  full.inspectors = 14;
  EXPECT_EQ(limit_checks(full).size(), 1U);
}

TEST_F(DoctorChecksTest, OfABrokerThatSaysNoLimitsNothingIsSaid) {
  EXPECT_TRUE(limit_checks({}).empty());
}

TEST_F(DoctorChecksTest, PeersThatTakeWhatTheyAreSentAreOneLine) {
  const std::vector<Check> checks = peer_checks({peer("alice"), owing(1, 0), owing(4, 9)}, kNow);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].state, Health::kOk);
  EXPECT_EQ(checks[0].text, "3 peers, all take what they are sent");
}

TEST_F(DoctorChecksTest, WhoeverTakesNothingIsNamedWithSinceWhen) {
  const std::vector<Check> checks = peer_checks({peer("alice"), owing(12, 0)}, kNow);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].what, "consumer");
  EXPECT_EQ(checks[0].state, Health::kWarn);
  EXPECT_EQ(checks[0].text,
            "bob takes nothing, since 12 s: 1,234 queued (2.0 KiB), 5 unacknowledged, last heard "
            "just now");
  EXPECT_NE(checks[0].advice.find("bob (10.0.0.7:4711)"), std::string::npos);
}

TEST_F(DoctorChecksTest, WhoeverFallsBehindIsNamedWithHowFar) {
  const std::vector<Check> checks = peer_checks({owing(150, 40)}, kNow);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].text,
            "bob is 2 min behind: it takes 40/s; 1,234 queued (2.0 KiB), 5 unacknowledged");
}

TEST_F(DoctorChecksTest, WhoIsAwayOrExpectedIsNamedWithWhatWaits) {
  PeerInfo away = owing(100, 0);
  away.state = "away";
  away.last_seen_ns = kNow - 12 * kSecond;
  PeerInfo expected = owing(100, 0);
  expected.state = "expected";
  const std::vector<Check> checks = peer_checks({away, expected}, kNow);
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[0].text,
            "bob lost its connection, last heard 12 s ago; 1,239 envelopes wait for it");
  EXPECT_EQ(checks[1].what, "expected");
  EXPECT_NE(checks[1].text.find("1,234 envelopes wait for it"), std::string::npos);
}

TEST_F(DoctorChecksTest, AHeldNameIsToldWithItsHolder) {
  const Check held = name_check("bob", {peer("alice"), peer("bob")}, kNow);
  EXPECT_EQ(held.state, Health::kFail);
  EXPECT_EQ(held.text, "bob is held: instance " + std::string(32, 'a') +
                           ", lab 1, since 60 s ago, from 10.0.0.7:4711, last heard "
                           "just now");
  EXPECT_EQ(name_check("carol", {peer("bob")}, kNow).text, "carol is free");
  PeerInfo away = peer("bob");
  away.state = "away";
  EXPECT_EQ(name_check("bob", {away}, kNow).state, Health::kWarn);
  away.state = "expected";
  EXPECT_EQ(name_check("bob", {away}, kNow).state, Health::kOk);
}

TEST_F(DoctorChecksTest, NamesOfOthersMoveNoCursor) {
  PeerInfo evil = owing(12, 0);
  evil.name = evil.address = "\x1b[2J";
  for (const Check& check : peer_checks({evil}, kNow)) {
    EXPECT_EQ((check.text + check.advice).find('\x1b'), std::string::npos);
  }
}

TEST_F(DoctorChecksTest, RefusalsThatSomethingCanBeDoneAboutHaveAdvice) {
  for (const Outcome code :
       {Outcome::kVersion, Outcome::kNameHeld, Outcome::kFull, Outcome::kDraining}) {
    EXPECT_FALSE(refusal_advice(code).empty()) << outcome_name(code);
  }
  EXPECT_EQ(refusal_advice(Outcome::kBadIdentity), "");
}

TEST_F(DoctorChecksTest, ACheckIsALineWithItsAdviceBelow) {
  const Check check{"peers", Health::kWarn, "two are slow", "do this\nor that"};
  EXPECT_EQ(check_text(check, cli::Palette(false)),
            "warn  peers        two are slow\n"
            "                   do this\n"
            "                   or that\n");
  EXPECT_EQ(nlohmann::json::parse(check_json(check)),
            nlohmann::json({{"check", "peers"},
                            {"state", "warn"},
                            {"text", "two are slow"},
                            {"advice", "do this\nor that"}}));
}

TEST(BrokerStatsTest, NumbersAreReadFromTheAnswerAndMissingOnesAreNone) {
  const nlohmann::json answer{{"time", 9},
                              {"started", 7},
                              {"peers", 3},
                              {"inspectors", 2},
                              {"memory", 5},
                              {"counters", {{"held", 1}, {"failed_by", {{"full", 4}}}}},
                              {"recorder", {{"bytes", 10}, {"limit", 20}, {"oldest", 8}}},
                              {"limits", {{"peers", 100}, {"odd", "x"}}}};
  const std::vector<std::uint8_t> packed = nlohmann::json::to_msgpack(answer);
  const BrokerStats stats = stats_from(std::as_bytes(std::span(packed)));
  EXPECT_EQ(stats.time_ns, 9U);
  EXPECT_EQ(stats.started_ns, 7U);
  EXPECT_EQ(stats.inspectors, 2U);
  EXPECT_EQ(stats.held, 1U);
  EXPECT_EQ(stats.failed_by.at("full"), 4U);
  EXPECT_EQ(stats.recorder_bytes, 10U);
  EXPECT_EQ(stats.recorder_limit, 20U);
  EXPECT_EQ(stats.recorder_oldest_ns, 8U);
  EXPECT_EQ(stats.limits, (std::map<std::string, std::uint64_t>{{"peers", 100}}));
  EXPECT_EQ(stats.retained, 0U);
  EXPECT_EQ(stats_from(as_bytes("no map")).peers, 0U);
}

}  // namespace
}  // namespace zpost::inspect
