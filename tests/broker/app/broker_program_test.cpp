// zpost-broker as its users meet it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/dealer.h"
#include "tests/support/process.h"
#include "tests/support/raw_peer.h"

namespace zpost::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

int count_of(std::string_view part, std::string_view text) {
  int count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

class BrokerProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "zpost-broker-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }

  void TearDown() override {
    broker_.reset();
    std::filesystem::remove_all(directory_);
  }

  /// Starts a broker and does not wait for it. It serves no metrics: their port is the same for
  /// all that runs beside it, and the second to want it warns.
  Process& launch(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--state", directory_ + "/state", "--admin", ""});
    broker_ = std::make_unique<Process>("zpost-broker", std::move(arguments));
    return *broker_;
  }

  /// Starts one on a port that it picks, and waits until it listens.
  void start(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"--listen", "tcp://127.0.0.1:*"});
    launch(std::move(arguments));
    ASSERT_TRUE(wait_until(
        [&] { return broker_->exited() || broker_->out().find('\n') != std::string::npos; }));
    ASSERT_THAT(broker_->out(), StartsWith("listening on tcp://127.0.0.1:")) << broker_->err();
    endpoint_ = broker_->out().substr(13, broker_->out().find('\n') - 13);
  }

  /// The body of the next envelope of `kind` that `dealer` gets.
  static std::optional<ByteBuffer> body_of_next(Dealer& dealer, Kind kind) {
    std::optional<ByteBuffer> body;
    EXPECT_TRUE(wait_until([&] {
      const auto frame = dealer.receive();
      const EnvelopeView* const view = frame ? frame->find(kind) : nullptr;
      if (view != nullptr) body.emplace(view->body.begin(), view->body.end());
      return body.has_value();
    })) << kind_name(kind)
        << " did not come";
    return body;
  }

  Welcome join(Dealer& dealer, std::string_view name, bool acks = false) {
    dealer.connect(endpoint_);
    dealer.hello(name, 'a', acks);
    const auto body = body_of_next(dealer, Kind::kWelcome);
    return body ? *decode_welcome(*body) : Welcome{};
  }

  std::string directory_;
  std::string endpoint_;
  std::unique_ptr<Process> broker_;
};

TEST_F(BrokerProgramTest, ItPicksAPortAndSaysWhereItListens) {
  start();
  EXPECT_EQ(endpoint_.find('*'), std::string::npos);
  Dealer alice(identity_of("alice"));
  EXPECT_EQ(join(alice, "alice").broker, "zpost");
}

TEST_F(BrokerProgramTest, EveryEndpointHasItsLine) {
  const std::string ipc = "ipc://" + directory_ + "/socket";
  start({"--listen", ipc});
  EXPECT_THAT(broker_->out(), HasSubstr("listening on " + ipc + "\n"));
}

TEST_F(BrokerProgramTest, ItRefusesToListenBeyondThisMachine) {
  Process& broker = launch({"--listen", "tcp://0.0.0.0:*"});
  EXPECT_EQ(broker.exit_code(), 2);
  EXPECT_THAT(broker.err(), HasSubstr("--insecure"));
  EXPECT_EQ(broker.out(), "");
}

TEST_F(BrokerProgramTest, WithInsecureItListensAnywhere) {
  Process& broker = launch({"--listen", "tcp://0.0.0.0:*", "--insecure"});
  EXPECT_TRUE(wait_until([&] { return broker.out().find("listening on tcp://0.0.0.0") == 0; }))
      << broker.err();
}

TEST_F(BrokerProgramTest, AnAddressInUseIsOneLineWithAHint) {
  start();
  Process other("zpost-broker",
                {"--listen", endpoint_, "--state", directory_ + "/other", "--log-level", "off"});
  EXPECT_EQ(other.exit_code(), 1);
  EXPECT_THAT(other.err(), HasSubstr(endpoint_));
  EXPECT_THAT(other.err(), HasSubstr("--listen"));
  EXPECT_EQ(std::count(other.err().begin(), other.err().end(), '\n'), 1) << other.err();
}

