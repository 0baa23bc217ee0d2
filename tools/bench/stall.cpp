#include "tools/bench/stall.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "tools/bench/failure.h"
#include "tools/bench/shared_memory.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr auto kStallReadyLimit = 10s;
constexpr auto kStallPoll = 1ms;
constexpr auto kWarmUp = 500ms;
constexpr auto kSlice = 20ms;
// After the sender has ended: nothing more is to come when the ledger balances and nothing has come
// for the first, or nothing has come for the second.
constexpr auto kQuiet = 1s;
constexpr auto kStallSilence = 5s;

// Pair 0 is the one that is stalled, pair 1 the other one.
constexpr std::uint32_t kStalled = 0;
constexpr std::uint32_t kOther = 1;

struct StallShared {
  std::array<StreamCounts, 2> streams;
  ToldCounts told;
};

ToldLedger ledger_of(const ToldCounts& counts) {
  ToldLedger ledger;
  for (std::size_t number = 0; number < ledger.outcomes.size(); ++number) {
    const std::uint64_t count = counts.outcomes[number].load();
    const auto outcome = static_cast<Outcome>(number);
    ledger.outcomes[number] = count;
    std::uint64_t& sum = is_success(outcome)         ? ledger.delivered
                         : outcome == Outcome::kLost ? ledger.lost
                                                     : ledger.other;
    sum += count;
  }
  ledger.stray = counts.stray.load();
  ledger.taken_in_vain = counts.taken_in_vain.load();
  return ledger;
}

/// The four clients, and what the run does with them one after the other.
class StallStage {
 public:
  StallStage(const System& system, const StallWork& work, Stage& stage, StallShared& shared,
             StallRun& run)
      : system_(system), work_(work), stage_(stage), shared_(shared), run_(run) {}

  void conduct() {
    stream(kStalled).hold_at = 0;
    add_clients();
    stage_.clients.start(std::min(stage_.deadline, Clock::now() + kStallReadyLimit));
    pause_for(kWarmUp);
    run_.rates.before = watch_other(work_.before).rate;
    stop_in_full_flow();
    watch_stall();
    stage_.clients.go_on(receiver_);
    await_stalled_pair();
    end_other_pair();
    dismiss_receiver();
  }

 private:
  struct Watched {
    double rate = 0;
    Seconds time{0};
  };

  StreamCounts& stream(std::uint32_t pair) { return shared_.streams[pair]; }

  void add_clients() {
    receiver_ = add_receiver(kStalled);
    add_receiver(kOther);
    other_sender_ = stage_.clients.add("sender of the other pair", [&](Gate& gate) {
      PayloadSource source({}, kOther, work_.payload_bytes, stream(kOther));
      system_.send(part(kOther), gate, source);
    });
    sender_ = stage_.clients.add("sender of the stalled pair", [&](Gate& gate) {
      const Quota quota{.messages = work_.envelopes};
      PayloadSource source(quota, kStalled, work_.payload_bytes, stream(kStalled));
      system_.send_told(part(kStalled), gate, source, shared_.told);
    });
  }

  std::size_t add_receiver(std::uint32_t pair) {
    const char* const title =
        pair == kStalled ? "receiver of the stalled pair" : "receiver of the other pair";
    return stage_.clients.add(title, [&, pair](Gate& gate) {
      PayloadSink sink(pair, work_.payload_bytes, stream(pair));
      if (pair == kStalled) {
        system_.receive_told(part(pair), gate, sink, shared_.told);
      } else {
        system_.receive(part(pair), gate, sink);
      }
    });
  }

  [[nodiscard]] Part part(std::uint32_t pair) const {
    return {stage_.server.port(), pair, work_.payload_bytes};
  }

  // Stops the receiver once a tenth has arrived. However fast the pair is, half of its payloads are
  // sent after that.
  void stop_in_full_flow() {
    stream(kStalled).hold_at = work_.envelopes / 2;
    const bool flows = wait_until(stage_.deadline, kStallPoll, [&] {
      stage_.check();
      return stream(kStalled).intact.load() >= work_.envelopes / 10;
    });
    if (!flows) throw RunTimedOut("the pair to be stalled did not get going");
    stage_.clients.stop(receiver_);
    stream(kStalled).hold_at = kTotalUnknown;
    // A system that cuts it off loses its payloads, which the ledger shows.
    if (!system_.tells_outcomes()) stage_.clients.excuse(receiver_);
  }

