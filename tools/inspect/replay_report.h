// What a replay says: who takes part, each difference, and the figures at its end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "peer/cli/shared/options.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/palette.h"
#include "tools/inspect/replay_cast.h"
#include "tools/inspect/replay_compare.h"

namespace zpost::inspect {

/// What a replay says of the servers it was played to.
enum class ReplayVerdict : std::uint8_t {
  kSame,       // Enough was compared, and is as recorded.
  kDifferent,  // Something is not.
  kTooLittle,  // Nothing is different, of too little that was compared.
};

/// How a replay came to its end.
enum class ReplayEnding : std::uint8_t {
  kComplete,
  kStopped,
  kSignalled,
  kBrokerLost,
  kPlayerLost
};

/// Latencies then and now, of those envelopes that have both. Bounded: the first kMost.
class LatencyPair {
 public:
  static constexpr std::size_t kMost = 1'000'000;

  void add(std::uint64_t recorded_ns, std::uint64_t now_ns);

  struct Figures {
    std::uint64_t median_ns = 0;
    std::uint64_t p99_ns = 0;
    std::uint64_t longest_ns = 0;
  };

  [[nodiscard]] Figures recorded() const { return figures_of(recorded_); }

  [[nodiscard]] Figures now() const { return figures_of(now_); }

  [[nodiscard]] bool empty() const { return now_.empty(); }

 private:
  [[nodiscard]] static Figures figures_of(std::vector<std::uint64_t> values);

  std::vector<std::uint64_t> recorded_;
  std::vector<std::uint64_t> now_;
};

/// Data goes to standard output, as text or JSON lines. Thread: one.
class ReplayReport {
 public:
  /// `least_percent`: so many of the envelopes that are wanted must have been compared; fewer are
  /// too little to say that all is as recorded.
  ReplayReport(const ReplayPlan& plan, const Cast& cast, cli::Format format,
               std::uint64_t least_percent);

  /// Who takes part: on standard error, or as JSON lines. `subscribers`: that are stood in for.
  void say_cast(std::size_t subscribers);

  /// An envelope has its end. `loop` counts from 1; 0: there is only one. Tells how it differs.
  void add(std::size_t place, std::uint64_t loop, const ReplayedEnd& now,
           const Comparison& comparison, std::uint64_t latency_ns);

  /// One was sent whose end was not waited for, or was to be sent and was not.
  void add_unfinished(std::uint64_t count) { unfinished_ += count; }

  void add_unsent(std::uint64_t count) { unsent_ += count; }

  /// By a key.
  void add_passed_over(std::uint64_t count) { passed_over_ += count; }

  /// `loops`: how often it was to be played.
  void finish(ReplayEnding ending, std::uint64_t loops);

  /// Once finish() was called.
  [[nodiscard]] ReplayVerdict verdict() const;

  [[nodiscard]] std::uint64_t different() const { return different_; }

  [[nodiscard]] std::uint64_t ended() const { return ended_; }

  /// Not all of it could be written, though somebody reads.
  [[nodiscard]] bool failed() { return !output_.flush() && output_.failed(); }

 private:
  void say_difference(std::size_t place, std::uint64_t loop, const Comparison& comparison);
  void put_line(const std::string& text, cli::Ink ink = cli::Ink::kPlain);
  void put_difference(const ReplayItem& item, std::uint64_t offset_ns, std::uint64_t loop,
                      const Comparison& comparison);
  [[nodiscard]] std::string left_out_text(const LeftOut& what) const;
  void say_figures(ReplayEnding ending);
  void say_compared();
  void say_not_sent();
  void say_latency(std::string_view what, const LatencyPair& latencies);
  void put_summary(ReplayEnding ending);

  [[nodiscard]] bool is_json() const { return format_ == cli::Format::kJson; }

  const ReplayPlan& plan_;
  const Cast& cast_;
  const cli::Format format_;
  const std::uint64_t least_percent_;
  cli::Palette palette_;
  cli::Output output_;
  std::size_t columns_ = 0;   // Of the terminal on standard output; 0: it is none.
  std::uint64_t loops_ = 1;   // That were wanted.
  std::uint64_t wanted_ = 0;  // Envelopes of the recording, in all loops.
  std::uint64_t ended_ = 0;
  std::uint64_t compared_ = 0;  // In all that the recording tells of them.
  std::uint64_t different_ = 0;
  std::uint64_t unfinished_ = 0;
  std::uint64_t unsent_ = 0;
  std::uint64_t passed_over_ = 0;
  std::map<std::string, std::uint64_t> not_compared_;  // Reasons, as comparisons word them.
  LatencyPair exchanges_;
  LatencyPair sends_;
};

}  // namespace zpost::inspect
