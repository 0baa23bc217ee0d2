// zpost-inspect replay: a capture again, into a live broker, and what is different.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/capture_merge.h"
#include "tools/inspect/filter_option.h"
#include "tools/inspect/patterns.h"
#include "tools/inspect/replay_run.h"
#include "tools/inspect/story.h"
#include "tools/inspect/terminal_lines.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using cli::milliseconds;

constexpr const char* kReplayFooter = R"(
Examples:
  zpost-inspect replay trace.pcapng
  zpost-inspect replay trace.pcapng 'from = "lab-*" and size < 4KiB'
  zpost-inspect replay trace.pcapng --requests --speed max --ignore-field body.time
  zpost-inspect replay trace.pcapng --rename 'alice=alice2' --redirect bob=bob-new
  zpost-inspect replay trace.pcapng --stand-in --rename '*=replay-*'
  zpost-inspect replay trace.pcapng --start 10s --end 20s --loop 100 --speed 5
  zpost-inspect replay trace.pcapng --step

Every recorded sender is played by a peer of its own. A peer of the recording that is at the broker is
real: it gets what it got then, and what it sent is left to it. Whoever is not there is absent, and what
is sent to it fails; with --stand-in it is stood in for, by a peer that answers as it answered then, and
so are subscribers, by their number. Those that are played come, go and cancel as they did.
What becomes of each envelope is compared with the recording. Envelopes whose whole body the capture
does not have are counted and not sent. docs/replay.md says more.
Exit codes: 0 as recorded, 1 something is different, 2 it could not be done (usage, a file that cannot
be read, no broker, or it was lost), 3 nothing is different, but less than half (--at-least) of what is
wanted was compared, 130 and 143 ended by a signal.)";

// As diff has them, and one more.
constexpr ExitCode kPlayedSame = ExitCode::kAsWanted;
constexpr ExitCode kPlayedDifferent = ExitCode::kFailed;
constexpr ExitCode kNotPlayed = ExitCode::kUsage;
constexpr ExitCode kTooLittle = ExitCode{3};

struct ReplayOptions {
  cli::CommonOptions common;
  std::string file;
  std::string filter;
  ReplayChoice choice;
  CastRules rules;
  ReplayManner manner;
  std::uint64_t least_percent = 50;  // Of the envelopes, to be compared.
  milliseconds start{0};
  std::optional<milliseconds> end;
};

std::uint64_t in_ns(milliseconds time) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

/// Nothing: the file cannot be read to its end, which was said.
std::optional<ReplayPlan> read_plan(ReplayOptions& options) {
  options.choice.start_ns = in_ns(options.start);
  if (options.end) options.choice.end_ns = in_ns(*options.end);
  PlanBuilder builder(options.choice);
  CaptureMerge file(CaptureMerge::OnDamage::kStop,
                    [](const std::string& what) { cli::complain(what); });
  if (const Result<void> opened = file.open({options.file}); !opened) {
    cli::complain(opened.error().text);
    return std::nullopt;
  }
  while (const CaptureReader* const next = file.next()) {
    if (const Result<void> added = builder.add(next->entry(), next->is_redacted()); !added) {
      cli::complain(added.error().text);
      return std::nullopt;
    }
  }
  if (file.damages() > 0) {
    cli::note("zpost-inspect read --repair -w FILE keeps what can be read");
    return std::nullopt;
  }
  return builder.finish();
}

std::optional<LivePeers> live_peers(peer::Peer& conductor) {
  constexpr milliseconds kPatience{5000};
  const auto who = conductor.who(kPatience);
  if (!who) {
    cli::complain("the broker does not say who is there: " + cli::visible_line(who.error().text));
    return std::nullopt;
  }
  LivePeers live;
  for (const peer::Peer::PeerInfo& each : *who) {
    // Whoever is away may never come back; if it does, it is refused or refuses us.
    if (each.state != "active") continue;
    live.peers.insert(each.name);
    live.services.insert(each.offers.begin(), each.offers.end());
  }
  return live;
}

std::string speed_text(const ReplayManner& manner) {
  if (manner.step) return "step by step";
  if (manner.speed == 0) return "as fast as they are taken";
  return manner.speed == 1 ? "at the recorded speed"
                           : fmt::format("{:g} times as fast", manner.speed);
}

/// On standard error, in lines that fit there.
void note_folded(std::string_view text) {
  cli::note(folded(text, cli::terminal_columns()));
}

