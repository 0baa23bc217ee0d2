// How a session begins, survives losses, and ends.
#include <sys/resource.h>

#include <atomic>
#include <functional>
#include <thread>

#include "tests/peer/peer_fixture.h"

namespace zpost::peer {
namespace {

using State = StateChange::State;

class SessionTest : public PeerTest {
 protected:
  explicit SessionTest(FakeBroker::Settings settings = {}) : PeerTest(settings) {}

  /// The broker's socket dies and comes back.
  void cut() {
    broker_.stop();
    broker_.start();
  }
};

// --- Connecting ----------------------------------------------------------------------------------

TEST_F(SessionTest, HelloSaysWhoOneIs) {
  Options own = options("alice");
  own.metadata = {{"display", "Alice"}};
  Peer alice = connect(own);
  EXPECT_EQ(alice.name(), "alice");
  EXPECT_TRUE(alice.connected());
  const Hello hello = broker_.last_hello();
  EXPECT_EQ(hello.metadata.at("display"), "Alice");
  EXPECT_TRUE(hello.acks && hello.resume && hello.pong);
  EXPECT_EQ(hello.epoch, 0u);
  EXPECT_EQ(alice.welcome().broker, "fake");
}

TEST_F(SessionTest, ANamelessPeerGetsAFreshName) {
  Peer one = connect(options(""));
  Peer other = connect(options(""));
  EXPECT_TRUE(one.name().starts_with("anon-"));
  EXPECT_NE(one.name(), other.name());
}

TEST(ConnectTest, NoBrokerIsSaidWithinTwoSeconds) {
  Options options;
  options.endpoint = "tcp://127.0.0.1:9";  // Nobody listens on discard.
  options.name = "alice";
  const auto start = std::chrono::steady_clock::now();
  const Answer<Peer> peer = Peer::connect(options);
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().fault, Fault::kUnreachable);
  EXPECT_NE(peer.error().text.find(options.endpoint), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2500ms);
}

TEST(ConnectTest, BadOptionsAreSaidWithTheirValue) {
  Options options;
  options.name = "not a name";
  EXPECT_EQ(Peer::connect(options).error().fault, Fault::kInvalid);
  options.name = "alice";
  options.endpoint = "http://localhost";
  EXPECT_EQ(Peer::connect(options).error().fault, Fault::kInvalid);
  options.endpoint = "tcp://127.0.0.1:notaport";
  EXPECT_EQ(Peer::connect(options).error().fault, Fault::kInvalid);
  options.endpoint = "tcp://127.0.0.1:9";
  options.metadata = {{"long", std::string(2000, 'x')}};
  EXPECT_EQ(Peer::connect(options).error().fault, Fault::kInvalid);
}

/// What connect says of options that `change` made wrong, if it says that they are.
std::string refused_with(const std::function<void(Options&)>& change) {
  Options options;
  options.name = "alice";
  options.endpoint = "tcp://127.0.0.1:9";
  options.connect_timeout = 10ms;
  change(options);
  const Answer<Peer> peer = Peer::connect(options);
  return peer.error().fault == Fault::kInvalid ? peer.error().text : "";
}

TEST(ConnectTest, ALimitIsSaidBesideTheValueBeyondIt) {
  const std::string software = refused_with([](Options& o) { o.software = std::string(200, 'x'); });
  EXPECT_NE(software.find("200 bytes, the limit is 128"), std::string::npos) << software;
  const std::string metadata = refused_with([](Options& o) {
    o.metadata = {{"long", std::string(2000, 'x')}};
  });
  EXPECT_NE(metadata.find("the limit is 1024"), std::string::npos) << metadata;
  EXPECT_NE(metadata.find("2010"), std::string::npos) << metadata;
}

TEST(ConnectTest, AnEndpointWithoutAGoodPortOrHostIsSaidAtOnceWithWhatItShouldBe) {
  const std::pair<std::string, std::string> bad[] = {
      {"foo", ""},
      {"inproc://x", ""},
      {"ipc://", "it names no path; "},
      {"tcp://", "the port is missing; "},
      {"tcp://127.0.0.1", "the port is missing; "},
      {"tcp://127.0.0.1:", "the port is missing; "},
      {"tcp://[::1]", "the port is missing; "},
      {"tcp://127.0.0.1:99999", "port \"99999\" is none of 1 to 65535; "},
      {"tcp://127.0.0.1:0", "port \"0\" is none of 1 to 65535; "},
      {"tcp://127.0.0.1:-1", "port \"-1\" is none of 1 to 65535; "},
      {"tcp://127.0.0.1:9x", "port \"9x\" is none of 1 to 65535; "},
      {"tcp://127.0.0.1:abc", "port \"abc\" is none of 1 to 65535; "},
      {"tcp://127.0.0.1:*", "port \"*\" is none of 1 to 65535; "},
      {"tcp://0.0.0.0:0;127.0.0.1", "the port is missing; "},
      {"tcp://:1234", "\"\" is no host; "},
      {"tcp://*:1234", "\"*\" is no host; "},
      {"tcp://a b:1234", "\"a b\" is no host; "}};
  for (const auto& each : bad) {
    const auto& [endpoint, why] = each;
    EXPECT_EQ(refused_with([&](Options& o) { o.endpoint = each.first; }),
              "endpoint \"" + endpoint + "\": " + why + "must be tcp://HOST:PORT or ipc://PATH");
  }
}

TEST(ConnectTest, WhatLibzmqTakesIsAnEndpoint) {
  for (const char* const endpoint :
       {"tcp://127.0.0.1:9", "tcp://127.0.0.1:0009", "tcp://localhost:9", "tcp://my-host.example:9",
        "tcp://my_host:65535", "tcp://[::1]:9", "tcp://::1:9", "tcp://[fe80::1%lo]:9",
        "tcp://0.0.0.0:0;127.0.0.1:9", "ipc:///nowhere/socket", "ipc://nowhere",
        "ipc://@nowhere"}) {
    EXPECT_EQ(refused_with([&](Options& o) { o.endpoint = endpoint; }), "") << endpoint;
  }
}

TEST(ConnectTest, TextsAreUtf8) {
  EXPECT_NE(refused_with([](Options& o) { o.software = "\xff"; }), "");
  EXPECT_NE(refused_with([](Options& o) { o.metadata = {{"\xff", "x"}}; }), "");
  EXPECT_NE(refused_with([](Options& o) { o.metadata = {{"x", "\xff"}}; }), "");
  EXPECT_EQ(refused_with([](Options& o) { o.metadata = {{"x", "\xc3\xa9"}}; }), "");
}

TEST(ConnectTest, TimesAreNeitherNegativeNorUpsideDown) {
  EXPECT_NE(refused_with([](Options& o) { o.connect_timeout = -1ms; }), "");
  EXPECT_NE(refused_with([](Options& o) { o.reconnect_first = 0ms; }), "");
  EXPECT_NE(refused_with([](Options& o) { o.reconnect_last = 19ms; }).find("19 ms"),
            std::string::npos);
  EXPECT_EQ(refused_with([](Options& o) { o.reconnect_last = kForever; }), "");
}

// The sanitizer opens a pipe to look at an exception's type. cli_test.py has this for it.
#ifndef ZPOST_ADDRESS_SANITIZER
TEST(ConnectTest, AProcessWithoutDescriptorsIsToldSo) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  int exhausted = 0;
  Fault last = Fault::kExhausted;
  // From none to enough: whatever it is that runs out first, the answer is the same.
  for (rlim_t limit = 3; limit < 80 && last == Fault::kExhausted; ++limit) {
    const rlimit few{limit, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    Options options;
    options.endpoint = "tcp://127.0.0.1:9";
    options.connect_timeout = 10ms;
    const Answer<Peer> peer = Peer::connect(options);
    setrlimit(RLIMIT_NOFILE, &before);
    last = peer.error().fault;
    if (last != Fault::kExhausted) break;
    ++exhausted;
    const std::string named = "may have " + std::to_string(limit) + " (ulimit -n)";
    EXPECT_NE(peer.error().text.find(named), std::string::npos) << peer.error().text;
  }
  EXPECT_GT(exhausted, 10);
  EXPECT_EQ(last, Fault::kUnreachable);
}
#endif

TEST_F(SessionTest, ABrokerThatComesLateIsFound) {
  broker_.stop();
  std::atomic<bool> connected{false};
  std::thread peer([&] {
    Peer alice = connect("alice");
    connected = true;
  });
  broker_.start();
  peer.join();
  EXPECT_TRUE(connected);
}

TEST_F(SessionTest, AHeldNameIsRefusedWithTheBrokersWords) {
  broker_.refuse_hello({Outcome::kNameHeld, "held by instance 17", true});
  const Answer<Peer> peer = Peer::connect(options("alice"));
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().fault, Fault::kRefused);
  EXPECT_EQ(peer.error().outcome, Outcome::kNameHeld);
  EXPECT_NE(peer.error().text.find("held by instance 17"), std::string::npos);
}

