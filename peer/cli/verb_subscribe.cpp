// zpost-peer subscribe: prints what is published to topics.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "peer/cli/received.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/refusals.h"
#include "peer/cli/shared/session_watch.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/shown_values.h"
#include "peer/cli/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kSubscribeFooter = R"(
Examples:
  zpost-peer subscribe 'lab/**'
  zpost-peer subscribe 'lab/*/temperature' alerts --format json
  zpost-peer subscribe --count 1 --timeout 5s lab/oven/state
  zpost-peer subscribe --retained 'lab/**'
  zpost-peer subscribe --policy block --not-own 'build/**'

In a pattern * stands for one segment of the topic and a final ** for all the rest. The values kept of
matching topics come first, once however many patterns match, marked as retained; with --retained they
are all, and the end. When more waits than limits.topic_queue of the broker, drop-oldest drops (and
says how many), block makes publishers wait, disconnect ends this subscriber.
With --retained the broker is asked anew when the session began anew or something was dropped.
Exit codes: 0 as wanted or ended by a signal, 3 the broker does not take a pattern or (with
--retained) keeps no value, or dropped some of them each time, 4 no broker, 5 refused, 6 nothing
came for --timeout, and nothing before or less than --count.)";

struct Options {
  CommonOptions common;
  std::vector<std::string> patterns;
  peer::SubscribeOptions how;
  std::uint64_t count = 0;  // 0: without end.
  std::optional<milliseconds> timeout;
  bool raw = false;
  bool only_retained = false;
};

std::string check_topic_pattern(const std::string& text) {
  if (is_topic_pattern(text)) return "";
  return fmt::format("\"{}\" is not a pattern: a topic whose segments may be *, the last one **",
                     visible_line(text));
}

/// What is left of a session when the next one begins.
struct Progress {
  Output output;
  ShownValues values;
  std::uint64_t shown = 0;
  unsigned gaps = 0;  // Sessions that ended since something was dropped.
};

/// One session of the verb.
class Subscribing {
 public:
  Subscribing(const Options& options, peer::Peer& peer, Progress& progress)
      : options_(options),
        peer_(peer),
        progress_(progress),
        stop_(peer),
        watch_(peer, [this] { peer_.interrupt(); }),
        no_(peer),
        palette_(wants_colour(STDOUT_FILENO)),
        unanswered_(options.patterns.size()) {}

  /// Nothing: it is to be done again, by another session.
  [[nodiscard]] std::optional<ExitCode> run() {
    subscribe();
    peer::Batch batch;
    while (wanted() > 0 && !is_over()) {
      if (!peer_.receive_batch(batch, time_left(), wanted())) {
        if (time_left() <= milliseconds(0)) break;
        continue;  // The broker answered.
      }
      came_ = Clock::now();
      for (const EnvelopeView& view : batch.envelopes()) take(view);
      if (!progress_.output.flush()) {
        nobody_reads_ = true;
        break;
      }
    }
    if (const std::string text = no_.dropped_text(); !text.empty()) complain(text);
    const bool again = !nobody_reads_ && starts_over();
    const ExitCode code = again ? ExitCode::kAsWanted : end();
    peer_.close(milliseconds(1000));
    return again ? std::nullopt : std::optional(code);
  }

 private:
  void subscribe() {
    peer_.on_outcome([this](const peer::OutcomeReport& report) {
      if (is_success(report.outcome)) {
        kept_ += report.count.value_or(0);
        --unanswered_;
      } else {
        complain(
            fmt::format("{}: {}", report.to, outcome_text(report.outcome, report.to, report.text)));
        refused_ = true;
      }
      peer_.interrupt();
    });
    for (const std::string& pattern : options_.patterns) {
      // Patterns were checked; a peer that is over by now is noticed below.
      (void)peer_.subscribe(pattern, options_.how);
    }
  }

  using Clock = std::chrono::steady_clock;

  // How often the broker may drop some of the values before that is said.
  static constexpr unsigned kMostGaps = 3;

  /// How long nothing may come any more.
  [[nodiscard]] milliseconds time_left() const {
    if (!options_.timeout) return peer::kForever;
    const auto waited = std::chrono::duration_cast<milliseconds>(Clock::now() - came_);
    return std::max(*options_.timeout - waited, milliseconds(0));
  }

  [[nodiscard]] bool is_over() const {
    return has_all() || starts_over() || gave_up() || stop_.asked() || refused_ || watch_.is_over();
  }

  [[nodiscard]] bool has_all() const {
    if (!options_.only_retained || has_gap_ || watch_.fresh_sessions() > 0) return false;
    return unanswered_ == 0 && retained_ >= kept_;
  }

  /// The values that were to come do not, or how many do is not known: the library subscribes anew
  /// by itself, but only the first answer says how many there are.
  [[nodiscard]] bool starts_over() const {
    if (!options_.only_retained || has_all() || stop_.asked() || refused_) return false;
    if (watch_.is_over()) return false;
    return watch_.fresh_sessions() > 0 || (has_gap_ && !gave_up());
  }

  [[nodiscard]] bool gave_up() const { return has_gap_ && progress_.gaps >= kMostGaps; }

  [[nodiscard]] std::size_t wanted() const {
    return options_.count == 0 ? SIZE_MAX : options_.count - progress_.shown;
  }

  void take(const EnvelopeView& view) {
    if (view.kind() == Kind::kPublish) return take_publish(view);
    if (view.kind() == Kind::kGap) {
      take_gap(peer::gap_of(view));
    } else if (view.kind() == Kind::kRequest) {
      (void)no_.say_no(view.from, view.id, peer_.name() + " only subscribes");
    } else {
      complain(fmt::format("ignored an envelope from {}: this only subscribes",
                           visible_line(view.from)));
    }
    peer_.add_demand(1);  // It was none of those that --count means.
  }

