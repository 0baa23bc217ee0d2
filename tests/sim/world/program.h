// A program and its peer: the library's State, a socket that is a Wire, and what the program does.
//
// It does what the library's shell does (peer/src/background.cpp and its like), one thread's worth,
// in virtual time.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "peer/src/state.h"
#include "tests/sim/dice.h"
#include "tests/sim/world/broker_host.h"
#include "tests/sim/world/call_book.h"
#include "tests/sim/world/letter_book.h"
#include "tests/sim/world/notice_book.h"

namespace zpost::sim {

/// What is known of everything that passes between programs.
struct Books {
  LetterBook letters;
  NoticeBook notices;
  CallBook calls;
};

/// How a program receives.
enum class Reading : std::uint8_t {
  kCallback,  // Whatever comes, as Peer::run() does.
  kByHand,    // When a deed says so.
  kNever,
};

class Program final : public peer::FrameSink {
 public:
  using Tell = std::function<void(const std::string&)>;

  struct Settings {
    peer::Options options;
    Reading reading = Reading::kCallback;
    bool answers = true;       // Its callback replies to requests.
    std::uint64_t echoes = 0;  // And sends so many letters back for each it is given.
    std::uint64_t seed = 1;    // Of what is chance in it.
    bool newest_wins = false;  // The broker lets a double have the name at once.
  };

  Program(Settings settings, Books& books, BrokerHost& broker, Tell tell);

  // --- Time ------------------------------------------------------------------------------------

  /// Does all that its library and its callback would do by `now`.
  void advance(Moment now);

  /// What it does next, it does at that moment.
  void be_at(Moment now) { now_ = now; }

  [[nodiscard]] Moment next() const;

  // --- What a program can do -------------------------------------------------------------------

  /// Sends `count` letters as credit allows, one after another, like a thread that waits in send().
  void send(std::string to, std::size_t count, std::size_t size);
  /// Sends as many of `count` letters as there is credit for, in one call.
  void send_span(const std::string& to, std::size_t count, std::size_t size);
  /// False: no credit now.
  bool request(const std::string& to, std::size_t size, Moment timeout);
  /// Asks the broker itself.
  bool ask(std::string_view op, Moment timeout);
  /// As receive(), up to `count` times; the last is taken by the next call.
  void receive(std::size_t count);
  void receive_batch(std::size_t most);
  void take();
  void add_demand(std::uint64_t count);
  void watch(const std::string& pattern);
  void flush();

  // program_in_groups.cpp
  void subscribe(const Subscribe& what);
  void unsubscribe(const std::string& pattern);
  void unsubscribe_all();
  /// False: no credit now.
  bool publish(const std::string& topic, std::size_t size, const Meta& meta);
  void offer(const std::string& service, std::uint64_t capacity);
  void withdraw(const std::string& service);
  /// False: no credit now.
  bool call(const std::string& service, std::size_t size, Moment timeout, bool idempotent);
  /// Some call of its own that has not ended.
  void cancel_some(Dice& dice);

  /// Peer::close() that waits for nothing.
  void close();
  /// It is killed.
  void kill();
  /// It stands still, or goes on (SIGSTOP, SIGCONT).
  void stop(bool stopped);

  /// Something befalls its connection: it may lose its name to a double.
  void note_trouble() { troubled_ = true; }

  void set_reading(Reading reading) { settings_.reading = reading; }

  void set_answers(bool answers) { settings_.answers = answers; }

  void set_echoes(std::uint64_t echoes) { settings_.echoes = echoes; }

  // --- What is known of it ---------------------------------------------------------------------

  [[nodiscard]] const std::string& name() const { return settings_.options.name; }

  [[nodiscard]] InstanceId instance() const { return instance_; }

  /// "alice/2", for transcripts.
  [[nodiscard]] std::string title() const;

  /// For good: closed, killed, or refused.
  [[nodiscard]] bool over() const { return over_; }

  [[nodiscard]] bool stopped() const { return stopped_; }

  [[nodiscard]] bool active() const { return state_.phase() == peer::State::Phase::kActive; }

  [[nodiscard]] Wire* wire() { return wire_.get(); }

  [[nodiscard]] const peer::State& state() const { return state_; }

  /// Nothing of what it sent is open, and nothing waits for it.
  [[nodiscard]] bool quiet() const;

  [[nodiscard]] std::uint64_t connections() const { return connections_; }

  // --- peer::FrameSink -------------------------------------------------------------------------

  void send(peer::FrameRef frame) override;
  void send_control(Bytes frame) override;
  [[nodiscard]] bool busy() override;

  [[nodiscard]] peer::Time now() override { return to_peer_time(now_); }

 private:
  /// Two programs that answer everything would never end.
  static constexpr std::uint64_t kMostEchoes = 100;

  struct Waiting {
    std::string to;
    std::size_t size = 0;
  };

  /// Its library takes nothing more to send.
  [[nodiscard]] bool closed() const { return over_ || state_.phase() == peer::State::Phase::kOver; }

  void receive_frames();
  void handle(std::string frame);
  void note_deferred_ids(Bytes frame);
  void note_arrivals(std::string_view frame);
  void notice_loss();
  void flush_lingering();
  void follow_phase();
  void connect_if_due();
  void dispatch();
  void on_change(const peer::StateChange& change);
  void run_callbacks();
  void on_given(const EnvelopeView& view);
  [[nodiscard]] bool on_given_in_group(const EnvelopeView& view);
  void on_report(const peer::OutcomeReport& report);
  void reply_to(const EnvelopeView& view);
  void begin_receive();
  void go_on_sending();
  [[nodiscard]] bool try_send(const std::string& to, std::size_t size, bool in_callback);
  void check_statistics() const;
  void end(LetterBook::End how);

  template <typename... Parts>
  void say(std::string_view format, const Parts&... parts) const {
    if (tell_) tell_(title() + " " + fmt::format(fmt::runtime(format), parts...));
  }

  Settings settings_;
  Books& books_;
  LetterBook& book_;
  BrokerHost& broker_;
  Tell tell_;
  SeededDice dice_;
  InstanceId instance_;
  Moment now_ = 0;
  Moment last_turn_ = 0;
  bool stopped_ = false;
  bool over_ = false;
  bool troubled_ = false;
  WireRef wire_;
  std::uint64_t connections_ = 0;
  Moment refused_at_ = kNeverComes;  // Nobody listens: when the socket says so.
  peer::FramePool pool_;
  peer::State state_;
  peer::Keeper given_;
  std::uint64_t open_frame_seen_ = 0;
  std::deque<Waiting> waiting_;                 // In send().
  std::set<std::string> patterns_;              // It subscribes to.
  std::set<std::string> interests_;             // Patterns and services it told the broker of.
  std::map<std::uint64_t, Serial> open_calls_;  // By id.
  std::uint64_t deferred_ = 0;
  std::uint64_t echoes_left_ = kMostEchoes;
};

}  // namespace zpost::sim
