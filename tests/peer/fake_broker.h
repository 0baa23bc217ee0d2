// A small broker for the client library's tests: one thread, one ROUTER, and a script.
//
// It routes between its peers as protocol/SPEC.md says, without limits of its own, and does what a
// test tells it besides: refuse, hold receipts back, die, come back as the same or another run.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/wait_until.h"
#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace zpost::test {
class FakeBroker {
 public:
  struct Settings {
    std::uint64_t credit = 1 << 20;        ///< What a session may have in flight, in bytes of cost.
    std::uint64_t pair = 1 << 20;          ///< What a pair may, in bytes of cost.
    std::uint64_t window = 8 << 20;        ///< Bytes.
    std::uint64_t max_envelope = 1 << 20;  ///< Bytes.
    bool tell_max_frame = true;            ///< 64 KiB more than an envelope.
    std::uint64_t heartbeat_ms = 1'000;
    std::uint64_t silence_ms = 10'000;
  };

  /// An envelope of payload as it came in.
  struct Seen {
    std::string from;
    std::string to;
    std::uint64_t id;
    Kind kind;
    std::string body;
    std::size_t frame;  ///< Ordinal of the frame it came in, from 1.
  };

  FakeBroker();
  explicit FakeBroker(Settings settings);
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  const std::string& endpoint() const { return endpoint_; }

  // The script. Each call returns when the broker's thread has done it.

  /// Closes the socket; sessions stay.
  void stop();
  /// Listens again, on the same port.
  void start();
  /// Nobody can resume: as if every session had been given up.
  void forget_sessions();
  /// From now on another run, without sessions.
  void become_new_run();
  /// Answers the next `times` hellos with `refusal`.
  void refuse_hello(Refusal refusal, int times = 1);
  /// While held, nothing is said to be settled and no credit comes back.
  void hold_receipts(bool held = true);
  /// While stalled, what comes for `name` is kept and neither forwarded nor settled.
  void stall(std::string name, bool stalled = true);
  /// While dead, it reads but says nothing.
  void play_dead(bool dead = true);
  /// Sessions that begin from now on have these limits.
  void set_limits(Settings settings);
  /// Sends `envelopes` to the peer `name` in one frame. The peer has a session.
  void send(std::string_view name, const std::vector<EnvelopeFields>& envelopes);
  /// Sets the limits of the peer `name`, in bytes of cost, and says so.
  void grant(std::string_view name, std::uint64_t credit, std::uint64_t pair);

  // What happened so far.

  std::vector<Seen> seen();
  std::size_t seen_count();
  std::size_t count_control(Kind kind, std::string_view from);
  Hello last_hello();
  std::optional<Goodbye> last_goodbye();
  Ack last_ack(std::string_view from);
  /// How often a peer broke a rule of SPEC.md.
  std::size_t violations();

 private:
  struct Sent {
    std::string sender;
    std::uint64_t id;
    ByteBuffer bytes;
  };

  struct Session {
    std::string identity;
    std::string instance;
    std::uint64_t epoch = 0;
    std::uint64_t highest_id = 0;
    std::uint64_t received = 0;
    std::uint64_t credit = 0;
    std::uint64_t pair = 0;
    std::uint64_t taken = 0;
    std::vector<std::string> patterns;
    std::map<std::string, std::uint64_t> outstanding;
    std::map<std::string, std::deque<std::pair<std::uint64_t, std::uint64_t>>>
        unsettled;                                 // id, cost
    std::map<std::string, std::uint64_t> settled;  // Up to which id, not yet told.
    std::map<std::string, std::uint64_t> told;     // The same; maybe to a connection that was lost.
    std::deque<Sent> unacked;
  };

  void bind();
  void run();
  void at(const std::function<void()>& step);
  void write(const std::string& identity, Bytes frame);
  void say(const std::string& identity, Kind kind, Bytes body, std::uint64_t id = 0);
  void handle(const std::string& identity, Bytes frame);
  void on_envelope(const std::string& name, const std::string& identity, const EnvelopeView& view);
  void on_hello(const std::string& name, const std::string& identity, const EnvelopeView& view);
  void on_payload(const std::string& name, Session& session, const EnvelopeView& view);
  void on_ack(Session& session, const Ack& ack);
  void forward(const EnvelopeView& view);
  void fail(const std::string& name, Session& session, const EnvelopeView& view, Outcome code);
  void settle(const std::string& sender, const std::string& recipient, std::uint64_t id);
  void flush_receipts();

  void* const context_;
  void* socket_ = nullptr;
  std::string endpoint_;
  std::thread thread_;

  std::mutex mutex_;  // Guards all that follows.
  std::condition_variable done_;
  std::vector<const std::function<void()>*> steps_;
  Settings settings_;
  bool ending_ = false;
  bool held_ = false;
  bool dead_ = false;
  std::string run_;
  std::uint64_t epochs_ = 0;
  std::uint64_t first_id_ = 0;
  std::size_t frames_ = 0;
  std::size_t violations_ = 0;
  std::map<std::string, Session> sessions_;
  std::map<std::string, ByteBuffer> bundles_;
  std::map<std::string, bool> stalled_;
  std::deque<Refusal> refusals_;
  std::vector<Seen> seen_;
  std::map<std::pair<Kind, std::string>, std::size_t> control_;
  std::map<std::string, Ack> acks_;
  Hello hello_;
  std::optional<Goodbye> goodbye_;
};

}  // namespace zpost::test
