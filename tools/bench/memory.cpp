#include "tools/bench/memory.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "tools/bench/failure.h"
#include "tools/bench/shared_memory.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

// libzmq's context takes 1,023 sockets, and the client library has threads of its own per peer.
constexpr std::uint32_t kCrewPeers = 250;
// What is on the way between two peers at most. Enough to keep everybody busy, and far below any
// limit of any system, so that memory shows what peers cost and not how far one ran ahead.
constexpr std::uint64_t kBurst = 10;
constexpr std::uint64_t kCrewThreads = 3;  // Its own, and those of a library that has one for all.
constexpr std::uint64_t kServerKib = 120;  // For each peer.
// Threads and files of the server besides, generously.
constexpr std::uint64_t kSpareOfServer = 100;
constexpr auto kAttendEvery = 100ms;
constexpr auto kMemoryPoll = 5ms;
constexpr auto kSettle = 500ms;  // Before memory is read: what is under way comes to an end.

using Links = SharedArray<StreamCounts>;  // By the number of the sender.

struct MemoryControl {
  std::atomic<bool> exchange = false;          // Set by the parent.
  std::atomic<std::uint32_t> crews_ready = 0;  // With all their envelopes.
};

/// A peer with what it sends and what it verifies.
struct Member {
  Member(const System& system, const MemoryWork& work, const RingSeat& seat, Links& links)
      : source({.messages = work.envelopes}, seat.number, work.payload_bytes, links[seat.number]),
        arrived(links[seat.previous()].intact),
        sink(seat.previous(), work.payload_bytes, links[seat.previous()]),
        peer(system.join(seat, sink)) {}

  PayloadSource source;
  const std::atomic<std::uint64_t>& arrived;
  PayloadSink sink;
  std::unique_ptr<RingPeer> peer;
};

/// Peers that share a client process.
class MemoryCrew {
 public:
  MemoryCrew(const System& system, const MemoryWork& work, const RingSeat& first, Links& links)
      : work_(work) {
    const std::uint32_t end = std::min(first.number + kCrewPeers, first.peers);
    for (RingSeat seat = first; seat.number < end; ++seat.number) {
      members_.push_back(std::make_unique<Member>(system, work, seat, links));
    }
  }

  template <typename Condition>
  void attend_while(Condition condition) {
    while (condition()) {
      for (const auto& member : members_) member->peer->attend();
      pause_for(kAttendEvery);
    }
  }

  // In bursts. No peer waits for what its neighbour has not sent, since all send first.
  void exchange() {
    std::vector<std::byte> payload(work_.payload_bytes);
    for (std::uint64_t done = 0; done < work_.envelopes;) {
      const std::uint64_t goal = std::min(done + kBurst, work_.envelopes);
      for (const auto& member : members_) {
        for (std::uint64_t i = done; i < goal && member->source.next(payload); ++i) {
          member->peer->send(payload);
        }
      }
      for (const auto& member : members_) {
        while (member->arrived.load() < goal) member->peer->receive();
      }
      done = goal;
    }
  }

 private:
  const MemoryWork& work_;
  std::vector<std::unique_ptr<Member>> members_;
};

std::uint32_t add_crews(const System& system, const MemoryWork& work, Stage& stage, Links& links,
                        MemoryControl& control) {
  std::uint32_t crews = 0;
  for (std::uint32_t number = 0; number < work.peers; number += kCrewPeers, ++crews) {
    const RingSeat first{stage.server.port(), number, work.peers};
    stage.clients.add(fmt::format("crew {}", crews), [&, first](Gate& gate) {
      MemoryCrew crew(system, work, first, links);
      gate.ready();
      crew.attend_while([&] { return !control.exchange.load(); });
      crew.exchange();
      control.crews_ready.fetch_add(1);
      crew.attend_while([] { return true; });  // The parent kills it.
    });
  }
  return crews;
}

MemoryShare settled_memory(const Stage& stage) {
  pause_for(kSettle);
  stage.check();
  return memory_share(stage.server.pid());
}

double cores_used(const Stage& stage, std::chrono::duration<double> time) {
  const auto begun = Clock::now();
  const auto before = cpu_time(stage.server.pid());
  pause_for(std::chrono::duration_cast<std::chrono::microseconds>(time));
  stage.check();
  const std::chrono::duration<double> used = cpu_time(stage.server.pid()) - before;
  return used / std::chrono::duration<double>(Clock::now() - begun);
}

void sum_up(const Links& links, MemoryRun& run) {
  for (const StreamCounts& link : links.all()) {
    run.sent += link.drawn.load();
    run.received += link.intact.load();
    run.duplicated += link.duplicated.load();
    run.reordered += link.reordered.load();
    run.corrupt += link.corrupt.load();
  }
}

std::uint32_t crews_of(const MemoryWork& work) {
  return (work.peers + kCrewPeers - 1) / kCrewPeers;
}

}  // namespace

Needs needs_of_ring(const MemoryWork& work, const ClientCost& cost) {
  const std::uint64_t in_a_crew = std::min(work.peers, kCrewPeers);
  return {.threads = std::uint64_t{work.peers} * cost.threads + crews_of(work) * kCrewThreads +
                     kSpareOfServer,
          .files = std::max<std::uint64_t>(work.peers, in_a_crew * cost.files) + kSpareOfServer,
          .ports = work.peers,
          .mebibytes = std::uint64_t{work.peers} * (cost.kibibytes + kServerKib) / 1024};
}

double kib_per_peer(std::uint64_t before, std::uint64_t after, std::uint32_t peers) {
  return (static_cast<double>(after) - static_cast<double>(before)) / 1024 / peers;
}

MemoryRun run_memory(const System& system, const MemoryWork& work) {
  MemoryRun run;
  Links links(work.peers);
  SharedArray<MemoryControl> control(1);
  const auto start = [&] { return system.start(); };
  const auto conduct = [&](Stage& stage) {
    run.at_start = settled_memory(stage);
    const std::uint32_t crews = add_crews(system, work, stage, links, control[0]);
    stage.clients.start(stage.deadline);
    run.after_hello = settled_memory(stage);
    run.idle_cores = cores_used(stage, work.idle);

    control[0].exchange = true;
    const bool done = wait_until(stage.deadline, kMemoryPoll, [&] {
      stage.check();
      return control[0].crews_ready.load() == crews;
    });
    if (!done) throw RunTimedOut("not all had arrived when the time was over");
    run.after_envelopes = settled_memory(stage);
    for (std::uint32_t crew = 0; crew < crews; ++crew) stage.clients.kill(crew);
  };
  run.record = conduct_run(start, crews_of(work), work.timeout, conduct,
                           needs_of_ring(work, system.ring_peer_cost()));
  sum_up(links, run);
  return run;
}

}  // namespace zpost::bench
