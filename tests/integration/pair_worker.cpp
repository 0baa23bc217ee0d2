// A peer for tests, built on the client library: sends or receives numbered envelopes and keeps a
// ledger of them. Prints JSON, one object a line: events as they come, at the end a result.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/ledger_file.h"
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
  std::vector<std::string> to;
  std::string ledger;
  std::size_t count = 0;
  std::vector<std::size_t> sizes = {64};
  std::size_t span = 0;       // Bodies in a call; 0: the call for one.
  std::size_t rate = 0;       // Envelopes a second at most; 0: as fast as it goes.
  bool skip_blocked = false;  // Leaves out whom there is no credit for.
  bool single = false;        // Receives one at a time.
  std::size_t window_bytes = 0;
  std::size_t patience_s = 60;  // For everything that is waited for.
};

Peer* g_interrupted = nullptr;
volatile std::sig_atomic_t g_stop = 0;

void on_terminate(int /*signal*/) {
  g_stop = 1;
  if (g_interrupted != nullptr) g_interrupted->interrupt();
}

Peer connect(const Settings& settings) {
  peer::Options options;
  options.endpoint = settings.endpoint;
  options.name = settings.name;
  options.connect_timeout = seconds(settings.patience_s);
  options.reconnect_last = milliseconds(200);
  options.window_bytes = settings.window_bytes;
  options.outcomes = peer::OutcomeReports::kAll;
  auto connected = Peer::connect(std::move(options));
  if (!connected) throw std::runtime_error(connected.error().text);
  return std::move(*connected);
}

json result_of(const Peer& peer) {
  const peer::Statistics statistics = peer.statistics();
  return {{"event", "result"},
          {"sent", statistics.sent},
          {"resent", statistics.resent},
          {"delivered", statistics.delivered},
          {"unconfirmed", statistics.unconfirmed},
          {"failed", statistics.failed},
          {"unsettled", statistics.unsettled},
          {"received", statistics.received},
          {"taken", statistics.taken},
          {"dropped_duplicates", statistics.dropped_duplicates},
          {"reconnects", statistics.reconnects}};
}

// ---- The ledger of a sender -------------------------------------------------------------------

/// Thread: any.
class SentLedger {
 public:
  SentLedger(const std::string& path, std::size_t capacity) : file_(path, capacity) {}

  void sent(std::uint64_t id, std::uint32_t sequence, std::uint8_t recipient) {
    const std::lock_guard lock(mutex_);
    file_.add({id, sequence, recipient, 0, 0});
    if (const auto early = early_.find(id); early != early_.end()) {
      settle(file_.count() - 1, early->second);
      early_.erase(early);
    }
  }

  void settled(const peer::OutcomeReport& report) {
    const std::lock_guard lock(mutex_);
    const auto outcome = static_cast<std::uint8_t>(report.outcome);
    if (const auto index = find(report.id)) {
      settle(*index, outcome);
    } else if (!early_.emplace(report.id, outcome).second) {
      ++stray_;
    }
  }

  json summary() {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::size_t> outcomes;
    std::size_t repeated = 0;
    for (std::size_t i = 0; i < file_.count(); ++i) {
      ++outcomes[file_[i].outcome == 0
                     ? "none"
                     : std::string(outcome_name(static_cast<Outcome>(file_[i].outcome)))];
      if (file_[i].reports > 1) ++repeated;
    }
    return {{"outcomes", outcomes}, {"told_twice", repeated}, {"stray", stray_ + early_.size()}};
  }

 private:
  /// Ids rise.
  [[nodiscard]] std::optional<std::size_t> find(std::uint64_t id) {
    std::size_t low = 0;
    std::size_t high = file_.count();
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (file_[middle].id < id) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == file_.count() || file_[low].id != id) return std::nullopt;
    return low;
  }

  void settle(std::size_t index, std::uint8_t outcome) {
    file_[index].outcome = outcome;
    ++file_[index].reports;
  }

  std::mutex mutex_;
  LedgerFile<SentEntry> file_;
  std::map<std::uint64_t, std::uint8_t> early_;  // Told before send() returned the id.
  std::size_t stray_ = 0;
};

// ---- send -------------------------------------------------------------------------------------

