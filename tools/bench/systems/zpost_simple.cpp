// zpost with the simplest clients SPEC.md allows (section 14): plain DEALER sockets, one envelope
// per frame, no acks, no copies; credit is obeyed.
#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "tools/bench/systems/identity.h"
#include "tools/bench/systems/systems.h"
#include "tools/bench/systems/zpost_server.h"
#include "zpost/peer/memory.h"
#include "zpost/protocol/control.h"

namespace zpost::bench {
namespace {

constexpr std::uint64_t kLookEvery = 64;
constexpr auto kDiscard = [](Bytes) {};

/// One DEALER connection that has been welcomed. Thread: one.
class SimplePeer {
 public:
  /// `context` must outlive the peer.
  SimplePeer(std::uint16_t port, std::string name, zmq::context_t& context)
      : name_(std::move(name)), socket_(context, zmq::socket_type::dealer) {
    peer::keep_free_memory();
    socket_.set(zmq::sockopt::routing_id, identity_of(name_));
    socket_.set(zmq::sockopt::linger, 10'000);
    socket_.connect(fmt::format("tcp://127.0.0.1:{}", port));
    Hello hello;
    hello.instance = random_hex_128();
    hello.software = "zpost-bench simple";
    const ByteBuffer body = encode(hello);
    transmit({.kind = Kind::kHello, .from = name_, .body = body});
    while (next_id_ == 0) read_frame(kDiscard);
  }

  /// Sends one envelope in a frame of its own, waiting for credit as long as it takes. What arrives
  /// meanwhile goes to `take`.
  template <typename Take>
  void send(std::string_view to, Bytes body, Take take) {
    if (to != to_) {
      to_ = to;
      prefix_ = EnvelopePrefix(Kind::kSend, to, name_);
    }
    const std::size_t size = prefix_.encoded_size(next_id_, body.size());
    const std::uint64_t cost = cost_of(size);
    // A look at an empty socket is a system call: not for every envelope.
    if (next_id_ % kLookEvery == 0) drain(take);
    while (!has_credit(cost)) read_frame(take);
    zmq::message_t frame(size);
    prefix_.write(static_cast<std::byte*>(frame.data()), next_id_, body);
    socket_.send(frame, zmq::send_flags::none);
    unsettled_.push_back({next_id_, cost});
    unsettled_cost_ += cost;
    sent_cost_ += cost;
    ++next_id_;
  }

  void send(std::string_view to, Bytes body) { send(to, body, kDiscard); }

  /// Waits for a frame from the broker and hands the payload bodies in it to `take`. False: none
  /// came within the patience.
  template <typename Take>
  bool read_frame(Take take) {
    zmq::message_t frame;
    if (!socket_.recv(frame)) return false;
    handle(frame, take);
    return true;
  }

  /// The same with all frames that are there.
  template <typename Take>
  void drain(Take take) {
    zmq::message_t frame;
    while (socket_.recv(frame, zmq::recv_flags::dontwait)) handle(frame, take);
  }

  /// How long read_frame() waits; without limit unless it is called.
  void set_patience(int limit_ms) { socket_.set(zmq::sockopt::rcvtimeo, limit_ms); }

  [[nodiscard]] bool settled() const { return unsettled_cost_ == 0; }

 private:
  struct Unsettled {
    std::uint64_t id;
    std::uint64_t cost;
  };

  void transmit(const EnvelopeFields& fields) {
    ByteBuffer frame;
    append_envelope(frame, fields);
    socket_.send(zmq::buffer(frame.data(), frame.size()), zmq::send_flags::none);
  }

  template <typename Take>
  void handle(const zmq::message_t& frame, Take take) {
    FrameReader reader({static_cast<const std::byte*>(frame.data()), frame.size()});
    EnvelopeView view;
    while (reader.next(view)) {
      if (is_payload(view.kind())) {
        take(view.body);
      } else {
        control(view);
      }
    }
    if (reader.failed()) throw std::runtime_error(reader.error_text());
  }

  void control(const EnvelopeView& view) {
    switch (view.kind()) {
      case Kind::kWelcome:
        welcomed(decode_welcome(view.body).value());
        break;
      case Kind::kReceipt:
      case Kind::kCredit:
        receipt(decode_receipt(view.body).value());
        break;
      case Kind::kPing:
        transmit({.kind = Kind::kPong, .from = name_, .body = view.body});
        break;
      case Kind::kOutcome:
        throw std::runtime_error(fmt::format("envelope {} failed: {}", view.id,
                                             outcome_name(decode_outcome(view.body)->code)));
      case Kind::kRefused:
        throw std::runtime_error(decode_refusal(view.body)->text);
      default:
        break;
    }
  }

  void welcomed(const Welcome& welcome) {
    next_id_ = welcome.first_id;
    credit_ = welcome.credit;
    pair_ = welcome.pair;
    sent_cost_ = welcome.received;
  }

  // The bench sends to one recipient only, so one list of unsettled envelopes is enough.
  void receipt(const Receipt& receipt) {
    credit_ = receipt.credit;
    pair_ = receipt.pair;
    for (const ReceiptEntry& entry : receipt.entries) {
      while (head_ < unsettled_.size() && unsettled_[head_].id <= entry.id) {
        unsettled_cost_ -= unsettled_[head_++].cost;
      }
    }
    if (head_ == unsettled_.size()) {
      unsettled_.clear();
      head_ = 0;
    } else if (head_ > 65'536) {
      unsettled_.erase(unsettled_.begin(), unsettled_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }

  [[nodiscard]] bool has_credit(std::uint64_t cost) const {
    if (unsettled_cost_ == 0) return true;
    return sent_cost_ + cost <= credit_ && unsettled_cost_ + cost <= pair_;
  }

  std::string name_;
  zmq::socket_t socket_;
  std::string to_;
  EnvelopePrefix prefix_;
  std::uint64_t next_id_ = 0;
  std::uint64_t credit_ = 0;
  std::uint64_t pair_ = 0;
  std::uint64_t sent_cost_ = 0;
  std::uint64_t unsettled_cost_ = 0;
  std::vector<Unsettled> unsettled_;
  std::size_t head_ = 0;
};

class SimpleRingPeer final : public RingPeer {
 public:
  SimpleRingPeer(const RingSeat& seat, zmq::context_t& context, PayloadSink& sink)
      : next_(name_of(seat.next())), take_{sink}, peer_(seat.port, name_of(seat.number), context) {
    peer_.set_patience(kRingPatienceMilliseconds);
  }

  void send(std::span<const std::byte> payload) override { peer_.send(next_, payload, take_); }

  void receive() override {
    if (!peer_.read_frame(take_)) throw std::runtime_error("nothing arrived in time");
  }

  void attend() override { peer_.drain(take_); }

 private:
  static std::string name_of(std::uint32_t number) { return fmt::format("peer-{}", number); }

  struct Take {
    PayloadSink& sink;

    void operator()(Bytes body) const { sink.accept(body); }
  };

  std::string next_;
  Take take_;
  SimplePeer peer_;
};

class ZpostSimple final : public System {
 public:
  [[nodiscard]] std::string_view name() const override { return "zpost-simple"; }

  [[nodiscard]] std::string_view description() const override {
    return "zpost-broker, plain DEALER clients, one envelope per frame, no acks; credit on";
  }

  [[nodiscard]] std::optional<std::string> unavailable() const override {
    return missing_program("zpost-broker");
  }

  [[nodiscard]] bool measures(Measure measure) const override {
    return measure == Measure::kThroughput || measure == Measure::kLatency ||
           measure == Measure::kMemory;
  }

  [[nodiscard]] Server start() const override { return launch_zpost_broker({}); }

  void send(const Part& part, Gate& gate, PayloadSource& source) const override {
    zmq::context_t context;
    SimplePeer peer(part.port, fmt::format("sender-{}", part.pair), context);
    const std::string to = fmt::format("receiver-{}", part.pair);
    std::vector<std::byte> payload(source.payload_bytes());
    gate.wait_for_start();
    while (source.next(payload)) peer.send(to, payload);
    while (!peer.settled()) peer.read_frame(kDiscard);
  }

  void receive(const Part& part, Gate& gate, PayloadSink& sink) const override {
    zmq::context_t context;
    SimplePeer peer(part.port, fmt::format("receiver-{}", part.pair), context);
    gate.ready();
    while (!sink.complete()) peer.read_frame([&](Bytes body) { sink.accept(body); });
  }

  void ping(const Part& part, Gate& gate, RoundTrips& trips) const override {
    zmq::context_t context;
    SimplePeer peer(part.port, "pinger", context);
    gate.wait_for_start();
    for (auto payload = trips.begin(); !payload.empty(); payload = trips.begin()) {
      peer.send("echoer", payload);
      bool back = false;
      while (!back) {
        peer.read_frame([&](Bytes body) {
          back = true;
          trips.end(body);
        });
      }
    }
  }

  void echo(const Part& part, Gate& gate) const override {
    zmq::context_t context;
    SimplePeer peer(part.port, "echoer", context);
    gate.ready();
    std::vector<std::byte> body(part.payload_bytes);
    while (true) {
      std::size_t count = 0;
      peer.read_frame([&](Bytes payload) {
        std::copy(payload.begin(), payload.end(), body.begin());
        ++count;
      });
      for (; count > 0; --count) peer.send("pinger", body);
    }
  }

  [[nodiscard]] std::unique_ptr<RingPeer> join(const RingSeat& seat,
                                               PayloadSink& sink) const override {
    // One for all peers of the process, and for as long as it runs.
    static zmq::context_t context;
    return std::make_unique<SimpleRingPeer>(seat, context, sink);
  }
};

}  // namespace

std::unique_ptr<System> make_zpost_simple() {
  return std::make_unique<ZpostSimple>();
}

}  // namespace zpost::bench
