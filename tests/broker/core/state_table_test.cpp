// Every cell of the table of session states: SPEC.md, section 5.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/broker/core/support/meeting.h"

namespace zpost::core::test {
namespace {

enum class State { kNone, kActive, kAway };

enum class Event {
  kHelloSameInstance,
  kHelloOfAnotherEpoch,
  kHelloOtherInstance,
  kPayload,
  kPayloadOnOldConnection,
  kConnectionLost,
  kSilence,
  kGoodbye,
  kResumeTimeOver,
};

struct Cell {
  const char* name;
  State state;
  Event event;
  const char* heard;  // The beginning of the first line that whoever acted hears; empty: nothing.
  const char* after;  // Alice's session as `who` tells it; empty: there is none.
  const char* later;  // A second later, as of the one who acted, if that is another line.
};

class StateTableTest : public testing::TestWithParam<Cell>, public Meeting {
 protected:
  // Longer than two silences, one after the other.
  StateTableTest()
      : Meeting({.resume_ns = 90 * kSecond}), alice_(&join("alice")), watcher_(&join("watcher")) {
    watcher_->read();
  }

  void bring_into(State state) {
    if (state == State::kActive) return;
    if (state == State::kNone) {
      alice_->goodbye();
      world.settle();
      alice_->connect();
      return;
    }
    // Silent rather than lost: its own connection still works.
    world.advance(world.router().limits().silence_ns - kSecond);
    watcher_->read();
    world.advance(3 * kSecond);
    watcher_->read();
    alice_->read(World::kNoLimit, false);
  }

  FakePeer& act(Event event) {
    switch (event) {
      case Event::kHelloSameInstance:
        alice_->connect();
        alice_->hello();
        return *alice_;
      case Event::kHelloOfAnotherEpoch:
        alice_->forget_session();
        alice_->connect();
        alice_->hello();
        return *alice_;
      case Event::kHelloOtherInstance:
        other_.connect();
        other_.hello();
        return other_;
      case Event::kPayload:
      case Event::kPayloadOnOldConnection:
        (void)alice_->send("watcher", "hello");
        return *alice_;
      case Event::kConnectionLost:
        alice_->lose();
        return *alice_;
      case Event::kSilence:
        world.advance(world.router().limits().silence_ns - kSecond);
        watcher_->read();
        world.advance(2 * kSecond);
        return *alice_;
      case Event::kGoodbye:
        alice_->goodbye();
        return *alice_;
      case Event::kResumeTimeOver:
        for (int i = 0; i < 4; ++i) {
          world.advance(world.router().limits().resume_ns / 4);
          watcher_->read();
        }
        return *alice_;
    }
    return *alice_;
  }

  std::string first_heard(FakePeer& peer) {
    world.settle();
    for (const std::string& frame : peer.read(World::kNoLimit, false)) {
      const std::string line = describe(frame).front();
      if (!line.starts_with("ping")) return line;
    }
    return "";
  }

  /// Of alice, by the watcher's question.
  std::string state() {
    ByteBuffer body;
    MsgpackWriter(body).map(2).str("op").str("who").str("name").str("alice");
    (void)watcher_->send("", as_text(body), Kind::kRequest);
    world.settle();
    watcher_->read();
    const std::string answer = watcher_->bodies().back();
    const auto who = nlohmann::json::from_msgpack(answer);
    return who["peers"].empty() ? "" : who["peers"][0]["state"].get<std::string>();
  }

  FakePeer* alice_;
  FakePeer* watcher_;
  FakePeer other_{world, {.name = "alice", .instance = instance_of(7)}};
};

TEST_P(StateTableTest, SaysWhatHappens) {
  const Cell& cell = GetParam();
  bring_into(cell.state);

  FakePeer& who = act(cell.event);

  const std::string heard = first_heard(who);
  EXPECT_EQ(heard.substr(0, std::string(cell.heard).size()), cell.heard);
  if (*cell.heard == '\0') {
    EXPECT_EQ(heard, "");
  }
  EXPECT_EQ(state(), cell.after);
  world.advance(kSecond);
  const std::string later = first_heard(who);
  EXPECT_EQ(later.substr(0, std::string(cell.later).size()), cell.later);
}

constexpr Cell kCells[] = {
    {"NoneHello", State::kNone, Event::kHelloSameInstance, "welcome epoch=3", "active", ""},
    {"NoneHelloOther", State::kNone, Event::kHelloOtherInstance, "welcome epoch=3", "active", ""},
    {"NonePayload", State::kNone, Event::kPayload, "refused not-welcomed", "", ""},
    {"NoneLost", State::kNone, Event::kConnectionLost, "", "", ""},
    {"NoneSilent", State::kNone, Event::kSilence, "", "", ""},
    {"NoneGoodbye", State::kNone, Event::kGoodbye, "", "", ""},
    {"NoneTime", State::kNone, Event::kResumeTimeOver, "", "", ""},

    {"ActiveHello", State::kActive, Event::kHelloSameInstance, "welcome epoch=1", "active", ""},
    {"ActiveHelloAnew", State::kActive, Event::kHelloOfAnotherEpoch, "welcome epoch=3", "active",
     ""},
    // Parked for a second, in which the holder says nothing: then it wins.
    {"ActiveHelloOther", State::kActive, Event::kHelloOtherInstance, "", "active",
     "welcome epoch=3"},
    // The receipt waits for the watcher.
    {"ActivePayload", State::kActive, Event::kPayload, "", "active", ""},
    {"ActiveLost", State::kActive, Event::kConnectionLost, "", "away", ""},
    {"ActiveSilent", State::kActive, Event::kSilence, "", "away", ""},
    {"ActiveGoodbye", State::kActive, Event::kGoodbye, "", "", ""},

    {"AwayHello", State::kAway, Event::kHelloSameInstance, "welcome epoch=1", "active", ""},
    {"AwayHelloAnew", State::kAway, Event::kHelloOfAnotherEpoch, "welcome epoch=3", "active", ""},
    // It has been away for a second and more.
    {"AwayHelloOther", State::kAway, Event::kHelloOtherInstance, "welcome epoch=3", "active", ""},
    {"AwayPayload", State::kAway, Event::kPayloadOnOldConnection, "", "active", ""},
    {"AwayLost", State::kAway, Event::kConnectionLost, "", "away", ""},
    {"AwaySilent", State::kAway, Event::kSilence, "", "away", ""},
    {"AwayGoodbye", State::kAway, Event::kGoodbye, "", "", ""},
    {"AwayTime", State::kAway, Event::kResumeTimeOver, "refused silent", "", ""},
};

INSTANTIATE_TEST_SUITE_P(Session, StateTableTest, testing::ValuesIn(kCells),
                         [](const auto& cell) { return std::string(cell.param.name); });

}  // namespace
}  // namespace zpost::core::test