class Sender {
 public:
  explicit Sender(const Settings& settings)
      : settings_(settings),
        ledger_(settings.ledger, settings.count),
        peer_(connect(settings)),
        next_(settings.to.size(), 0),
        started_(steady_clock::now()) {
    peer_.on_state(print_state);
    peer_.on_outcome([this](const peer::OutcomeReport& report) { ledger_.settled(report); });
  }

  int run() {
    g_interrupted = &peer_;
    print({{"event", "ready"}});
    for (std::size_t turn = 0; !complete() && g_stop == 0; ++turn) {
      const auto recipient = static_cast<std::uint8_t>(turn % settings_.to.size());
      const bool goes_on = settings_.span > 0 ? send_span(recipient) : send_one(recipient);
      if (!goes_on) break;
      if (settings_.rate > 0) keep_rate();
    }
    print({{"event", "sent"}, {"count", sent_}, {"seconds", elapsed()}});
    const bool settled = peer_.wait_settled(seconds(settings_.patience_s));
    const double settled_after = elapsed();
    json result = result_of(peer_);
    peer_.close(seconds(1));
    result.update(ledger_.summary());
    result["settled"] = settled;
    result["seconds"] = settled_after;
    result["skipped"] = skipped_;
    print(result);
    return settled ? 0 : 1;
  }

 private:
  /// With recipients left out: when the last of them got its share.
  [[nodiscard]] bool complete() const {
    if (!settings_.skip_blocked) return sent_ == settings_.count;
    return next_.back() == settings_.count / settings_.to.size();
  }

  [[nodiscard]] std::size_t size_of(std::uint32_t sequence, std::uint8_t recipient) const {
    // Sizes go with the recipients when there are as many, else round.
    const std::size_t count = settings_.sizes.size();
    return settings_.sizes[count == settings_.to.size() ? recipient : sequence % count];
  }

  bool send_one(std::uint8_t recipient) {
    const std::uint32_t sequence = next_[recipient];
    write_body(body_, sequence, size_of(sequence, recipient));
    const std::string& to = settings_.to[recipient];
    const auto id = settings_.skip_blocked
                        ? peer_.try_send(to, body_)
                        : peer_.send(to, body_, {.timeout = seconds(settings_.patience_s)});
    if (!id && id.error().fault == peer::Fault::kWouldBlock && settings_.skip_blocked) {
      ++skipped_;
      if (settings_.to.size() == 1) peer_.wait_settled(milliseconds(1));
      return true;
    }
    if (!id) return give_up(id.error());
    sent(*id, 1, recipient);
    return true;
  }

  bool send_span(std::uint8_t recipient) {
    const std::size_t count = std::min(settings_.span, settings_.count - sent_);
    bodies_.resize(count);
    std::vector<Bytes> views;
    for (std::size_t i = 0; i < count; ++i) {
      const auto sequence = static_cast<std::uint32_t>(next_[recipient] + i);
      write_body(bodies_[i], sequence, size_of(sequence, recipient));
      views.emplace_back(bodies_[i]);
    }
    const auto span =
        peer_.send(settings_.to[recipient], views, {.timeout = seconds(settings_.patience_s)});
    if (!span) return give_up(span.error());
    sent(span->first, span->count, recipient);
    return true;
  }

  void sent(std::uint64_t first, std::size_t count, std::uint8_t recipient) {
    for (std::size_t i = 0; i < count; ++i) ledger_.sent(first + i, next_[recipient]++, recipient);
    sent_ += count;
  }

  static bool give_up(const peer::Failure& failure) {
    print({{"event", "send_failed"},
           {"fault", static_cast<int>(failure.fault)},
           {"text", failure.text}});
    return false;
  }

  void keep_rate() const {
    const auto due = std::chrono::duration<double>(static_cast<double>(sent_) /
                                                   static_cast<double>(settings_.rate));
    std::this_thread::sleep_until(started_ + std::chrono::duration_cast<milliseconds>(due));
  }

  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double>(steady_clock::now() - started_).count();
  }

  const Settings& settings_;
  SentLedger ledger_;  // Outlives the peer, which tells it outcomes.
  Peer peer_;
  std::vector<std::uint32_t> next_;  // Sequence per recipient.
  std::vector<std::byte> body_;
  std::vector<std::vector<std::byte>> bodies_;
  std::size_t sent_ = 0;
  std::size_t skipped_ = 0;
  steady_clock::time_point started_;
};

