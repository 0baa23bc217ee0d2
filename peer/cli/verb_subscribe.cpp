// zpost-peer subscribe: prints what is published to topics.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <map>
#include <memory>
#include <optional>

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
#include "peer/cli/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-peer subscribe 'lab/**'
  zpost-peer subscribe 'lab/*/temperature' alerts --format json
  zpost-peer subscribe --count 1 --timeout 5s lab/oven/state
  zpost-peer subscribe --retained 'lab/**'
  zpost-peer subscribe --policy block --not-own 'build/**'

In a pattern * stands for one segment of the topic and a final ** for all the rest. The values kept of
matching topics come first, marked as retained; with --retained they are all, and the end. When more waits than limits.topic_queue of the broker,
drop-oldest drops (and says how many), block makes publishers wait, disconnect ends this subscriber.
Exit codes: 0 as wanted or ended by a signal, 3 the broker does not take a pattern or (with
--retained) keeps no value, 4 no broker, 5 refused, 6 less than --count in time.)";

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

/// One run of the verb.
class Subscribing {
 public:
  Subscribing(const Options& options, peer::Peer& peer)
      : options_(options),
        peer_(peer),
        stop_(peer),
        watch_(peer),
        no_(peer),
        palette_(wants_colour(STDOUT_FILENO)),
        unanswered_(options.patterns.size()) {}

  [[nodiscard]] ExitCode run() {
    subscribe();
    const milliseconds timeout = options_.timeout.value_or(peer::kForever);
    peer::Batch batch;
    while (wanted() > 0 && !is_over()) {
      if (!peer_.receive_batch(batch, timeout, wanted())) {
        if (answered_.exchange(false)) continue;
        break;
      }
      for (const EnvelopeView& view : batch.envelopes()) take(view);
      if (!output_.flush()) {
        nobody_reads_ = true;
        break;
      }
    }
    if (const std::string text = no_.dropped_text(); !text.empty()) complain(text);
    const ExitCode code = end();
    peer_.close(milliseconds(1000));
    return code;
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
      answered_ = true;
      peer_.interrupt();
    });
    for (const std::string& pattern : options_.patterns) {
      // Patterns were checked; a peer that is over by now is noticed below.
      (void)peer_.subscribe(pattern, options_.how);
    }
  }

  [[nodiscard]] bool is_over() const {
    const bool has_all = options_.only_retained && unanswered_ == 0 && retained_ >= kept_;
    return has_all || stop_.asked() || refused_ || watch_.is_over();
  }

  [[nodiscard]] std::size_t wanted() const {
    return options_.count == 0 ? SIZE_MAX : options_.count - shown_;
  }

  void take(const EnvelopeView& view) {
    if (view.kind() == Kind::kPublish) return take_publish(received(view));
    if (view.kind() == Kind::kGap) {
      retained_ += peer::gap_of(view);
      show_gap(peer::gap_of(view));
    } else if (view.kind() == Kind::kRequest) {
      (void)no_.say_no(view.from, view.id, peer_.name() + " only subscribes");
    } else {
      complain(fmt::format("ignored an envelope from {}: this only subscribes",
                           visible_line(view.from)));
    }
    peer_.add_demand(1);  // It was none of those that --count means.
  }

  void take_publish(const Received& envelope) {
    if (envelope.retained) ++retained_;
    if (envelope.retained || !options_.only_retained) return show(envelope);
    peer_.add_demand(1);
  }

  void show(const Received& envelope) {
    ++shown_;
    if (options_.raw) return output_.put(received_raw(envelope));
    if (options_.common.format == Format::kJson) return output_.put(received_json(envelope));
    output_.put(received_text(envelope, palette_, wall_clock_ns()));
  }

  void show_gap(std::uint64_t count) {
    if (options_.common.format == Format::kJson) return output_.put(gap_json(count));
    complain(gap_text(count));
  }

  [[nodiscard]] ExitCode end() const {
    if (output_.failed()) return ExitCode::kFailed;
    if (watch_.is_over()) return ExitCode::kRefused;
    if (refused_) return ExitCode::kNotDelivered;
    if (options_.only_retained && shown_ == 0 && unanswered_ == 0) {
      complain("the broker keeps no value of such a topic");
      return ExitCode::kNotDelivered;
    }
    const bool too_few = options_.count == 0 ? shown_ == 0 : shown_ < options_.count;
    if (stop_.asked() || !options_.timeout || !too_few || nobody_reads_) return ExitCode::kAsWanted;
    complain(too_few_text(counted(shown_, "envelope"), *options_.timeout, options_.count));
    return ExitCode::kTimedOut;
  }

  const Options& options_;
  peer::Peer& peer_;
  StopSignals stop_;
  SessionWatch watch_;
  Refusals no_;
  Palette palette_;
  Output output_;
  std::uint64_t shown_ = 0;
  std::uint64_t retained_ = 0;             // Values that came, or were dropped.
  std::atomic<std::uint64_t> unanswered_;  // Patterns that the broker has not taken yet.
  std::atomic<std::uint64_t> kept_ = 0;    // Values it said would come.
  std::atomic<bool> answered_ = false;     // That is why nothing was received.
  std::atomic<bool> refused_ = false;
  bool nobody_reads_ = false;
};

ExitCode run(const Options& options, const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  wanted.demand = options.count;
  wanted.outcomes = peer::OutcomeReports::kAll;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  if (options.common.name.empty()) note(fmt::format("subscribing as {}", peer->name()));
  return Subscribing(options, *peer).run();
}

void add_policy_option(CLI::App& verb, SlowPolicy& policy) {
  const std::map<std::string, SlowPolicy> names{{"drop-oldest", SlowPolicy::kDropOldest},
                                                {"block", SlowPolicy::kBlock},
                                                {"disconnect", SlowPolicy::kDisconnect}};
  verb.add_option("--policy", policy,
                  "When this is too slow: drop-oldest (default), block, disconnect")
      ->transform(CLI::CheckedTransformer(names))
      ->option_text("POLICY");
}

}  // namespace

void add_subscribe_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("subscribe", "Print what is published to topics");
  verb->footer(kFooter);
  const auto options = std::make_shared<Options>();
  const auto timeout = std::make_shared<milliseconds>();
  verb->add_option("PATTERN", options->patterns, "Topics, or patterns of topics")
      ->required()
      ->check(check_topic_pattern)
      ->option_text("...");
  add_policy_option(*verb, options->how.policy);
  verb->add_flag("--not-own", options->how.excludes_own, "Not what this name publishes itself");
  CLI::Option* const without =
      verb->add_flag("!--no-retained", options->how.retained, "Not the values kept of topics");
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
    program.end = run(*options, program.software);
  });
}

}  // namespace zpost::cli
