#include <fmt/core.h>

#include <string_view>

#include "tools/bench/report_text.h"
#include "tools/bench/words.h"

namespace zpost::bench::text {
namespace {

// Below this the even load was not the same load any more.
constexpr double kSameLoad = 0.9;

constexpr std::string_view kPhaseLine =
    "  {:<6} {:<6} {:>10} {:>10} {:>8} {:>9} {:>9} {:>9} {:>7}  {}\n";

std::string rate(double per_second) {
  return per_second > 0 ? short_number(per_second) : "-";
}

std::string phase_line(const FairnessWork& work, std::size_t round, Phase phase,
                       const PhaseRun& run) {
  const double megabytes = run.per_second * static_cast<double>(work.load_bytes) / 1e6;
  std::string line = fmt::format(
      kPhaseLine, round, word_for(phase), rate(run.offered), rate(run.per_second),
      run.per_second > 0 ? fmt::format("{:.1f}", megabytes) : "-",
      fmt::format("{:.0f}", run.microseconds.p50), fmt::format("{:.0f}", run.microseconds.p99),
      fmt::format("{:.0f}", run.microseconds.max), run.round_trips,
      losses(run.load.lost(), run.load.duplicated, run.load.reordered,
             run.load.corrupt + run.corrupt));
  if (!run.record.finished()) line += fmt::format("  FAILED      {}\n", run.record.failure);
  if (run.record.finished() && run.record.noisy()) {
    line +=
        fmt::format("  noisy       other processes used {:.2f} cores\n", run.record.other_cores);
  }
  return line;
}

std::string ratio_lines(const FairnessRun& run, std::optional<double> most) {
  const auto ratio = run.p99_ratio();
  if (!ratio) return "  ratio       -\n";
  std::string text = fmt::format(
      "  ratio       p99 beside the flood is {:.2f}x ({:.2f}-{:.2f}) that "
      "beside the even load",
      ratio->median, ratio->min, ratio->max);
  if (most) {
    text += fmt::format(", at most {:g}x: {}", *most, run.exceeds(*most) ? "EXCEEDED" : "kept");
  }
  text += '\n';
  const auto load = run.load_ratio();
  if (load && load->median < kSameLoad) {
    text += fmt::format(
        "  not alike   spread over many senders only {:.2f} of the flood's rate got through\n",
        load->median);
  }
  return text;
}

}  // namespace

std::string fairness(const System& system, const FairnessWork& work, const FairnessRun& run,
                     std::optional<double> most) {
  std::string text =
      fmt::format("{}: {} with {:g} round trips of {} a second each, beside payloads of {} to {}\n",
                  system.name(), count_of(work.quiet, "quiet peer"), work.quiet_rate,
                  short_size(work.quiet_bytes), short_size(work.load_bytes),
                  count_of(work.senders, "receiver"));
  text += fmt::format(kPhaseLine, "round", "load", "offered/s", "arrived/s", "MB/s", "p50 us",
                      "p99 us", "max us", "trips", "losses");
  for (std::size_t i = 0; i < run.rounds.size(); ++i) {
    for (const Phase phase : kPhases) {
      const PhaseRun& of_phase = run.rounds[i].of(phase);
      text += phase_line(work, i + 1, phase, of_phase);
      if (!of_phase.record.finished()) break;  // The rest of the round was not run.
    }
  }
  return text + ratio_lines(run, most);
}

}  // namespace zpost::bench::text
