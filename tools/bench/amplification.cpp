#include "tools/bench/amplification.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>

#include "tools/bench/failure.h"
#include "tools/bench/shared_memory.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kAmplificationReadyLimit = 10s;
constexpr auto kAmplificationPoll = 5ms;
// Before memory is read: receipts of the large ones come home.
constexpr auto kReceiptsSettle = 1s;
constexpr auto kServerPatience = 1h;  // Of the server with the one that stands still.

/// In shared memory, by the number of the sender; 0 is the receiver that stands still.
struct Sender {
  StreamCounts small;
  StreamCounts large;
  std::atomic<std::uint64_t> held = 0;
};

using Senders = SharedArray<Sender>;

// Returns the index of the client that shall stand still.
std::size_t add_receivers(const System& system, const AmplificationWork& work, Stage& stage,
                          Senders& senders) {
  const std::uint16_t port = stage.server.port();
  const auto stopped = stage.clients.add("the stopped receiver", [&, port](Gate& gate) {
    PayloadSink sink(0, work.small_bytes, senders[0].small);
    system.receive({port, 0, work.small_bytes}, gate, sink);
  });
  for (std::uint32_t pair = 1; pair <= work.senders; ++pair) {
    stage.clients.add(fmt::format("receiver {}", pair), [&, port, pair](Gate& gate) {
      PayloadSink sink(pair, work.large_bytes, senders[pair].large);
      system.receive({port, pair, work.large_bytes}, gate, sink);
    });
  }
  return stopped;
}

void add_senders(const System& system, const AmplificationWork& work, Stage& stage,
                 Senders& senders) {
  for (std::uint32_t pair = 1; pair <= work.senders; ++pair) {
    const Part part{stage.server.port(), pair, work.large_bytes};
    stage.clients.add(fmt::format("sender {}", pair), [&, part](Gate& gate) {
      Sender& counts = senders[part.pair];
      PayloadSource small({}, part.pair, work.small_bytes, counts.small);
      PayloadSource large({.messages = work.envelopes}, part.pair, work.large_bytes, counts.large);
      system.send_mixed(part, gate, {small, large}, counts.held);
    });
  }
}

void hold_all(Senders& senders, std::uint64_t at) {
  for (Sender& sender : senders.all()) sender.small.hold_at = at;
}

std::uint64_t all_passed(const Senders& senders) {
  std::uint64_t sum = 0;
  for (const Sender& sender : senders.all()) sum += sender.large.intact.load();
  return sum;
}

std::uint64_t all_held(const Senders& senders) {
  std::uint64_t sum = 0;
  for (const Sender& sender : senders.all()) sum += sender.held.load();
  return sum;
}

void kill_stopped_and_senders(Stage& stage, std::size_t stopped, const AmplificationWork& work) {
  stage.clients.kill(stopped);
  for (std::size_t i = 0; i < work.senders; ++i) stage.clients.kill(1 + work.senders + i);
}

void conduct(const System& system, const AmplificationWork& work, Stage& stage, Senders& senders,
             AmplificationRun& run) {
  run.at_start = memory_share(stage.server.pid());
  hold_all(senders, 0);
  const std::size_t stopped = add_receivers(system, work, stage, senders);
  add_senders(system, work, stage, senders);
  stage.clients.start(std::min(stage.deadline, Clock::now() + kAmplificationReadyLimit));
  stage.clients.stop(stopped);
  hold_all(senders, kTotalUnknown);
  const bool done = wait_until(stage.deadline, kAmplificationPoll, [&] {
    stage.check();
    return all_passed(senders) == run.wanted;
  });
  if (!done) throw RunTimedOut("not all had arrived when the time was over");
  pause_for(kReceiptsSettle);
  stage.check();
  run.while_held = memory_share(stage.server.pid());
  run.held = all_held(senders);
  kill_stopped_and_senders(stage, stopped, work);
}

}  // namespace

double AmplificationRun::bytes_per_byte(std::size_t small_bytes) const {
  if (held == 0) return 0;
  const double growth =
      static_cast<double>(while_held.resident_bytes) - static_cast<double>(at_start.resident_bytes);
  return growth / static_cast<double>(held * small_bytes);
}

AmplificationRun run_amplification(const System& system, const AmplificationWork& work) {
  AmplificationRun run;
  run.wanted = work.envelopes * work.senders;
  Senders senders(work.senders + 1);
  const auto start = [&] {
    return system.start_within(
        {.memory_bytes = work.memory_bytes, .silence = kServerPatience, .resume = kServerPatience});
  };
  const std::size_t clients = 1 + 2 * std::size_t{work.senders};
  run.record = conduct_run(start, clients, work.timeout,
                           [&](Stage& stage) { conduct(system, work, stage, senders, run); });
  run.passed = all_passed(senders);
  return run;
}

}  // namespace zpost::bench
