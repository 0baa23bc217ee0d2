// zpost-inspect diff: what two captures tell differently.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <optional>

#include "peer/cli/shared/options.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/palette.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/capture_diff.h"
#include "tools/inspect/capture_merge.h"
#include "tools/inspect/diff_text.h"
#include "tools/inspect/tap_options.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;

// As diff and cmp have them.
constexpr ExitCode kSame = ExitCode::kAsWanted;
constexpr ExitCode kDifferent = ExitCode::kFailed;
constexpr ExitCode kTrouble = ExitCode::kUsage;
static_assert(static_cast<int>(kDifferent) == 1 && static_cast<int>(kTrouble) == 2);

constexpr const char* kDiffFooter = R"(
Examples:
  zpost-inspect diff before.pcapng after.pcapng
  zpost-inspect diff before.pcapng after.jsonl.gz --ignore-field body.time --ignore-field 'body.*.id'
  zpost-inspect diff a.pcapng b.pcapng --filter 'kind = request and to = oracle'
  zpost-inspect diff a.pcapng b.pcapng --json | jq 'select(.difference == "changed")'

Envelopes find each other by sender and id if any is in both captures, which are then of one run of a
broker; otherwise within each stream (from, to, kind) by their order and bodies. Compared are bodies
(as values, if they are JSON or MessagePack), content type, what became of it, and the order; latencies
are shown, and are no difference. The filter is put to the first record of an envelope.
Bounded: at most 500,000 envelopes and 256 MiB of bodies of each capture. docs/diff.md has more.
Exit codes: 0 the same, 1 different, 2 trouble: a file is damaged, too large, or cannot be
opened, or neither has anything to compare.)";

struct DiffOptions {
  std::string first;
  std::string second;
  TapWish wish;
  std::set<TapEvent> events;
  std::optional<filter::Filter> filter;  // As in the wish.
  BodyRules bodies;
  std::optional<DiffPairing> pairing;
  std::uint64_t count = 100;
  bool json = false;
};

/// False: it was said what is wrong.
bool load(const std::string& path, DiffSide& side) {
  CaptureMerge file(CaptureMerge::OnDamage::kStop,
                    [](const std::string& what) { cli::complain(what); });
  if (const auto opened = file.open({path}); !opened) {
    cli::complain(opened.error().text);
    return false;
  }
  while (const CaptureReader* const record = file.next()) {
    if (const auto added = side.add(record->entry(), record->is_redacted()); !added) {
      cli::complain(path + ": " + added.error().text);
      return false;
    }
  }
  return file.damages() == 0;
}

void say_missed(const std::string& path, const DiffSide& side) {
  if (side.missed() == 0) return;
  cli::complain(fmt::format("{} misses {}: what is only in the other may have been there, too",
                            path, cli::counted(side.missed(), "record")));
}

ExitCode run(const DiffOptions& options) {
  DiffSide first(LineChoice(options.wish, options.events, options.filter));
  DiffSide second(LineChoice(options.wish, options.events, options.filter));
  if (!load(options.first, first) || !load(options.second, second)) return kTrouble;
  if (first.envelopes() == 0 && second.envelopes() == 0) {
    cli::complain("neither has an envelope that was asked for: nothing was compared");
    return kTrouble;
  }
  cli::Output output;
  const cli::Palette palette(cli::wants_colour(STDOUT_FILENO));
  const std::array<const DiffSide*, 2> sides{&first, &second};
  const std::size_t columns = way_columns(sides);
  std::uint64_t told = 0;
  const auto tell = [&](const Difference& difference) {
    if (++told > options.count) return;
    output.put(options.json ? difference_json(difference)
                            : difference_text(difference, columns, palette));
  };
  const DiffPairing pairing = options.pairing.value_or(pairing_of(first, second));
  CaptureDiff diff(pairing, options.bodies, tell);
  const std::vector<DiffOverview> streams = diff.run(first, second);
  if (told > options.count && !options.json) {
    output.put(fmt::format("… {} more; --count N shows more\n",
                           cli::counted(told - options.count, "difference")));
  }
  if (told > 0 && !options.json) output.put("\n");
  output.put(options.json ? overview_json(streams, pairing, first.missed(), second.missed())
                          : overview_text(streams, pairing, columns, palette));
  say_missed(options.first, first);
  say_missed(options.second, second);
  (void)output.flush();
  if (output.failed()) return kTrouble;
  return told == 0 ? kSame : kDifferent;
}

}  // namespace

void add_diff_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("diff", "Compare two captures");
  verb->footer(kDiffFooter);
  const auto options = std::make_shared<DiffOptions>();
  verb->add_option("A", options->first, "A capture, pcapng or JSON lines")
      ->required()
      ->option_text(" ");
  verb->add_option("B", options->second, "The one it is compared with")
      ->required()
      ->option_text(" ");
  add_choice_of_records(*verb, options->wish, options->events, &options->filter);
  verb->add_option_function<std::vector<std::string>>(
          "--ignore-field",
          [options](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              if (!options->bodies.ignore(text)) {
                throw CLI::ValidationError(
                    "--ignore-field",
                    fmt::format("\"{}\" is no path such as body.time", cli::visible_line(text)));
              }
            }
          },
          "This field of bodies may differ (repeatable); * is any key, arrays are passed through; "
          "body: "
          "all of it")
      ->allow_extra_args(false)
      ->option_text("PATH");
  cli::add_choice_option(
      *verb, "--pair-by", {"id", "order"},
      [options](std::size_t place) { options->pairing = static_cast<DiffPairing>(place); },
      "How envelopes find each other (default: by id, if any is in both)");
  cli::add_count_option(*verb, "--count", options->count,
                        "List at most so many differences (default 100); all are counted");
  verb->add_flag("--json", options->json, "One object for each difference, stream, and for all");
  verb->callback([options, &program] { program.end = run(*options); });
}

}  // namespace zpost::inspect