TEST_F(SessionTest, WhoWaitsForAHeldNameGetsItWhenItIsFree) {
  broker_.refuse_hello({Outcome::kNameHeld, "held", true}, 3);
  Options patient = options("alice");
  patient.wait_for_name = true;
  EXPECT_TRUE(Peer::connect(patient).has_value());
}

TEST_F(SessionTest, ARefusalThatMayPassIsTriedAgain) {
  broker_.refuse_hello({Outcome::kDraining, "shutting down", true}, 2);
  EXPECT_TRUE(Peer::connect(options("alice")).has_value());
}

// --- Losses --------------------------------------------------------------------------------------

TEST_F(SessionTest, AResumedSessionGoesOnAndResendsWhatWasNotReceived) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  ASSERT_TRUE(alice.send("bob", as_bytes("one")));
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == 1; }));
  broker_.stop();
  EXPECT_EQ(await(alice, State::kLost).state, State::kLost);
  EXPECT_FALSE(alice.connected());
  ASSERT_TRUE(alice.send("bob", as_bytes("two"))) << "accepted while disconnected";
  ASSERT_TRUE(alice.send("bob", as_bytes("three")));
  broker_.start();

  EXPECT_TRUE(await(alice, State::kConnected).resumed);
  EXPECT_EQ(texts(bob, 3), (Texts{"one", "two", "three"}));
  bob.take();
  EXPECT_TRUE(alice.wait_settled(kPatience));
  EXPECT_EQ(broker_.seen_count(), 3u) << "nothing was sent twice";
  EXPECT_EQ(alice.statistics().delivered, 3u);
  EXPECT_EQ(alice.statistics().resent, 2u);
  EXPECT_EQ(alice.statistics().reconnects, 1u);
}