void say_plan(const ReplayPlan& plan, const Cast& cast, const ReplayOptions& options,
              const std::string& endpoint) {
  const std::uint64_t span = plan.items.empty()
                                 ? 0
                                 : plan.items.back().time_ns - std::min(plan.items.front().time_ns,
                                                                        plan.items.back().time_ns);
  const std::uint64_t loops = options.manner.loops;
  note_folded(fmt::format("replaying {} of {}{} into {}, {}; Ctrl-C ends",
                          cli::counted(cast.sent_count(), "envelope"), span_text(span),
                          loops > 1 ? fmt::format(", {} times,", cli::count_text(loops)) : "",
                          endpoint, speed_text(options.manner)));
  if (plan.missed > 0) {
    cli::complain(fmt::format("the capture misses {}: what they told is not replayed",
                              cli::counted(plan.missed, "record")));
  }
}

ExitCode exit_code(ReplayVerdict verdict) {
  switch (verdict) {
    case ReplayVerdict::kSame:
      return kPlayedSame;
    case ReplayVerdict::kDifferent:
      return kPlayedDifferent;
    case ReplayVerdict::kTooLittle:
      return kTooLittle;
  }
  return kNotPlayed;
}

ExitCode exit_code(ReplayEnding ending, ReplayReport& report, int signal) {
  const bool is_lost = ending == ReplayEnding::kBrokerLost || ending == ReplayEnding::kPlayerLost;
  if (is_lost || report.failed()) return kNotPlayed;
  if (ending == ReplayEnding::kSignalled) return cli::interrupted_by(signal);
  return exit_code(report.verdict());
}

ExitCode play(const ReplayOptions& options, ReplayPlan& plan, const Cast& cast,
              peer::Peer& conductor, const peer::Options& wanted) {
  const cli::StopSignals stop(conductor);
  ReplayReport report(plan, cast, options.common.format, options.least_percent);
  say_plan(plan, cast, options, conductor.endpoint());
  ReplayAudience audience(conductor);
  if (options.manner.stand_in && !audience.open(plan, cast.is_sent, wanted)) return kNotPlayed;
  report.say_cast(audience.size());
  ReplayInbox inbox;
  ReplayPlayers players(inbox);
  if (!players.open(cast, plan.presences, wanted)) return kNotPlayed;
  std::unique_ptr<ReplayKeyboard> keyboard = options.file == "-" ? nullptr : ReplayKeyboard::open();
  if (options.manner.step && keyboard == nullptr) {
    cli::complain("--step takes its keys from a terminal on standard input, and there is none");
    return kNotPlayed;
  }
  if (options.manner.step) note_folded(kReplayKeys);
  ReplayRun run(plan, cast, options.manner, {players, audience}, report);
  const ReplayEnding ending = run.run(inbox, stop, keyboard.get());
  keyboard.reset();
  players.close();
  audience.close();
  report.finish(ending, options.manner.loops);
  return exit_code(ending, report, stop.signal());
}

/// There is nothing to be sent: what was left out, and why.
ExitCode say_nothing(const ReplayPlan& plan, const ReplayOptions& options) {
  if (plan.left_out_count() == 0) {
    cli::complain("the capture has nothing that can be replayed and is wanted");
    return kNotPlayed;
  }
  const Cast nobody;
  ReplayReport report(plan, nobody, options.common.format, options.least_percent);
  report.finish(ReplayEnding::kComplete, options.manner.loops);
  cli::complain("nothing of what is wanted can be replayed");
  return report.failed() ? kNotPlayed : kTooLittle;
}

ExitCode run(ReplayOptions& options, const std::string& software) {
  if (!compile_filter(options.filter, options.choice.filter)) return kNotPlayed;
  std::optional<ReplayPlan> plan = read_plan(options);
  if (!plan) return kNotPlayed;
  if (plan->items.empty()) return say_nothing(*plan, options);
  peer::Options wanted;
  wanted.software = software;
  wanted.name = cli::fresh_name("replay");
  Result<peer::Peer, ExitCode> conductor = cli::connect(options.common, wanted);
  if (!conductor) return kNotPlayed;
  const std::optional<LivePeers> live = live_peers(*conductor);
  if (!live) return kNotPlayed;
  const Result<Cast> cast = make_cast(*plan, *live, options.rules);
  if (!cast) {
    cli::complain(cast.error().text);
    return kNotPlayed;
  }
  wanted.endpoint = options.common.endpoint;
  return play(options, *plan, *cast, *conductor, wanted);
}

// ---- Options
// ---------------------------------------------------------------------------------------