  void take_publish(const EnvelopeView& view) {
    const Received envelope = received(view);
    if (envelope.retained) ++retained_;
    const bool is_wanted =
        envelope.retained ? progress_.values.is_new(view.to, view.bytes) : !options_.only_retained;
    if (is_wanted) return show(envelope);
    peer_.add_demand(1);
  }

  /// Of news or of values: nobody says.
  void take_gap(std::uint64_t count) {
    if (!options_.only_retained) return show_gap(count);
    if (!std::exchange(has_gap_, true)) ++progress_.gaps;
  }

  void show(const Received& envelope) {
    ++progress_.shown;
    if (options_.raw) return progress_.output.put(received_raw(envelope));
    if (options_.common.format == Format::kJson)
      return progress_.output.put(received_json(envelope));
    progress_.output.put(received_text(envelope, palette_, wall_clock_ns()));
  }

  void show_gap(std::uint64_t count) {
    if (options_.common.format == Format::kJson) return progress_.output.put(gap_json(count));
    complain(gap_text(count));
  }

  [[nodiscard]] ExitCode end() const {
    if (progress_.output.failed()) return ExitCode::kFailed;
    if (watch_.is_over()) return ExitCode::kRefused;
    if (refused_) return ExitCode::kNotDelivered;
    if (gave_up() && !stop_.asked()) {
      complain("this is not all: the broker dropped some of it, since this subscriber is too slow");
      return ExitCode::kNotDelivered;
    }
    if (has_all() && progress_.shown == 0) {
      complain("the broker keeps no value of such a topic");
      return ExitCode::kNotDelivered;
    }
    const std::uint64_t shown = progress_.shown;
    const bool too_few = options_.count == 0 ? shown == 0 : shown < options_.count;
    if (stop_.asked() || !options_.timeout || !too_few || nobody_reads_) return ExitCode::kAsWanted;
    complain(too_few_text(shown, "envelope", *options_.timeout, options_.count));
    return ExitCode::kTimedOut;
  }

  const Options& options_;
  peer::Peer& peer_;
  Progress& progress_;
  StopSignals stop_;
  SessionWatch watch_;
  Refusals no_;
  Palette palette_;
  Clock::time_point came_ = Clock::now();  // When anything came last.
  std::uint64_t retained_ = 0;             // Values that came, some of them twice.
  std::atomic<std::uint64_t> unanswered_;  // Patterns that the broker has not taken yet.
  std::atomic<std::uint64_t> kept_ = 0;    // Values it said would come.
  std::atomic<bool> refused_ = false;
  bool has_gap_ = false;  // With --retained.
  bool nobody_reads_ = false;
};

ExitCode run(const Options& options, const std::string& software) {
  Progress progress;
  for (bool is_first = true;; is_first = false) {
    peer::Options wanted;
    wanted.software = software;
    wanted.demand = options.count == 0 ? 0 : options.count - progress.shown;
    wanted.outcomes = peer::OutcomeReports::kAll;
    Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
    if (!peer) return peer.error();
    const bool has_fresh_name = options.common.name.empty();
    if (is_first && has_fresh_name) note(fmt::format("subscribing as {}", peer->name()));
    const std::optional<ExitCode> code = Subscribing(options, *peer, progress).run();
    if (code) return *code;
  }
}

/// Of a pattern that is said twice only one answer comes.
void drop_repeated(std::vector<std::string>& patterns) {
  std::set<std::string> seen;
  std::erase_if(patterns, [&](const std::string& each) { return !seen.insert(each).second; });
}

void add_policy_option(CLI::App& verb, SlowPolicy& policy) {
  static constexpr std::array kPolicies{SlowPolicy::kDropOldest, SlowPolicy::kBlock,
                                        SlowPolicy::kDisconnect};
  add_choice_option(
      verb, "--policy", {"drop-oldest", "block", "disconnect"},
      [&policy](std::size_t place) { policy = kPolicies.at(place); },
      "When this is too slow: drop-oldest (default), block, disconnect")
      ->option_text("POLICY");
}

}  // namespace

void add_subscribe_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("subscribe", "Print what is published to topics");
  verb->footer(kSubscribeFooter);
  const auto options = std::make_shared<Options>();
  const auto timeout = std::make_shared<milliseconds>();
  verb->add_option("PATTERN", options->patterns, "Topics, or patterns of topics")
      ->required()
      ->check(check_topic_pattern)
      ->option_text("...");
  add_policy_option(*verb, options->how.policy);
  verb->add_flag("--not-own", options->how.excludes_own, "Not what this name publishes itself");
  CLI::Option* const without = verb->add_flag_callback(
      "--no-retained", [options] { options->how.retained = false; },
      "Not the values kept of topics");
  verb->add_flag("--retained", options->only_retained, "Only the values kept of topics, then end")
      ->excludes(without);
  add_count_option(*verb, "--count", options->count, "End after so many");
  CLI::Option* const timed =
      add_duration_option(*verb, "--timeout", *timeout, "End when nothing came for so long");
  CLI::Option* const raw = verb->add_flag("--raw", options->raw,
                                          "Only the bodies, as they are; a line feed after texts");
  add_connection_options(*verb, options->common);
  add_display_option(*verb, options->common);
  add_format_option(*verb, options->common);
  raw->excludes(verb->get_option("--format"));
  verb->callback([options, timeout, timed, &program] {
    if (timed->count() > 0) options->timeout = *timeout;
    drop_repeated(options->patterns);
    program.end = run(*options, program.software);
  });
}

}  // namespace zpost::cli