TEST_F(SessionTest, WhatWasReceivedButNotTakenComesOnceAfterAResume) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(alice.send("bob", as_bytes(std::to_string(i))));
  EXPECT_EQ(texts(bob, 2), (Texts{"0", "1"}));
  cut();
  await(bob, State::kLost);
  ASSERT_TRUE(await(bob, State::kConnected).resumed);
  EXPECT_EQ(texts(bob, 2), (Texts{"2", "3"}));
  bob.take();
  EXPECT_TRUE(alice.wait_settled(kPatience));
  EXPECT_FALSE(bob.receive(10ms));
}

TEST_F(SessionTest, AnotherRunOfTheBrokerGetsEverythingUnsettledInOrder) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  ASSERT_TRUE(alice.send("bob", as_bytes("taken")));
  EXPECT_EQ(texts(bob, 1), Texts{"taken"});
  bob.take();
  ASSERT_TRUE(alice.wait_settled(kPatience));
  broker_.stall("bob");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(alice.send("bob", as_bytes(std::to_string(i))));
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == 4; }));
  const auto before = seen_ids("bob");

  broker_.stop();
  broker_.become_new_run();
  broker_.stall("bob", false);
  await(alice, State::kLost);
  ASSERT_TRUE(alice.send("bob", as_bytes("new")));
  // Bob first, so that nobody is missing when alice sends again.
  broker_.refuse_hello({Outcome::kDraining, "wait", true}, 2);
  broker_.start();

  const StateChange back = await(alice, State::kConnected);
  EXPECT_TRUE(back.new_run);
  EXPECT_FALSE(back.resumed);
  EXPECT_EQ(back.taken_but_unacknowledged, 0u);
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == 8; }));
  const auto after = seen_ids("bob");
  EXPECT_EQ(std::vector(after.begin() + 4, after.begin() + 7),
            std::vector(before.begin() + 1, before.end()));
  EXPECT_GT(after[7], after[6]);
}