// ---- receive ----------------------------------------------------------------------------------

/// What came, and whether it came once and in order.
class Arrivals {
 public:
  Arrivals(const std::string& path, std::size_t capacity) : file_(path, capacity) {}

  void accept(std::string_view from, std::uint64_t id, Bytes body) {
    const auto [at, added] = senders_.try_emplace(
        std::string(from), From{static_cast<std::uint32_t>(senders_.size()), 0, 0});
    From& sender = at->second;
    if (added) print({{"event", "sender"}, {"name", at->first}, {"index", sender.index}});
    const auto sequence = read_body(body);
    if (!sequence) {
      ++corrupt_;
      return;
    }
    if (*sequence < sender.next) ++backward_;
    if (*sequence > sender.next) jumped_ += *sequence - sender.next;
    if (id <= sender.last_id) ++ids_not_rising_;
    sender.next = *sequence + 1;
    sender.last_id = id;
    file_.add({id, *sequence, sender.index});
  }

  [[nodiscard]] std::size_t count() const { return file_.count(); }

  [[nodiscard]] json summary() const {
    return {{"arrived", file_.count()},
            {"corrupt", corrupt_},
            {"backward", backward_},
            {"jumped", jumped_},
            {"ids_not_rising", ids_not_rising_}};
  }

 private:
  struct From {
    std::uint32_t index = 0;
    std::uint32_t next = 0;
    std::uint64_t last_id = 0;
  };

  LedgerFile<ReceivedEntry> file_;
  std::map<std::string, From, std::less<>> senders_;
  std::size_t corrupt_ = 0;
  std::size_t backward_ = 0;  // Came again, or behind a later one.
  std::size_t jumped_ = 0;    // Were left out before a later one.
  std::size_t ids_not_rising_ = 0;
};

void receive_singles(Peer& peer, const Settings& settings, Arrivals& arrivals) {
  while (arrivals.count() < settings.count && g_stop == 0) {
    const auto message = peer.receive(seconds(settings.patience_s));
    if (!message) return;
    arrivals.accept(message->from, message->id, message->body);
  }
}

void receive_batches(Peer& peer, const Settings& settings, Arrivals& arrivals) {
  peer::Batch batch;
  while (arrivals.count() < settings.count && g_stop == 0) {
    if (!peer.receive_batch(batch, seconds(settings.patience_s))) return;
    for (const EnvelopeView& view : batch.envelopes()) {
      arrivals.accept(view.from, view.id, view.body);
    }
  }
}

int receive(const Settings& settings) {
  // What comes again must find room to be seen.
  Arrivals arrivals(settings.ledger, 2 * settings.count + 1024);
  Peer peer = connect(settings);
  peer.on_state(print_state);
  g_interrupted = &peer;
  print({{"event", "ready"}});
  if (settings.single) {
    receive_singles(peer, settings, arrivals);
  } else {
    receive_batches(peer, settings, arrivals);
  }
  peer.close(seconds(1));
  json result = result_of(peer);
  result.update(arrivals.summary());
  print(result);
  return arrivals.count() == settings.count ? 0 : 1;
}

// ---- flood ------------------------------------------------------------------------------------

/// Answers every envelope with two from inside the callback, until it has sent its count. What the
/// callback has no credit for is sent by a second thread, which may block.
class Flooder {
 public:
  explicit Flooder(const Settings& settings)
      : settings_(settings),
        arrivals_(settings.ledger, 2 * settings.count + 1024),
        peer_(connect(settings)) {
    peer_.on_state(print_state);
  }

  int run() {
    g_interrupted = &peer_;
    print({{"event", "ready"}});
    await_other();
    std::thread blocking([this] { send_owed(); });
    owe(1);
    peer_.run([this](const EnvelopeView& view) { return on_envelope(view); });
    const bool complete = arrivals_.count() >= settings_.count;
    if (!complete) stop_owing();
    blocking.join();
    const bool settled = peer_.wait_settled(seconds(settings_.patience_s));
    json result = result_of(peer_);
    peer_.close(seconds(1));
    result.update(arrivals_.summary());
    result["settled"] = settled;
    result["sent_inside"] = sent_inside_;
    result["refused_inside"] = refused_inside_;
    print(result);
    return settled && complete ? 0 : 1;
  }

