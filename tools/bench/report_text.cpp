#include "tools/bench/report_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "tools/bench/words.h"

namespace zpost::bench::text {
namespace {

// What the run cost; nothing of this is known of a run that did not finish.
std::string server_line(const RunRecord& record, double cpu_us, std::string_view per) {
  if (!record.finished()) return "";
  std::string text = fmt::format("  server      {:.2f} us of CPU a {}, {:.1f} MiB peak\n", cpu_us,
                                 per, static_cast<double>(record.server_peak_bytes) / kMiB);
  if (record.noisy()) {
    text += fmt::format("  noisy       other processes used {:.2f} cores\n", record.other_cores);
  }
  return text;
}

std::string percentiles_line(const Percentiles& us) {
  return fmt::format(
      "  round trip  p50 {:.1f}, p90 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, max {:.1f} us\n", us.p50,
      us.p90, us.p99, us.p999, us.max);
}

std::string failure_line(const RunRecord& record) {
  return record.finished() ? "" : fmt::format("  FAILED      {}\n", record.failure);
}

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / kMiB);
}

std::string memory_line(const char* title, const MemoryWork& work, const MemoryShare& start,
                        const MemoryShare& now) {
  return fmt::format("  {:<16} {:.1f} KiB a peer (PSS {:.1f}), {} in all\n", title,
                     kib_per_peer(start.resident_bytes, now.resident_bytes, work.peers),
                     kib_per_peer(start.proportional_bytes, now.proportional_bytes, work.peers),
                     mebibytes(now.resident_bytes));
}

std::string stall_rates(const OtherPairRates& rates, double stopped_seconds) {
  std::string text =
      fmt::format("  other pair  {}/s alone before the stall, {}/s during it: {:.2f}x\n",
                  short_number(rates.before), short_number(rates.during), rates.ratio());
  if (rates.rested_seconds > 0) {
    text += fmt::format(
        "              {:.2f}x while the stalled pair's sender sent nothing ({:.1f} of {:.1f} s)\n",
        rates.rested_ratio(), rates.rested_seconds, stopped_seconds);
  }
  return text;
}

// "998 delivered, 2 lost, 0 other", and what the other ones were.
std::string told_line(const ToldLedger& told) {
  std::string text = fmt::format("  told        {} delivered, {} lost, {} other", told.delivered,
                                 told.lost, told.other);
  std::string names;
  for (std::size_t number = 0; number < told.outcomes.size(); ++number) {
    const auto outcome = static_cast<Outcome>(number);
    if (told.outcomes[number] == 0 || is_success(outcome) || outcome == Outcome::kLost) continue;
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", told.outcomes[number],
                         outcome_name(outcome));
  }
  if (!names.empty()) text += fmt::format(" ({})", names);
  if (told.stray > 0) text += fmt::format(", {} TWICE OR STRAY", told.stray);
  text += '\n';
  if (told.taken_in_vain > 0) {
    text += fmt::format(
        "              {} of the failed had arrived: taken, but not acknowledged in time\n",
        told.taken_in_vain);
  }
  return text;
}

std::string stall_ledger(const StallRun& run) {
  const PairLedger& pair = run.stalled;
  std::string text =
      fmt::format("  sent        {}\n  arrived     {}; {} twice, {} out of order, {} corrupt\n",
                  pair.sent, pair.arrived, pair.duplicated, pair.reordered, pair.corrupt);
  text += run.tells_outcomes ? told_line(run.told)
                             : fmt::format("  not told    {} lost\n", run.vanished());
  if (!run.receiver_error.empty()) {
    text += fmt::format("  cut off     the receiver: {}\n", run.receiver_error);
  }
  text += run.balances() ? "  ledger      balances: what arrived and what failed is what was sent\n"
          : run.vanished() > 0
              ? fmt::format("  ledger      DOES NOT BALANCE: {} vanished\n", run.vanished())
              : "  ledger      DOES NOT BALANCE: the sender was told otherwise\n";
  return text;
}

}  // namespace

std::string throughput(const System& system, const ThroughputWork& work, const ThroughputRun& run) {
  const double bytes_per_second = run.per_second * static_cast<double>(work.payload_bytes);
  return fmt::format("{}: {}, {}\n", system.name(), short_size(work.payload_bytes),
                     count_of(work.pairs, "pair")) +
         failure_line(run.record) +
         fmt::format("  rate        {} messages/s, {:.1f} MB/s\n", short_number(run.per_second),
                     bytes_per_second / 1e6) +
         fmt::format("  received    {} of {} in {:.3f} s\n", run.received, run.sent, run.seconds) +
         fmt::format("  losses      {}\n",
                     losses(run.lost(), run.duplicated, run.reordered, run.corrupt)) +
         server_line(run.record, run.server_cpu_us_per_message(), "message");
}