TEST_F(SessionTest, NothingComesTwiceToTheProgramAcrossRunsOfTheBroker) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  broker_.hold_receipts(true);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(alice.send("bob", as_bytes(std::to_string(i))));
  EXPECT_EQ(texts(bob, 3), (Texts{"0", "1", "2"}));
  broker_.stop();
  broker_.become_new_run();
  await(bob, State::kLost);
  await(alice, State::kLost);
  broker_.hold_receipts(false);
  broker_.start();
  await(bob, State::kConnected);
  await(alice, State::kConnected);
  // Alice may have been first: then her copies failed, since bob was not there yet.
  ASSERT_TRUE(alice.wait_settled(kPatience));
  ASSERT_TRUE(alice.send("bob", as_bytes("3")));
  EXPECT_EQ(texts(bob, 1), Texts{"3"});
  const Statistics statistics = alice.statistics();
  EXPECT_EQ(statistics.resent, 3u);
  EXPECT_EQ(bob.statistics().dropped_duplicates + statistics.failed, 3u);
}

TEST_F(SessionTest, NotResumedWhatTheBrokerHadIsLostAndTheRestGoesAgain) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  const auto first = alice.send("stone", as_bytes("had"));
  ASSERT_TRUE(first);
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == 1; }));
  broker_.stop();
  broker_.forget_sessions();
  await(alice, State::kLost);
  ASSERT_TRUE(alice.send("stone", as_bytes("new")));
  broker_.start();

  const StateChange back = await(alice, State::kConnected);
  EXPECT_FALSE(back.resumed);
  EXPECT_FALSE(back.new_run);
  const auto report = alice.next_outcome(kPatience);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->id, *first);
  EXPECT_EQ(report->outcome, Outcome::kLost);
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == 2; }));
  EXPECT_EQ(broker_.seen().back().body, "new");
}

TEST_F(SessionTest, NotResumedARequestTheBrokerHadFails) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  auto answer = alice.request("stone", as_bytes("?"), kPatience);
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == 1; }));
  broker_.forget_sessions();
  cut();
  EXPECT_EQ(answer.get().error().outcome, Outcome::kLost);
}

TEST_F(SessionTest, WatchesAreAskedAgainInANewSession) {
  Peer alice = connect("alice");
  ASSERT_TRUE(alice.watch("b*"));
  ASSERT_TRUE(wait_until([&] { return broker_.count_control(Kind::kWatch, "alice") == 1; }));
  broker_.forget_sessions();
  cut();
  EXPECT_TRUE(wait_until([&] { return broker_.count_control(Kind::kWatch, "alice") == 2; }));
}

TEST_F(SessionTest, ADrainingBrokerIsToldAndTheSessionComesBack) {
  Peer alice = connect("alice");
  const ByteBuffer body = encode(Refusal{Outcome::kDraining, "shutting down", true});
  EnvelopeFields goodbye;
  goodbye.kind = Kind::kGoodbye;
  goodbye.to = "alice";
  goodbye.body = body;
  broker_.send("alice", {goodbye});
  EXPECT_EQ(await(alice, State::kDraining).code, Outcome::kDraining);
  await(alice, State::kConnected);
}

TEST_F(SessionTest, AReplacedPeerStopsAndTellsWhy) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  ASSERT_TRUE(alice.send("stone", as_bytes("x")));
  std::thread receiver([&] { EXPECT_FALSE(alice.receive(kForever)); });
  const ByteBuffer body = encode(Refusal{Outcome::kReplaced, "another one", false});
  EnvelopeFields refused;
  refused.kind = Kind::kRefused;
  refused.to = "alice";
  refused.body = body;
  broker_.send("alice", {refused});
  const StateChange change = await(alice, State::kRefused);
  EXPECT_TRUE(change.final);
  EXPECT_EQ(change.code, Outcome::kReplaced);
  receiver.join();
  const auto after = alice.send("stone", as_bytes("y"));
  EXPECT_EQ(after.error().fault, Fault::kClosed);
  EXPECT_EQ(after.error().outcome, Outcome::kReplaced);
  EXPECT_EQ(alice.next_outcome(kPatience)->outcome, Outcome::kLost);
}

// --- Another run with other limits ---------------------------------------------------------------

class NewLimitsTest : public SessionTest {
 protected:
  NewLimitsTest() : SessionTest({.credit = 100'000, .pair = 50'000}) {}

  void restart(FakeBroker::Settings settings) {
    broker_.stop();
    broker_.become_new_run();
    broker_.set_limits(settings);
    broker_.start();
  }
};

