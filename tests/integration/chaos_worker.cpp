// One peer of a group, for chaos_test.py: it tells, publishes, requests and calls the others at a
// bounded rate, answers them, and keeps ledgers of all of it.
//
// SIGUSR1: begins nothing new, goes on answering, and says `quiet` once all it sent is settled.
// SIGTERM: leaves with a goodbye.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/chaos_ledger.h"
#include "tests/integration/numbered_body.h"
#include "tests/integration/worker_lines.h"
#include "zpost/peer/peer.h"

namespace zpost::test {
namespace {

using peer::Peer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

struct Settings {
  std::string endpoint;
  std::string name;
  std::vector<std::string> group;  // Whom it writes to, itself and nobody included.
  std::vector<std::string> topics;
  std::string service = "work";
  std::string ledgers;  // The path of its files but for .sent and .got.
  std::uint32_t incarnation = 0;
  std::uint32_t seed = 0;
  std::size_t pause_ms = 10;  // Between turns: this bounds the rate.
  std::size_t patience_s = 60;
};

// How a request ended, where no outcome of the wire says so.
constexpr std::uint16_t kReplied = 1000;
constexpr std::uint16_t kClosed = 1001;
constexpr std::uint16_t kWrongReply = 1002;
constexpr std::uint16_t kOtherFault = 1100;

constexpr unsigned kIncarnationShift = 24;
constexpr std::size_t kCapacity = 1U << 20U;  // Of a ledger; the files are sparse.
constexpr milliseconds kCreditPatience{50};
constexpr milliseconds kReplyPatience{20};
constexpr std::size_t kWindowBytes = 64U << 10U;
constexpr std::uint64_t kCallsAtOnce = 8;

volatile std::sig_atomic_t g_finish = 0;
volatile std::sig_atomic_t g_leave = 0;

peer::Options options_of(const Settings& settings) {
  peer::Options options;
  options.endpoint = settings.endpoint;
  options.name = settings.name;
  options.connect_timeout = seconds(settings.patience_s);
  options.reconnect_last = milliseconds(200);
  options.window_bytes = kWindowBytes;
  options.wait_for_name = true;  // The one before it was killed a moment ago.
  return options;
}

Peer connect(const Settings& settings) {
  auto connected = Peer::connect(options_of(settings));
  if (!connected) throw std::runtime_error(connected.error().text);
  return std::move(*connected);
}

std::uint8_t index_of(const std::vector<std::string>& names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? kNoIndex : static_cast<std::uint8_t>(at - names.begin());
}

class ChaosWorker {
 public:
  explicit ChaosWorker(const Settings& settings)
      : settings_(settings),
        random_(settings.seed),
        next_number_(settings.incarnation << kIncarnationShift),
        deeds_(settings.ledgers + ".sent", kCapacity),
        arrivals_(settings.ledgers + ".got", kCapacity),
        peer_(connect(settings)) {
    peer_.on_state(print_state);
    peer_.on_outcome([this](const peer::OutcomeReport& report) {
      deeds_.settled(report.id, report.outcome, stays_.now(peer_));
    });
  }

  int run() {
    take_interest(peer_.subscribe("chaos/**"), Kind::kSubscribe);
    take_interest(peer_.offer(settings_.service, kCallsAtOnce), Kind::kOffer);
    std::thread receiver([this] { receive(); });
    print({{"event", "ready"}});
    while (g_finish == 0 && g_leave == 0 && deeds_.has_room(1000)) turn();
    if (g_leave == 0) await_quiet();
    receiver.join();
    const bool settled = peer_.close(seconds(g_finish != 0 ? settings_.patience_s : 1));
    print_result(settled);
    return 0;
  }

 private:
  // ---- What it begins ----

  void turn() {
    tell_many(below(20) + 1);
    tell_one();
    publish(below(4));
    ask(Kind::kRequest);
    ask(Kind::kCall);
    std::this_thread::sleep_for(milliseconds(settings_.pause_ms));
  }

  void take_interest(const peer::Answer<std::uint64_t>& asked, Kind kind) {
    const std::size_t place = deeds_.intend({.kind = static_cast<std::uint8_t>(kind)});
    if (!asked) throw std::runtime_error(asked.error().text);
    deeds_.sent(place, *asked, Stays::kUnknown);
  }