std::string latency(const System& system, const LatencyWork& work, const LatencyRun& run) {
  const double cpu_us =
      run.finished == 0 ? 0
                        : run.record.server_cpu_seconds * 1e6 / static_cast<double>(run.finished);
  return fmt::format("{}: {} there and back\n", system.name(), short_size(work.payload_bytes)) +
         failure_line(run.record) +
         (run.record.finished() ? percentiles_line(run.microseconds) : "") +
         fmt::format("  returned    {} of {}, {} corrupt\n", run.finished,
                     work.warmup + work.round_trips, run.corrupt) +
         server_line(run.record, cpu_us, "round trip");
}

std::string memory(const System& system, const MemoryWork& work, const MemoryRun& run) {
  std::string text =
      fmt::format("{}: {} in a ring, {} of {} each\n", system.name(), count_of(work.peers, "peer"),
                  count_of(work.envelopes, "envelope"), short_size(work.payload_bytes)) +
      failure_line(run.record);
  if (run.record.finished()) {
    text += fmt::format("  at start         {}\n", mebibytes(run.at_start.resident_bytes)) +
            memory_line("after hello", work, run.at_start, run.after_hello) +
            memory_line("after envelopes", work, run.at_start, run.after_envelopes) +
            fmt::format("  idle             {:.2f} % of a core in {:.1f} s\n", run.idle_cores * 100,
                        work.idle.count());
  }
  return text + fmt::format("  received         {} of {}, losses {}\n", run.received, run.sent,
                            losses(run.lost(), run.duplicated, run.reordered, run.corrupt));
}

std::string storm(const StormWork& work, const StormRun& run) {
  std::string text =
      fmt::format("storm: {} connections a second for {} s\n", work.rate, work.seconds) +
      failure_line(run.record);
  const double cores = run.seconds > 0 ? run.record.server_cpu_seconds / run.seconds : 0;
  text += fmt::format("  welcomed    {} of {}, {} refused, {} without an answer\n", run.welcomed,
                      run.wanted, run.refused, run.hung());
  text += fmt::format("  took        {:.2f} s, {:.0f} a second\n", run.seconds,
                      run.seconds > 0 ? static_cast<double>(run.welcomed) / run.seconds : 0);
  text += fmt::format("  welcome ms  p50 {:.1f}  p99 {:.1f}  p99.9 {:.1f}\n", run.milliseconds.p50,
                      run.milliseconds.p99, run.milliseconds.p999);
  return text + fmt::format("  server      {:.2f} cores, peak {}\n", cores,
                            mebibytes(run.record.server_peak_bytes));
}

std::string amplification(const System& system, const AmplificationWork& work,
                          const AmplificationRun& run) {
  std::string text =
      fmt::format("{}: {} envelopes to a stopped peer between {} ones to {} that read\n",
                  system.name(), short_size(work.small_bytes), short_size(work.large_bytes),
                  count_of(work.senders, "peer")) +
      failure_line(run.record);
  if (run.record.finished()) {
    const bool kept = run.peak_growth() <= work.memory_bytes;
    text +=
        fmt::format("  memory      peak {} above the start ({}), limit {}{}\n",
                    mebibytes(run.peak_growth()), mebibytes(run.at_start.resident_bytes),
                    mebibytes(work.memory_bytes), kept ? "" : ": EXCEEDED") +
        fmt::format(
            "  held        {} envelopes, {} of payload, in {}\n", run.held,
            mebibytes(run.held * work.small_bytes),
            mebibytes(run.while_held.resident_bytes -
                      std::min(run.while_held.resident_bytes, run.at_start.resident_bytes))) +
        fmt::format("  a byte held {:.2f} bytes of memory\n", run.bytes_per_byte(work.small_bytes));
  }
  return text + fmt::format("  passed      {} of {} large ones\n", run.passed, run.wanted);
}

std::string stall(const System& system, const StallWork& work, const StallRun& run) {
  const auto seconds = [](std::chrono::milliseconds time) {
    return static_cast<double>(time.count()) / 1000;
  };
  std::string text = fmt::format(
      "{}: {} envelopes of {}, the receiver stopped for {:g} s ({}: silence {:g} s, resume {:g} "
      "s)\n",
      system.name(), work.envelopes, short_size(work.payload_bytes), seconds(work.times.stop),
      word_for(work.times.mode()), seconds(work.times.silence), seconds(work.times.resume));
  text += failure_line(run.record);
  if (run.record.finished()) {
    text +=
        fmt::format("  memory      peak {}, {}\n", mebibytes(run.record.server_peak_bytes),
                    system.limits_memory() ? fmt::format("limit {}", mebibytes(work.memory_bytes))
                                           : "no limit in bytes") +
        stall_rates(run.rates, run.stopped_seconds);
  }
  text += fmt::format("  other pair  {} of {} arrived; {} twice, {} out of order, {} corrupt\n",
                      run.other.arrived, run.other.sent, run.other.duplicated, run.other.reordered,
                      run.other.corrupt);
  text += stall_ledger(run);
  if (run.record.finished() && run.record.noisy()) {
    text +=
        fmt::format("  noisy       other processes used {:.2f} cores\n", run.record.other_cores);
  }
  return text;
}

}  // namespace zpost::bench::text
