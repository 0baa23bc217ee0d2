// zpost's clients of a service: workers that take batches, callers with many calls in flight.
#include <fmt/core.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "tools/bench/systems/zpost_clients.h"

namespace zpost::bench {
namespace {

using std::chrono::seconds;

constexpr const char* kService = "echo";
constexpr std::uint64_t kCapacity = 4096;

/// Calls without a reply, counted where replies come in on another thread.
class InFlight {
 public:
  explicit InFlight(std::uint32_t most) : most_(most) {}

  void begin() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return count_ < most_; });
    ++count_;
  }

  void end() {
    const std::lock_guard lock(mutex_);
    --count_;
    room_.notify_one();
  }

  void wait_for_all() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  const std::uint32_t most_;
  std::uint32_t count_ = 0;
  std::mutex mutex_;
  std::condition_variable room_;
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
  InFlight in_flight(part.in_flight);
  std::vector<std::byte> payload(part.payload_bytes);
  gate.wait_for_start();
  while (source.next(payload)) {
    in_flight.begin();
    const auto called = peer.call(kService, payload, seconds(30), [&](const auto& reply) {
      if (reply) sink.accept(reply->body);
      in_flight.end();
    });
    if (!called) throw std::runtime_error(called.error().text);
  }
  in_flight.wait_for_all();
  peer.close(seconds(1));
}

}  // namespace zpost::bench