/// 0: as fast as possible.
double speed_of(const std::string& text) {
  constexpr double kMost = 1e6;
  if (text == "max") return 0;
  std::size_t end = 0;
  double speed = 0;
  try {
    speed = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  if (end != text.size() || !(speed > 0) || speed > kMost) {
    throw CLI::ValidationError("--speed",
                               "\"" + cli::visible_line(text) +
                                   "\" is neither a number above 0, at most a million, nor max");
  }
  return speed;
}

/// Adds a repeatable option of one word each.
void add_words(CLI::App& verb, const std::string& name,
               const std::function<std::string(const std::string&)>& take, const std::string& what,
               const std::string& form) {
  verb.add_option_function<std::vector<std::string>>(
          name,
          [name, take](const std::vector<std::string>& words) {
            for (const std::string& word : words) {
              const std::string wrong = take(word);
              if (!wrong.empty()) throw CLI::ValidationError(name, wrong);
            }
          },
          what + " (repeatable)")
      ->allow_extra_args(false)
      ->option_text(form);
}

std::string trouble_of(const Result<void>& done) {
  return done ? "" : done.error().text;
}

void add_choice(CLI::App& verb, ReplayOptions& options) {
  verb.add_option("FILTER", options.filter,
                  "Only what it says, such as 'from = \"lab-*\" and size > 4KiB'; docs/filter.md")
      ->option_text(" ");
  verb.add_option("--from", options.choice.from, "Only what such a peer sent")
      ->check(check_name_pattern)
      ->option_text("PATTERN");
  verb.add_option("--to", options.choice.to, "Only what was sent to such a peer, topic or service")
      ->check(check_target_pattern)
      ->option_text("PATTERN");
  verb.add_flag("--requests", options.choice.requests_only, "Only requests and calls");
  cli::add_duration_option(verb, "--start", options.start, "From so far into the recording on");
  cli::add_duration_option(verb, "--end", options.end.emplace(0),
                           "Up to so far into the recording");
  cli::add_count_option(verb, "--limit", options.choice.limit, "At most so many envelopes");
}

void add_cast(CLI::App& verb, ReplayOptions& options) {
  add_words(
      verb, "--rename",
      [&options](const std::string& word) { return trouble_of(options.rules.renames.add(word)); },
      "Play OLD as NEW; * stands for any end of a name: '*=replay-*'", "OLD=NEW");
  add_words(
      verb, "--redirect",
      [&options](const std::string& word) {
        return trouble_of(options.rules.redirections.add(word));
      },
      "What went to the peer, @service or topic OLD goes to NEW", "OLD=NEW");
  verb.add_flag("--stand-in", options.rules.stand_in,
                "Play those as well who are not at the broker and were sent something: they answer "
                "as they answered then");
}

void add_manner(CLI::App& verb, ReplayOptions& options) {
  verb.add_option_function<std::string>(
          "--speed", [&options](const std::string& text) { options.manner.speed = speed_of(text); },
          "Times the recorded speed (default 1), or max: as fast as they are taken")
      ->option_text("N|max");
  cli::add_count_option(verb, "--loop", options.manner.loops, "So many times, one after the other");
  verb.add_flag("--step", options.manner.step,
                "Wait for a key before each: space for the next one, ? for the others");
}

void add_comparison(CLI::App& verb, ReplayOptions& options) {
  cli::add_duration_option(verb, "--timeout", options.manner.timeout,
                           "How long a reply may take (default: the recorded deadline, or 10s)");
  add_words(
      verb, "--ignore-field",
      [&options](const std::string& word) {
        return options.manner.bodies.ignore(word)
                   ? std::string()
                   : "\"" + cli::visible_line(word) + "\" is no path of a field such as body.time";
      },
      "Do not compare this field of replies, such as body.time; * is any key; body: nothing of "
      "them",
      "PATH");
  verb.add_option("--at-least", options.least_percent,
                  "How many percent of what is wanted must have been compared for exit code 0 "
                  "(default 50)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100}))
      ->option_text("PERCENT");
  verb.add_flag("--values", options.manner.bodies.by_value,
                "Compare JSON and msgpack by their values, not by their bytes");
}

}  // namespace

void add_replay_verb(CLI::App& app, Program& program) {
  CLI::App* const verb =
      app.add_subcommand("replay", "Send a capture again and compare what becomes of it");
  verb->footer(kReplayFooter);
  const auto options = std::make_shared<ReplayOptions>();
  verb->add_option("FILE", options->file, "A capture file; - is standard input")
      ->required()
      ->option_text(" ");
  add_choice(*verb, *options);
  add_cast(*verb, *options);
  add_manner(*verb, *options);
  add_comparison(*verb, *options);
  cli::add_connection_options(*verb, options->common);
  cli::add_format_option(*verb, options->common);
  verb->callback([options, &program] {
    if (options->end == milliseconds(0)) options->end.reset();
    options->manner.stand_in = options->rules.stand_in;
    program.end = run(*options, program.software);
  });
}

}  // namespace zpost::inspect