  void tell_many(std::size_t count) {
    const std::uint8_t to = anyone();
    std::vector<std::vector<std::byte>> bodies(count);
    std::vector<Bytes> views;
    std::vector<std::size_t> places;
    for (std::vector<std::byte>& body : bodies) {
      places.push_back(intend(Kind::kSend, to, body, below(200)));
      views.emplace_back(body);
    }
    const std::uint16_t before = stays_.now(peer_);
    const auto span = peer_.send(settings_.group[to], views, {.timeout = kCreditPatience});
    const std::uint16_t stay = since(before);
    for (std::size_t i = 0; i < count; ++i) {
      if (span && i < span->count) {
        deeds_.sent(places[i], span->first + i, stay);
      } else {
        deeds_.refused(places[i]);
      }
    }
  }

  void tell_one() {
    const std::uint8_t to = anyone();
    const std::size_t place = intend(Kind::kSend, to, body_, size_of_one());
    complete(place,
             [&] { return peer_.send(settings_.group[to], body_, {.timeout = kCreditPatience}); });
  }

  std::size_t size_of_one() {
    const std::size_t chance = below(500);
    return chance == 0 ? 300'000 : chance < 5 ? 20'000 : 400;
  }

  void publish(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto topic = static_cast<std::uint8_t>(below(settings_.topics.size()));
      const std::size_t place = intend(Kind::kPublish, topic, body_, 200 + below(1000));
      complete(place, [&] {
        return peer_.publish(settings_.topics[topic], body_,
                             {.wants_count = below(10) == 0, .timeout = kCreditPatience});
      });
    }
  }

  void ask(Kind kind) {
    constexpr milliseconds kDeadlines[] = {milliseconds(50), milliseconds(500), seconds(4)};
    const milliseconds deadline = kDeadlines[below(3)];
    const std::uint8_t to = kind == Kind::kCall ? std::uint8_t{0} : anyone();
    const std::uint32_t number = next_number_;
    const std::size_t place = intend(kind, to, body_, below(300));
    auto answered = [this, place, number](const peer::Answer<peer::Message>& answer) {
      on_answer(place, number, answer);
    };
    const peer::SendOptions options{.timeout = kCreditPatience, .idempotent = below(2) == 0};
    const std::uint64_t id = complete(place, [&] {
      return kind == Kind::kCall
                 ? peer_.call(settings_.service, body_, deadline, answered, options)
                 : peer_.request(settings_.group[to], body_, deadline, answered, options);
    });
    // What came of it already is nothing to cancel.
    if (id != 0 && below(20) == 0) (void)peer_.cancel(id);
  }

  void on_answer(std::size_t place, std::uint32_t number,
                 const peer::Answer<peer::Message>& answer) {
    const std::uint16_t stay = stays_.now(peer_);
    if (answer) {
      const bool ours = read_body(answer->body) == number;
      deeds_.answered(place, ours ? kReplied : kWrongReply, stay,
                      index_of(settings_.group, answer->from));
      return;
    }
    const peer::Failure& failure = answer.error();
    std::uint16_t outcome =
        static_cast<std::uint16_t>(kOtherFault + static_cast<std::uint16_t>(failure.fault));
    if (failure.fault == peer::Fault::kFailed)
      outcome = static_cast<std::uint16_t>(failure.outcome);
    if (failure.fault == peer::Fault::kTimedOut)
      outcome = static_cast<std::uint16_t>(Outcome::kTimedOut);
    if (failure.fault == peer::Fault::kClosed) outcome = kClosed;
    deeds_.answered(place, outcome, stay, kNoIndex);
  }

  // ---- What comes to it ----

  void receive() {
    while (g_leave == 0) {
      const std::uint16_t before = stays_.now(peer_);
      const auto message = peer_.receive(milliseconds(100));
      if (!message) continue;
      note(*message, since(before));
      if (message->kind == Kind::kRequest || message->kind == Kind::kCall) answer(*message);
    }
  }

  void note(const peer::Message& message, std::uint16_t stay) {
    Arrival arrival;
    arrival.id = message.kind == Kind::kGap ? message.gap : message.id;
    arrival.number = message.kind == Kind::kGap ? 0 : read_body(message.body).value_or(kNoNumber);
    arrival.kind = static_cast<std::uint8_t>(message.kind);
    arrival.from = index_of(settings_.group, message.from);
    if (message.kind == Kind::kPublish) arrival.to = index_of(settings_.topics, message.to);
    arrival.again = static_cast<std::uint8_t>(message.again);
    arrival.stay = stay;
    arrival.time_ms = now_ms();
    arrivals_.add(arrival);
  }

