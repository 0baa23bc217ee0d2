// zpost-inspect why: the life of an envelope, after the fact.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/look_back.h"
#include "tools/inspect/parting.h"
#include "tools/inspect/patterns.h"
#include "tools/inspect/refusal.h"
#include "tools/inspect/story_search.h"
#include "tools/inspect/story_text.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using cli::milliseconds;

constexpr const char* kWhyFooter = R"(
Examples:
  zpost-inspect why 1767225600000000000
  zpost-inspect why --last --from alice --to bob
  zpost-inspect why --last --from alice --format json | jq -r .verdict
  zpost-inspect why 1767225600000000000 --otlp > span.json

The id is what zpost-peer and zpost-inspect tail show behind #. Nobody need have watched: the broker's
recorder has the latest of all that it did (recorder.memory), though no bodies.
Exit codes: 0 told, 1 the recorder knows no such envelope, 2 usage, 4 no broker, 5 refused, 6 no answer.)";

struct WhyOptions {
  cli::CommonOptions common;
  std::string id_text;
  std::uint64_t id = 0;
  bool last = false;
  bool spans = false;
  std::string from;
  std::string to;
};

/// Digits, perhaps with the # before them; 0: it is none.
std::uint64_t parse_id(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  std::uint64_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, id);
  return error == std::errc() && at == end ? id : 0;
}

/// One run of the verb.
class Why {
 public:
  Why(const WhyOptions& options, peer::Peer& peer) : options_(options), peer_(peer) {}

  [[nodiscard]] ExitCode run() {
    std::uint64_t id = options_.id;
    if (options_.last) {
      // A few: an older one may have failed last.
      const RecallWish wish{.from = options_.from, .to = options_.to, .latest = 8};
      const auto found = look(wish);
      if (!found) return end_;
      id = latest_id(*found);
      if (id == 0) return unknown(*found);
    }
    const auto found = look({.from = options_.from, .to = {}, .id = id});
    if (!found) return end_;
    std::vector<Story> all = stories(found->records, id);
    if (!options_.to.empty()) {
      std::erase_if(all,
                    [this](const Story& each) { return !matches_target(options_.to, each.to); });
    }
    if (all.empty()) return unknown(*found);
    for (Story& story : all) {
      if (!tell(story)) return end_;
    }
    return output_.flush() && !output_.failed() ? ExitCode::kAsWanted : ExitCode::kFailed;
  }

 private:
  static constexpr milliseconds kPatience{5000};

  [[nodiscard]] std::optional<Recalled> look(const RecallWish& wish) {
    peer::Answer<Recalled> recalled = look_back(peer_, wish, kPatience);
    if (recalled) return *std::move(recalled);
    (void)fail(recalled.error());
    return std::nullopt;
  }

  /// False, always.
  bool fail(const peer::Failure& failure) {
    cli::complain("the broker does not look back: " + cli::visible_line(failure.text));
    end_ = exit_code_of(failure);
    return false;
  }

  /// The highest of what came in; 0: nothing did.
  [[nodiscard]] static std::uint64_t latest_id(const Recalled& found) {
    std::uint64_t latest = 0;
    for (const TapEntry& entry : found.records) {
      const TapEvent event = entry.record.event;
      const bool came = event == TapEvent::kReceived || event == TapEvent::kFailed;
      if (came && !entry.from.empty()) latest = std::max(latest, entry.record.last_id);
    }
    return latest;
  }

  [[nodiscard]] ExitCode unknown(const Recalled& found) {
    std::string text = "the recorder knows no such envelope";
    if (found.oldest_ns == 0) {
      text += ": it is empty, or switched off (recorder.memory = 0)";
    } else {
      text += fmt::format(": it reaches back {}, to {}",
                          span_text(cli::wall_clock_ns() - found.oldest_ns),
                          cli::local_time_us(found.oldest_ns));
      if (found.missed > 0)
        text += fmt::format(", and missed {}", cli::counted(found.missed, "record"));
    }
    cli::complain(text);
    return ExitCode::kFailed;
  }

  /// Adds what belongs to it, and says it.
  [[nodiscard]] bool tell(Story& story) {
    const peer::Answer<Verdict> verdict = search_.complete(story);
    if (!verdict) return fail(verdict.error());
    if (options_.spans) {
      output_.put(story_spans(story, *verdict));
    } else if (options_.common.format == cli::Format::kJson) {
      output_.put(story_json(story, *verdict));
    } else {
      output_.put(story_text(story, *verdict, palette_));
    }
    return true;
  }

  const WhyOptions& options_;
  peer::Peer& peer_;
  StorySearch search_{peer_, kPatience};
  cli::Output output_;
  cli::Palette palette_{cli::wants_colour(STDOUT_FILENO)};
  ExitCode end_ = ExitCode::kAsWanted;
};

ExitCode run(WhyOptions& options, const std::string& software) {
  if (options.last == !options.id_text.empty()) {
    cli::complain(options.last ? "say an ID or --last, not both"
                               : "say which envelope: its ID, or --last");
    return ExitCode::kUsage;
  }
  options.id = parse_id(options.id_text);
  if (!options.last && options.id == 0) {
    const bool is_end = options.id_text.find("…") != std::string::npos;
    cli::complain(fmt::format(
        "\"{}\" is {}", cli::visible_line(options.id_text),
        is_end ? "only the end of an id: tail shows all of it where there are 110 columns or more"
               : "no id: it has digits only, as tail shows it"));
    return ExitCode::kUsage;
  }
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kNone;
  wanted.take = peer::TakeMode::kExplicit;
  wanted.name = cli::fresh_name("inspect");
  Result<peer::Peer, ExitCode> peer = cli::connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  const ExitCode end = Why(options, *peer).run();
  part(*peer);
  return end;
}

}  // namespace

void add_why_verb(CLI::App& app, Program& program) {
  CLI::App* const verb =
      app.add_subcommand("why", "Tell where an envelope is, or what became of it, and why");
  verb->footer(kWhyFooter);
  const auto options = std::make_shared<WhyOptions>();
  verb->add_option("id", options->id_text, "The envelope's id")->option_text("ID");
  verb->add_flag("--last", options->last, "The latest that matches --from and --to");
  verb->add_option("--from", options->from, "Its sender")
      ->check(check_name_pattern)
      ->option_text("PATTERN");
  verb->add_option("--to", options->to, "Its recipient, topic or service")
      ->check(check_target_pattern)
      ->option_text("PATTERN");
  verb->add_flag("--otlp", options->spans, "Print OpenTelemetry spans (OTLP in JSON)");
  cli::add_connection_options(*verb, options->common);
  cli::add_format_option(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