 private:
  void await_other() {
    const auto deadline = steady_clock::now() + seconds(settings_.patience_s);
    while (steady_clock::now() < deadline) {
      const auto here = peer_.who(seconds(1));
      if (!here) continue;
      for (const auto& info : *here) {
        if (info.name == settings_.to.front()) return;
      }
    }
    throw std::runtime_error("the other flooder did not come");
  }

  bool on_envelope(const EnvelopeView& view) {
    arrivals_.accept(view.from, view.id, view.body);
    for (int i = 0; i < 2; ++i) {
      const std::lock_guard lock(mutex_);
      if (sent_ + owed_ >= settings_.count) break;
      // Behind what is owed, or the order of the bodies' numbers would break.
      if (owed_ > 0 || !send_inside()) ++owed_;
      changed_.notify_one();
    }
    return arrivals_.count() < settings_.count;
  }

  bool send_inside() {
    write_body(body_, static_cast<std::uint32_t>(sent_), settings_.sizes.front());
    const auto id = peer_.send(settings_.to.front(), body_);
    if (!id && id.error().fault != peer::Fault::kWouldBlock)
      throw std::runtime_error(id.error().text);
    id ? ++sent_inside_ : ++refused_inside_;
    if (id) ++sent_;
    return static_cast<bool>(id);
  }

  void owe(std::size_t count) {
    const std::lock_guard lock(mutex_);
    owed_ += count;
    changed_.notify_one();
  }

  void stop_owing() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }

  void send_owed() {
    std::vector<std::byte> body;
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return owed_ > 0 || stopped_ || sent_ == settings_.count; });
      if (owed_ == 0) return;
      write_body(body, static_cast<std::uint32_t>(sent_), settings_.sizes.front());
      lock.unlock();
      const auto id =
          peer_.send(settings_.to.front(), body, {.timeout = seconds(settings_.patience_s)});
      lock.lock();
      if (!id) {
        print({{"event", "send_failed"}, {"text", id.error().text}});
        peer_.interrupt();
        return;
      }
      --owed_;
      if (++sent_ == settings_.count) return;
    }
  }

  const Settings& settings_;
  Arrivals arrivals_;
  Peer peer_;
  std::vector<std::byte> body_;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable changed_;
  std::size_t sent_ = 0;
  std::size_t owed_ = 0;
  bool stopped_ = false;
  std::size_t sent_inside_ = 0;
  std::size_t refused_inside_ = 0;
};

// ---- The command line -------------------------------------------------------------------------

int main_of(int argc, char** argv) {
  Settings settings;
  CLI::App app("A peer for tests.");
  app.require_subcommand(1);
  CLI::App* send = app.add_subcommand("send", "count envelopes to the recipients in turn");
  CLI::App* take = app.add_subcommand("receive", "until count envelopes are there");
  CLI::App* flood = app.add_subcommand("flood", "with another flooder: two for each received");
  for (CLI::App* verb : {send, take, flood}) {
    verb->add_option("--endpoint", settings.endpoint)->required();
    verb->add_option("--as", settings.name)->required();
    verb->add_option("--count", settings.count)->required();
    verb->add_option("--ledger", settings.ledger)->required();
    verb->add_option("--patience", settings.patience_s, "seconds");
    verb->add_option("--window", settings.window_bytes, "bytes");
  }
  for (CLI::App* verb : {send, flood}) {
    verb->add_option("--to", settings.to)->required();
    verb->add_option("--size", settings.sizes,
                     "bytes; as many as recipients: one each; else round");
  }
  send->add_option("--span", settings.span);
  send->add_option("--rate", settings.rate);
  send->add_flag("--skip-blocked", settings.skip_blocked);
  take->add_flag("--single", settings.single);
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGTERM, on_terminate);
  if (send->parsed()) return Sender(settings).run();
  if (take->parsed()) return receive(settings);
  return Flooder(settings).run();
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