TEST_F(BrokerProgramTest, BadFlagsAreUsageErrors) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--memory", "much"},
                                             {"--nonsense"},
                                             {"--resume", "30"},
                                             {"--config", "/nowhere"},
                                             {"--listen", "localhost"},
                                             {"--heartbeat", "60s"},
                                             {"stray"}}) {
    Process broker("zpost-broker", arguments);
    EXPECT_EQ(broker.exit_code(), 2) << arguments.front();
    EXPECT_THAT(broker.err(), StartsWith("zpost-broker: ")) << arguments.front();
  }
}

TEST_F(BrokerProgramTest, CheckConfigShowsTheEffectiveValues) {
  const std::string file = directory_ + "/broker.toml";
  std::ofstream(file) << "[limits]\nmemory = \"128MiB\"\nqueue = \"1MiB\"\n";
  Process broker("zpost-broker", {"--config", file, "--check-config", "--memory", "256MiB"});
  EXPECT_EQ(broker.exit_code(), 0);
  EXPECT_THAT(broker.out(), StartsWith("ok\n"));
  EXPECT_THAT(broker.out(), HasSubstr("memory = \"256MiB\"")) << "flags win";
  EXPECT_THAT(broker.out(), HasSubstr("queue = \"1MiB\""));
}

TEST_F(BrokerProgramTest, AnEmptyConfigurationFileIsTheDefaults) {
  const std::string file = directory_ + "/empty.toml";
  std::ofstream{file};
  Process broker("zpost-broker", {"--config", file, "--check-config"});
  EXPECT_EQ(broker.exit_code(), 0) << broker.err();
  EXPECT_THAT(broker.out(), StartsWith("ok\n"));
  Process other("zpost-broker", {"--config", directory_, "--check-config"});
  EXPECT_EQ(other.exit_code(), 2);
  EXPECT_THAT(other.err(), HasSubstr(directory_ + ": Is a directory"));
}

TEST_F(BrokerProgramTest, CheckConfigNamesTheLineOfAnUnknownKey) {
  const std::string file = directory_ + "/broker.toml";
  std::ofstream(file) << "[limits]\nmemroy = \"128MiB\"\n";
  Process broker("zpost-broker", {"--config", file, "--check-config"});
  EXPECT_EQ(broker.exit_code(), 2);
  EXPECT_THAT(broker.err(), HasSubstr(file + ":2: unknown key limits.memroy: did you mean "
                                             "limits.memory?"));
}

TEST_F(BrokerProgramTest, LogsAreJsonWhenAskedAndNeverShowATokenOrPayload) {
  start({"--log-format", "json", "--log-level", "debug"});
  Dealer alice(identity_of("alice", 0xabcdef12));
  const Welcome welcome = join(alice, "alice");
  alice.send({.kind = Kind::kSend,
              .to = "nobody",
              .from = "alice",
              .id = welcome.first_id,
              .body = as_bytes("secret")});
  body_of_next(alice, Kind::kOutcome);
  EXPECT_TRUE(wait_until([&] { return broker_->err().find("joined") != std::string::npos; }));
  broker_->signal(SIGTERM);
  EXPECT_EQ(broker_->exit_code(), 0);
  std::istringstream lines(broker_->err());
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << line;
    EXPECT_TRUE(json.contains("time") && json.contains("level") && json.contains("text")) << line;
    ++count;
  }
  EXPECT_GT(count, 1);
  EXPECT_EQ(broker_->err().find("abcdef12"), std::string::npos);
  EXPECT_EQ(broker_->err().find("secret"), std::string::npos);
}

TEST_F(BrokerProgramTest, NobodyForgesALineOfTheLog) {
  start();
  Dealer mallory(identity_of("mallory"));
  mallory.connect(endpoint_);
  Hello hello;
  hello.instance = std::string(32, 'a');
  hello.software = "x\n2026-01-01T00:00:00.000Z info joined name=root";
  const ByteBuffer body = encode(hello);
  mallory.send({.kind = Kind::kHello, .from = "mallory", .body = body});
  body_of_next(mallory, Kind::kWelcome);
  EXPECT_TRUE(wait_until([&] { return broker_->err().find("name=root") != std::string::npos; }));
  EXPECT_EQ(broker_->err().find("\n2026-01-01"), std::string::npos) << broker_->err();
}