  // How fast the other pair is for that long.
  Watched watch_other(Seconds time) {
    const auto begun = Clock::now();
    const std::uint64_t before = stream(kOther).intact.load();
    pause_for(std::chrono::duration_cast<std::chrono::microseconds>(time));
    stage_.check();
    const Seconds took = Clock::now() - begun;
    const std::uint64_t came = stream(kOther).intact.load() - before;
    return {.rate = static_cast<double>(came) / took.count(), .time = took};
  }

  // In slices, to tell apart those in which the stalled pair's sender was at work: a program that
  // is told of failures at full speed takes CPU time from everybody, however good the server is.
  void watch_stall() {
    const auto begun = Clock::now();
    double came = 0;
    double came_rested = 0;
    Seconds rested{0};
    while (Clock::now() - begun < work_.times.stop) {
      const std::uint64_t drawn = stream(kStalled).drawn.load();
      const Watched slice = watch_other(kSlice);
      came += slice.rate * slice.time.count();
      if (stream(kStalled).drawn.load() != drawn) continue;
      came_rested += slice.rate * slice.time.count();
      rested += slice.time;
    }
    run_.stopped_seconds = Seconds(Clock::now() - begun).count();
    run_.rates.during = came / run_.stopped_seconds;
    run_.rates.rested_seconds = rested.count();
    if (rested.count() > 0) run_.rates.rested = came_rested / rested.count();
  }

  void await_stalled_pair() {
    std::uint64_t arrived = 0;
    auto since = Clock::now();
    const bool ended = wait_until(stage_.deadline, kStallPoll, [&] {
      stage_.check();
      const std::uint64_t now_arrived = stream(kStalled).intact.load();
      const bool sending = stage_.clients.running(sender_);
      if (sending || now_arrived != arrived) {
        arrived = now_arrived;
        since = Clock::now();
      }
      return !sending && nothing_more_comes(Clock::now() - since);
    });
    if (!ended) throw RunTimedOut("the stalled pair did not come to an end");
  }

  bool nothing_more_comes(Clock::duration quiet) {
    if (!stage_.clients.running(receiver_)) return true;
    if (quiet > kStallSilence) return true;
    take_ledgers();
    return quiet > kQuiet && system_.tells_outcomes() && run_.balances();
  }

  void end_other_pair() {
    stream(kOther).enough = true;
    const bool ended = wait_until(stage_.deadline, kStallPoll, [&] {
      stage_.check();
      return !stage_.clients.running(other_sender_) &&
             stream(kOther).intact.load() >= stream(kOther).total.load();
    });
    if (!ended) throw RunTimedOut("the other pair did not come to an end");
  }

  // One that misses something waits for it for ever.
  void dismiss_receiver() {
    run_.receiver_error = stage_.clients.error(receiver_);
    if (stage_.clients.running(receiver_)) stage_.clients.kill(receiver_);
  }

  void take_ledgers() {
    run_.stalled = ledger_of(shared_.streams[kStalled]);
    run_.told = ledger_of(shared_.told);
  }

  const System& system_;
  const StallWork& work_;
  Stage& stage_;
  StallShared& shared_;
  StallRun& run_;
  std::size_t receiver_ = 0;  // Of the stalled pair, as the next.
  std::size_t sender_ = 0;
  std::size_t other_sender_ = 0;
};

}  // namespace

std::uint64_t StallRun::vanished() const {
  const std::uint64_t known =
      stalled.arrived - std::min(stalled.arrived, told.taken_in_vain) + told.lost + told.other;
  return stalled.sent - std::min(stalled.sent, known);
}

bool StallRun::balances() const {
  if (!tells_outcomes) return stalled.arrived == stalled.sent;
  return told.stray == 0 && told.delivered + told.taken_in_vain == stalled.arrived &&
         told.delivered + told.lost + told.other == stalled.sent;
}

StallRun run_stall(const System& system, const StallWork& work) {
  StallRun run;
  run.tells_outcomes = system.tells_outcomes();
  SharedArray<StallShared> shared(1);
  const Limits limits{.memory_bytes = work.memory_bytes,
                      .silence = work.times.silence,
                      .resume = work.times.resume};
  const auto start = [&] { return system.start_within(limits); };
  run.record = conduct_run(start, 4, work.timeout, [&](Stage& stage) {
    StallStage(system, work, stage, shared[0], run).conduct();
  });
  run.stalled = ledger_of(shared[0].streams[kStalled]);
  run.other = ledger_of(shared[0].streams[kOther]);
  run.told = ledger_of(shared[0].told);
  return run;
}

}  // namespace zpost::bench