TEST_F(NewLimitsTest, HelloSaysWhatMustBeSentAgain) {
  Peer alice = connect("alice");
  EXPECT_EQ(broker_.last_hello().backlog, 0u);
  broker_.stall("stone");
  ASSERT_TRUE(alice.send("stone", as_bytes(std::string(1'000, 'x'))));
  restart({});
  ASSERT_TRUE(await(alice, State::kConnected).new_run || await(alice, State::kConnected).new_run);
  EXPECT_GT(broker_.last_hello().backlog, 1'000u);
  EXPECT_LT(broker_.last_hello().backlog, 1'200u);
}

TEST_F(NewLimitsTest, ASendBehindABacklogThatDoesNotGoNamesWhoHoldsItUp) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(alice.send("stone", as_bytes(std::string(1'000, 'x'))));
  }
  restart({.credit = 100'000, .pair = 2'000});
  ASSERT_TRUE(wait_until([&] { return alice.statistics().resent == 1; }));
  const auto late = alice.send("bob", as_bytes("x"), {.timeout = 10ms});
  ASSERT_EQ(late.error().fault, Fault::kTimedOut);
  EXPECT_NE(late.error().text.find("9 envelopes"), std::string::npos) << late.error().text;
  EXPECT_NE(late.error().text.find("to stone"), std::string::npos) << late.error().text;
}

TEST_F(NewLimitsTest, WhatIsTooLargeForTheNewRunFailsAndTheRestGoes) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  const auto large = alice.send("stone", as_bytes(std::string(20'000, 'x')));
  ASSERT_TRUE(large);
  ASSERT_TRUE(alice.send("stone", as_bytes("small")));
  std::size_t seen = 2;
  for (const bool tell_max_frame : {true, false}) {
    ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == seen; }));
    restart({.max_envelope = 10'000, .tell_max_frame = tell_max_frame});
    ++seen;
  }
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == seen; }));
  EXPECT_EQ(broker_.seen().back().body, "small");
  const auto report = alice.next_outcome(kPatience);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->id, *large);
  EXPECT_EQ(report->outcome, Outcome::kLost) << "the run that had it may have delivered it";
  ASSERT_TRUE(wait_until([&] { return alice.connected(); }));
  EXPECT_TRUE(alice.send("stone", as_bytes("more"), {.timeout = kPatience}));
}

TEST_F(NewLimitsTest, ASendThatWaitsIsCheckedAgainstTheNewLimits) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  const std::string body(20'000, 'x');
  ASSERT_TRUE(alice.send("stone", as_bytes(body)));
  ASSERT_TRUE(alice.send("stone", as_bytes(body)));
  std::thread one(
      [&] { EXPECT_EQ(alice.send("stone", as_bytes(body)).error().fault, Fault::kInvalid); });
  std::thread many([&] {
    // The first waits and would go then, the second may not.
    const std::string fitting(9'850, 'x');
    const std::vector<Bytes> bodies = {as_bytes(fitting), as_bytes(body)};
    EXPECT_EQ(alice.send("stone", bodies).error().fault, Fault::kInvalid);
  });
  EXPECT_FALSE(alice.wait_settled(20ms));
  restart({.credit = 100'000, .pair = 50'000, .max_envelope = 10'000});
  one.join();
  many.join();
}

class SilenceTest : public SessionTest {
 protected:
  SilenceTest() : SessionTest({.heartbeat_ms = 30, .silence_ms = 150}) {}
};

TEST_F(SilenceTest, ASilentBrokerIsLeft) {
  Peer alice = connect("alice");
  broker_.play_dead();
  EXPECT_NE(await(alice, State::kLost).text, "");
  broker_.play_dead(false);
  await(alice, State::kConnected);
}

TEST_F(SilenceTest, AnIdleConnectionIsKeptUpByPings) {
  Peer alice = connect("alice");
  ASSERT_TRUE(wait_until([&] { return broker_.count_control(Kind::kPing, "alice") >= 10; }));
  EXPECT_EQ(alice.statistics().reconnects, 0u);
}

TEST_F(SessionTest, ThePeersThreadAnswersPingsWhileTheProgramIsBusy) {
  Peer alice = connect("alice");
  EnvelopeFields ping;
  ping.kind = Kind::kPing;
  ping.to = "alice";
  broker_.send("alice", {ping});
  EXPECT_TRUE(wait_until([&] { return broker_.count_control(Kind::kPong, "alice") == 1; }));
}

// --- Closing -------------------------------------------------------------------------------------

TEST_F(SessionTest, CloseTakesFlushesAndSaysGoodbyeWithTheFinalCounts) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  ASSERT_TRUE(alice.send("bob", as_bytes("hello")));
  ASSERT_TRUE(bob.receive(kPatience));
  ASSERT_TRUE(bob.send("nobody", as_bytes("?")));
  EXPECT_TRUE(bob.close(kPatience));
  ASSERT_TRUE(wait_until([&] { return broker_.last_goodbye().has_value(); }));
  EXPECT_EQ(broker_.last_goodbye()->taken, 1u);
  EXPECT_EQ(broker_.last_goodbye()->outcomes, 1u);
  EXPECT_TRUE(alice.wait_settled(kPatience));
  EXPECT_EQ(alice.statistics().delivered, 1u);
}

TEST_F(SessionTest, CloseWaitsForWhatIsUnsettledNoLongerThanAsked) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  ASSERT_TRUE(alice.send("stone", as_bytes("x")));
  EXPECT_FALSE(alice.close(20ms));
  EXPECT_EQ(alice.send("stone", as_bytes("x")).error().fault, Fault::kClosed);
  EXPECT_FALSE(alice.receive(kForever));
  EXPECT_FALSE(alice.close(kForever)) << "a second close says the same";
  ASSERT_TRUE(wait_until([&] { return broker_.last_goodbye().has_value(); }));
}

TEST_F(SessionTest, WhatIsUnsettledAtCloseIsLost) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  const auto first = alice.send("stone", as_bytes("x"));
  ASSERT_TRUE(first);
  ASSERT_TRUE(alice.send("stone", as_bytes("y")));
  EXPECT_FALSE(alice.close(1ms));
  const auto report = alice.next_outcome(0ms);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->id, *first);
  EXPECT_EQ(report->outcome, Outcome::kLost);
  EXPECT_TRUE(alice.next_outcome(0ms));
  EXPECT_FALSE(alice.next_outcome(0ms));
  const Statistics statistics = alice.statistics();
  EXPECT_EQ(statistics.failed, 2u);
  EXPECT_EQ(statistics.unsettled, 0u);
}

TEST_F(SessionTest, ACallbackHearsWhatIsLostAtClose) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  std::atomic<int> lost{0};
  alice.on_outcome([&](const OutcomeReport& report) {
    if (report.outcome == Outcome::kLost) ++lost;
  });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(alice.send("stone", as_bytes("x")));
  EXPECT_FALSE(alice.close(1ms));
  EXPECT_EQ(lost, 10);
}

TEST_F(SessionTest, ASecondCloseWaitsForItsOwnTime) {
  Peer alice = connect("alice");
  broker_.stall("stone");
  ASSERT_TRUE(alice.send("stone", as_bytes("x")));
  std::thread first([&] { EXPECT_FALSE(alice.close(3s)); });
  const auto closing = [&] {
    const auto sent = alice.try_send("stone", as_bytes("y"));
    return !sent && sent.error().fault == Fault::kClosed;
  };
  ASSERT_TRUE(wait_until(closing));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(alice.close(10ms));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
  first.join();
}

TEST_F(SessionTest, CloseEndsInTimeThoughTheBrokerIsGone) {
  Peer alice = connect("alice");
  ASSERT_TRUE(alice.send("bob", as_bytes("x")));
  broker_.stop();
  await(alice, State::kLost);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(alice.send("bob", as_bytes("y")) && alice.close(50ms));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_F(SessionTest, CloseEndsCallsThatAreBlocked) {
  Peer alice = connect("alice");
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (alice.next_outcome(kForever)) {
      }
      ++ended;
    });
  }
  threads.emplace_back([&] {
    (void)alice.receive(kForever);
    ++ended;
  });
  EXPECT_TRUE(alice.close(1s));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 4);
}

TEST_F(SessionTest, APeerMayBeMoved) {
  Peer alice = connect("alice");
  Peer other = connect("carol");
  other = std::move(alice);
  EXPECT_EQ(other.name(), "alice");
  Peer bob = connect("bob");
  ASSERT_TRUE(other.send("bob", as_bytes("hello")));
  EXPECT_EQ(texts(bob, 1), Texts{"hello"});
}

}  // namespace
}  // namespace zpost::peer