TEST_F(BrokerProgramTest, TheSignalToStopSaysGoodbyeToPeers) {
  start();
  Dealer alice(identity_of("alice"));
  join(alice, "alice");
  broker_->signal(SIGTERM);
  const auto body = body_of_next(alice, Kind::kGoodbye);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(decode_refusal(*body)->code, Outcome::kDraining);
  EXPECT_EQ(broker_->exit_code(), 0);
}

TEST_F(BrokerProgramTest, DrainingWaitsForAcknowledgementsAndThenSaysGoodbye) {
  start({"--drain-time", "60s"});
  Dealer alice(identity_of("alice", 1));
  const std::uint64_t first_id = join(alice, "alice").first_id;
  Dealer bob(identity_of("bob", 2));
  join(bob, "bob", true);
  alice.send({.kind = Kind::kSend, .to = "bob", .from = "alice", .id = first_id});
  body_of_next(bob, Kind::kSend);
  broker_->signal(SIGINT);
  EXPECT_TRUE(wait_until([&] { return broker_->err().find("draining") != std::string::npos; }));
  EXPECT_FALSE(broker_->exited());

  const ByteBuffer ack = encode(Ack{1, 0, 0});
  bob.send({.kind = Kind::kAck, .from = "bob", .body = ack});
  body_of_next(bob, Kind::kGoodbye);
  body_of_next(alice, Kind::kGoodbye);
  EXPECT_EQ(broker_->exit_code(), 0);
}

TEST_F(BrokerProgramTest, DrainingIsBounded) {
  start({"--drain-time", "200ms"});
  Dealer alice(identity_of("alice", 1));
  const std::uint64_t first_id = join(alice, "alice").first_id;
  Dealer bob(identity_of("bob", 2));
  join(bob, "bob", true);
  alice.send({.kind = Kind::kSend, .to = "bob", .from = "alice", .id = first_id});
  body_of_next(bob, Kind::kSend);  // And never acknowledges it.
  broker_->signal(SIGTERM);
  body_of_next(bob, Kind::kGoodbye);
  EXPECT_EQ(broker_->exit_code(), 0);
}

TEST_F(BrokerProgramTest, TheSecondSignalStopsAtOnce) {
  start({"--drain-time", "1h"});
  Dealer alice(identity_of("alice", 1));
  const std::uint64_t first_id = join(alice, "alice").first_id;
  Dealer bob(identity_of("bob", 2));
  join(bob, "bob", true);
  alice.send({.kind = Kind::kSend, .to = "bob", .from = "alice", .id = first_id});
  body_of_next(bob, Kind::kSend);
  broker_->signal(SIGTERM);
  EXPECT_TRUE(wait_until([&] { return broker_->err().find("draining") != std::string::npos; }));
  broker_->signal(SIGTERM);
  EXPECT_EQ(broker_->exit_code(), 0);
  EXPECT_THAT(broker_->err(), HasSubstr("second signal"));
}

TEST_F(BrokerProgramTest, IdsGoOnAboveThoseOfTheRunBefore) {
  start();
  std::uint64_t before = 0;
  {
    Dealer alice(identity_of("alice", 1));
    before = join(alice, "alice").first_id;
  }
  broker_->signal(SIGKILL);
  EXPECT_EQ(broker_->exit_code(), 128 + SIGKILL);
  start();
  Dealer alice(identity_of("alice", 2));
  EXPECT_GT(join(alice, "alice").first_id, before + 3'000'000'000'000) << "the file is ahead";
}

TEST_F(BrokerProgramTest, AStateFileThatCannotBeWrittenIsAWarning) {
  broker_ = std::make_unique<Process>(
      "zpost-broker",
      std::vector<std::string>{"--listen", "tcp://127.0.0.1:*", "--state", "/proc/zpost/state"});
  EXPECT_TRUE(wait_until([&] { return broker_->out().find("listening") == 0; }));
  EXPECT_TRUE(wait_until([&] { return broker_->err().find("/proc/zpost") != std::string::npos; }));
}

