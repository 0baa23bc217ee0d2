// What the bench needs to know about a message system to measure it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tools/bench/clients.h"
#include "tools/bench/ring.h"
#include "tools/bench/round_trips.h"
#include "tools/bench/server.h"
#include "tools/bench/stream.h"
#include "tools/bench/told.h"

namespace zpost::bench {

enum class Measure {
  kThroughput,
  kLatency,
  kMemory,
  kAmplification,
  kStall,
  kTopics,
  kCalls,
  kFairness
};

/// The payloads of a sender that sends to two receivers. References outlive the call they are for.
struct MixedSources {
  PayloadSource& small;
  PayloadSource& large;
};

/// One client's place in a run. Sender `pair` sends to receiver `pair` and to no other.
struct Part {
  std::uint16_t port = 0;  // Of the server, on 127.0.0.1.
  std::uint32_t pair = 0;
  std::size_t payload_bytes = 0;
  std::uint32_t number = 0;  // Of the client among its like.
  std::uint32_t topics = 1;  // A publisher's: topic `n` of pair `p` is p/n, in the system's words.
  std::uint32_t in_flight = 1;  // A caller's calls without a reply.
};

/// What a server is told to keep to, as far as it knows such a thing.
struct Limits {
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;
  std::chrono::milliseconds silence{30'000};  // Quiet time after which a client counts as away.
  std::chrono::milliseconds resume{30'000};   // Time away after which its mail is lost.
};

/// What one connected client costs the machine at most, on its own side.
struct ClientCost {
  std::uint32_t threads = 2;  // Besides the program's own.
  std::uint32_t files = 8;
  std::uint32_t kibibytes = 0;  // Of memory, with what the kernel has for its threads and sockets.
};

/// One system under test. Stateless: the parent process calls the first group; every function of
/// the second group ("In a client process") runs in a client process of its own, forked for it, and
/// may throw any std::exception to fail the run. Nothing in the first group may create threads or
/// library state in the parent.
class System {
 public:
  virtual ~System() = default;

  /// The word for `--with`.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// One line: what runs, and with which client.
  [[nodiscard]] virtual std::string_view description() const = 0;

  /// Why the system cannot be measured here; nothing when it can.
  [[nodiscard]] virtual std::optional<std::string> unavailable() const = 0;

  [[nodiscard]] virtual bool measures(Measure measure) const = 0;

  /// What a client that has a process of its own costs, besides that.
  [[nodiscard]] virtual ClientCost client_cost() const { return {}; }

  /// What join() costs for one peer of many in a process.
  [[nodiscard]] virtual ClientCost ring_peer_cost() const { return {.threads = 0, .files = 4}; }

  /// Starts a fresh server that accepts connections. Throws RunFailure, Interrupted.
  [[nodiscard]] virtual Server start() const = 0;

  /// Starts a fresh server that keeps to `limits`. Throws as start(), which the default calls.
  [[nodiscard]] virtual Server start_within(const Limits& limits) const;

  /// Whether start_within() bounds what the server, or a client's buffer in it, may hold.
  [[nodiscard]] virtual bool limits_memory() const { return false; }

  /// Whether send_told() and receive_told() note what became of every payload.
  [[nodiscard]] virtual bool tells_outcomes() const { return false; }

  // ---- In a client process

  /// Connects, calls gate.wait_for_start(), sends all that `source` gives, and returns when all
  /// has left this process or its library will send it before the process ends.
  virtual void send(const Part& part, Gate& gate, PayloadSource& source) const = 0;

  /// Connects, calls gate.ready() once nothing sent to it can be missed, and hands every payload
  /// to `sink` until sink.complete(). It need not end by itself when messages are lost: the
  /// parent kills it, and the counts survive.
  virtual void receive(const Part& part, Gate& gate, PayloadSink& sink) const = 0;

  /// Connects, calls gate.wait_for_start(), and makes round trips with the echoer of its pair until
  /// trips.begin() is empty.
  virtual void ping(const Part& part, Gate& gate, RoundTrips& trips) const = 0;

  /// Connects, calls gate.ready(), and sends every payload back for ever. The parent kills it.
  virtual void echo(const Part& part, Gate& gate) const = 0;

  /// As send(), but sends what `sources` give to the receivers 0, 1, … in turn, as fast as it may
  /// (Measure::kFairness). The default throws.
  virtual void flood(const Part& part, Gate& gate, std::span<PayloadSource> sources) const;

  /// Connects one of many peers (Measure::kMemory). `sink` must outlive it. The default throws.
  [[nodiscard]] virtual std::unique_ptr<RingPeer> join(const RingSeat& seat,
                                                       PayloadSink& sink) const;

  /// As send(), but publishes to the topics of the pair in turn (Measure::kTopics). The default
  /// throws, as the next three.
  virtual void publish(const Part& part, Gate& gate, PayloadSource& source) const;
  /// As receive(), of all topics of the pair, by one subscription with a wildcard.
  virtual void subscribe(const Part& part, Gate& gate, PayloadSink& sink) const;

  /// Connects, calls gate.ready(), and answers calls to the service with what they carry for ever
  /// (Measure::kCalls). The parent kills it.
  virtual void work(const Part& part, Gate& gate) const;
  /// As send(), but calls the service, with at most part.in_flight calls without a reply, and hands
  /// the replies to `sink`.
  virtual void call(const Part& part, Gate& gate, PayloadSource& source, PayloadSink& sink) const;

  /// As send() and receive(), which the defaults call, where the receiver may stand still for a
  /// while or miss something (Measure::kStall).
  virtual void send_told(const Part& part, Gate& gate, PayloadSource& source,
                         ToldCounts& told) const;
  virtual void receive_told(const Part& part, Gate& gate, PayloadSink& sink,
                            ToldCounts& told) const;

  /// As send(), but before each payload of `large` for receiver `pair` one of `small` for receiver
  /// 0, unless that one can take no more now (Measure::kAmplification). Then stays connected until
  /// the parent kills it, and keeps `held` up to date: how many have no outcome yet. The default
  /// throws.
  virtual void send_mixed(const Part& part, Gate& gate, MixedSources sources,
                          std::atomic<std::uint64_t>& held) const;
};

}  // namespace zpost::bench
