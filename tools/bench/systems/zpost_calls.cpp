// zpost's clients of a service: workers that take batches, callers with many calls in flight.
#include <fmt/core.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/bench/systems/zpost_clients.h"

namespace zpost::bench {
namespace {

using std::chrono::seconds;

constexpr const char* kService = "echo";
constexpr std::uint64_t kCapacity = 4096;

/// Keeps calls in flight. A reply makes the next call, on the thread that it comes in on; what
/// would have to wait there is left to run().
class Caller {
 public:
  Caller(peer::Peer& peer, std::size_t payload_bytes, PayloadSource& source, PayloadSink& sink)
      : peer_(peer), source_(source), sink_(sink), next_(payload_bytes) {}

  /// Returns when every call has its reply. Throws why one could not be made.
  void run(std::uint32_t most) {
    std::vector<std::byte> payload(next_.size());
    std::unique_lock lock(mutex_);
    room_ = most;
    for (;;) {
      changed_.wait(lock, [this] { return in_flight_ == 0 || (room_ > 0 && more()); });
      if (!more()) return;
      if (left_) {
        payload.swap(next_);
        left_ = false;
      } else if (!source_.next(payload)) {
        ended_ = true;
        continue;
      }
      begin();
      lock.unlock();
      const auto made = call(payload);
      if (!made) throw std::runtime_error(made.error().text);
      lock.lock();
    }
  }

 private:
  peer::Answer<std::uint64_t> call(std::span<const std::byte> payload) {
    return peer_.call(kService, payload, seconds(30), [this](const auto& reply) {
      if (reply) sink_.accept(reply->body);
      call_again();
    });
  }

  void call_again() {
    std::unique_lock lock(mutex_);
    end();
    if (room_ == 1 && !left_ && source_.next(next_)) {
      begin();
      lock.unlock();
      if (call(next_)) return;
      lock.lock();
      end();
      left_ = true;
    }
    changed_.notify_one();
  }

  void begin() {
    --room_;
    ++in_flight_;
  }

  void end() {
    ++room_;
    --in_flight_;
  }

  [[nodiscard]] bool more() const { return left_ || !ended_; }

  peer::Peer& peer_;
  PayloadSource& source_;
  PayloadSink& sink_;
  std::vector<std::byte> next_;  // Where replies come in, one at a time.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t room_ = 0;
  std::uint32_t in_flight_ = 0;
  bool left_ = false;   // next_ is to be called by run().
  bool ended_ = false;  // The source has no more.
};

}  // namespace

void work_by_zpost(const Part& part, Gate& gate) {
  peer::Peer peer = connect_zpost(fmt::format("worker-{}", part.number), part.port);
  demand(static_cast<bool>(peer.offer(kService, kCapacity)), "the offer failed");
  demand(peer.wait_settled(seconds(10)), "the offer was not answered");
  gate.ready();
  peer::Batch batch;
  while (true) {
    if (!peer.receive_batch(batch, seconds(60))) continue;
    for (const EnvelopeView& call : batch.envelopes()) {
      demand(static_cast<bool>(peer.reply(call.from, call.id, call.body)), "a reply failed");
    }
  }
}

void call_by_zpost(const Part& part, Gate& gate, PayloadSource& source, PayloadSink& sink) {
  peer::Peer peer = connect_zpost(fmt::format("caller-{}", part.pair), part.port);
  gate.wait_for_start();
  Caller(peer, part.payload_bytes, source, sink).run(part.in_flight);
  peer.close(seconds(1));
}

}  // namespace zpost::bench