  void answer(const peer::Message& message) {
    const auto number = read_body(message.body);
    if (!number) return;
    // Some requests are never answered; calls are, or their worker would have no room for others.
    if (message.kind == Kind::kRequest && *number % 31 == 0) return;
    const bool rejects = *number % 11 == 0;
    std::vector<std::byte> body;
    write_body(body, *number, *number % 500);
    const std::size_t place = deeds_.intend({.number = *number,
                                             .kind = static_cast<std::uint8_t>(Kind::kReply),
                                             .to = index_of(settings_.group, message.from)});
    complete(place, [&] {
      const peer::SendOptions options{.timeout = kReplyPatience};
      return rejects ? peer_.reject(message.from, message.id, "no", options)
                     : peer_.reply(message, body, options);
    });
  }

  // ---- Its ledgers ----

  std::size_t intend(Kind kind, std::uint8_t to, std::vector<std::byte>& body, std::size_t size) {
    write_body(body, next_number_, size);
    return deeds_.intend(
        {.number = next_number_++, .kind = static_cast<std::uint8_t>(kind), .to = to});
  }

  /// Returns the id; 0: `call` was in vain.
  template <typename Call>
  std::uint64_t complete(std::size_t place, const Call& call) {
    const std::uint16_t before = stays_.now(peer_);
    const peer::Answer<std::uint64_t> id = call();
    if (!id) {
      deeds_.refused(place);
      return 0;
    }
    deeds_.sent(place, *id, since(before));
    return *id;
  }

  [[nodiscard]] std::uint16_t since(std::uint16_t before) {
    const std::uint16_t after = stays_.now(peer_);
    return after == before ? after : Stays::kUnknown;
  }

  // ---- The end ----

  void await_quiet() {
    bool quiet = false;
    while (g_leave == 0) {
      if (peer_.wait_settled(milliseconds(20)) && deeds_.open_requests() == 0 && !quiet) {
        print({{"event", "quiet"}});
        quiet = true;
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
  }

  void print_result(bool settled) {
    const peer::Statistics statistics = peer_.statistics();
    print({{"event", "result"},
           {"settled", settled},
           {"strays", deeds_.strays()},
           {"sent", statistics.sent},
           {"delivered", statistics.delivered},
           {"failed", statistics.failed},
           {"unconfirmed", statistics.unconfirmed},
           {"unsettled", statistics.unsettled},
           {"resent", statistics.resent},
           {"dropped_duplicates", statistics.dropped_duplicates},
           {"reconnects", statistics.reconnects}});
  }

  std::size_t below(std::size_t count) { return random_() % count; }

  std::uint8_t anyone() { return static_cast<std::uint8_t>(below(settings_.group.size())); }

  const Settings& settings_;
  std::mt19937 random_;  // Of the sending thread, as the next two are.
  std::uint32_t next_number_;
  std::vector<std::byte> body_;
  Stays stays_;
  DeedLedger deeds_;              // These outlive the peer, which tells it outcomes.
  LedgerFile<Arrival> arrivals_;  // Of the receiving thread.
  Peer peer_;
};

int main_of(int argc, char** argv) {
  Settings settings;
  CLI::App app("A peer of a group that suffers.");
  app.add_option("--endpoint", settings.endpoint)->required();
  app.add_option("--as", settings.name)->required();
  app.add_option("--group", settings.group, "names it writes to")->required();
  app.add_option("--topic", settings.topics)->required();
  app.add_option("--ledgers", settings.ledgers)->required();
  app.add_option("--incarnation", settings.incarnation, "0 to 254");
  app.add_option("--seed", settings.seed);
  app.add_option("--pause", settings.pause_ms, "milliseconds between turns");
  app.add_option("--patience", settings.patience_s, "seconds");
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGUSR1, [](int /*signal*/) { g_finish = 1; });
  std::signal(SIGTERM, [](int /*signal*/) { g_leave = 1; });
  return ChaosWorker(settings).run();
}

}  // namespace
}  // namespace zpost::test

int main(int argc, char** argv) {
  try {
    return zpost::test::main_of(argc, argv);
  } catch (const std::exception& error) {
    zpost::test::print({{"event", "error"}, {"text", error.what()}});
    return 2;
  }
}