TEST_F(BrokerProgramTest, AForeignStateFileIsAUsageErrorAndStaysAsItIs) {
  std::ofstream(directory_ + "/state") << "my notes\n";
  Process& broker = launch({"--listen", "tcp://127.0.0.1:*"});
  EXPECT_EQ(broker.exit_code(), 2);
  EXPECT_THAT(broker.err(), HasSubstr(directory_ + "/state: is no state file"));
  EXPECT_THAT(broker.err(), HasSubstr("--state"));
  EXPECT_EQ(broker.out(), "");
  std::ostringstream text;
  text << std::ifstream(directory_ + "/state").rdbuf();
  EXPECT_EQ(text.str(), "my notes\n");
}

TEST_F(BrokerProgramTest, AMessageOfEndlessPartsDoesNotEatTheMemory) {
  // The address sanitizer keeps what is freed for long otherwise.
  ::setenv("ASAN_OPTIONS", "quarantine_size_mb=1:allocator_release_to_os_interval_ms=50", 1);
#ifdef ZPOST_ADDRESS_SANITIZER
  const char* const memory = "512MiB";  // What it keeps beside counts as the broker's.
#else
  const char* const memory = "256MiB";
#endif
  start({"--memory", memory, "--max-envelope", "64KiB"});
  RawPeer mallory(endpoint_, identity_of("mallory"));
  const std::string part(64 << 10, 'x');
  EXPECT_TRUE(wait_until([&] {
    if (mallory.write()) {
      for (int i = 0; i < 64; ++i) mallory.part(part, true);
    }
    return mallory.closed();
  }));
  EXPECT_TRUE(wait_until([&] { return broker_->err().find("expelled") != std::string::npos; }));
  EXPECT_TRUE(wait_until([&] {
    Dealer alice(identity_of("alice"));
    alice.connect(endpoint_);
    alice.hello("alice");
    std::optional<Frame> frame;
    return wait_until([&] { return (frame = alice.receive()).has_value(); }) &&
           frame->find(Kind::kWelcome) != nullptr;
  })) << "the broker should be well again";
}

TEST_F(BrokerProgramTest, RunningOutOfFilesIsALoudLine) {
  start();
  const rlimit few{30, 30};
  ASSERT_EQ(::prlimit(broker_->pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  std::vector<std::unique_ptr<Dealer>> dealers;
  EXPECT_TRUE(wait_until([&] {
    if (dealers.size() < 40) {
      dealers.push_back(std::make_unique<Dealer>(identity_of("p")));
      dealers.back()->connect(endpoint_);
    }
    return broker_->err().find("accept_failed") != std::string::npos;
  }));
  EXPECT_THAT(broker_->err(), HasSubstr("ulimit -n"));
  EXPECT_THAT(broker_->err(), HasSubstr("open_files=30 peers=20000"));
  EXPECT_TRUE(wait_until([&] { return count_of("accept_failed", broker_->err()) > 1; }));
  EXPECT_EQ(count_of("ulimit", broker_->err()), 1) << "it is told once";
}

TEST_F(BrokerProgramTest, FewerFilesThanPeersAreNoTroubleAsLongAsAllCanConnect) {
  start({"--peers", "1000000"});
  EXPECT_TRUE(wait_until([&] { return broker_->err().find("started") != std::string::npos; }));
  EXPECT_THAT(broker_->err(), Not(HasSubstr("warning")));
}

TEST_F(BrokerProgramTest, AnIpv6EndpointStandsInBrackets) {
  Process& broker = launch({"--listen", "tcp://[::1]:*", "--listen", "tcp://127.0.0.1:*"});
  EXPECT_TRUE(wait_until([&] {
    return broker.exited() || broker.out().find("tcp://127.0.0.1:") != std::string::npos;
  }));
  if (broker.exited()) GTEST_SKIP() << "no IPv6 here: " << broker.err();
  EXPECT_THAT(broker.out(), HasSubstr("listening on tcp://[::1]:"));
}

TEST_F(BrokerProgramTest, HelpAndVersionAreShown) {
  Process help("zpost-broker", {"--help"});
  EXPECT_EQ(help.exit_code(), 0);
  EXPECT_THAT(help.out(), HasSubstr("--listen"));
  EXPECT_THAT(help.out(), HasSubstr("Examples:"));
  Process version("zpost-broker", {"--version"});
  EXPECT_EQ(version.exit_code(), 0);
  EXPECT_THAT(version.out(), StartsWith("zpost-broker "));
}

}  // namespace
}  // namespace zpost::test
