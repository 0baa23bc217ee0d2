#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "tools/bench/compare.h"
#include "tools/bench/options.h"
#include "tools/bench/progress.h"
#include "tools/bench/report_json.h"
#include "tools/bench/report_text.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

constexpr const char* kCompareExamples = R"(
Examples:
  zpost-bench compare
  zpost-bench compare --with nats,router-hwm1000 --work 64B-1p,1KiB-4p --rounds 5
  zpost-bench compare --work rtt-64B --reference tcp-relay
  zpost-bench compare --seconds 5 --skip-noisy --format json
  zpost-bench compare --with zpost-singles,nats --work 64B-fan1000,64B-calls8

Work is named by its size and who takes part. In the table of pairs and round trips 64B-4p is 64
bytes each from 4 senders to 4 receivers, rtt-64B there and back. In the table of topics and
services 64B-fan100 is one publisher to 100 subscribers (every delivery counts), 64B-topics4 is 4
publishers on 250 topics each, every one to a subscriber with a wildcard, and 64B-calls8 is a
service and 8 callers with 64 calls in flight each, whose answers may come in any order. A system
that cannot do a work is left out of it. The aims are zpost's, as ratios to NATS, and met or missed
by the median.

Each round gives each piece of work to each system once, on a fresh server, so that all meet the
same conditions; a ratio is that of two runs of one round. A run during which other processes
used more than 0.2 cores is noisy.

Exit codes: 0 all arrived once, in order and intact, everywhere, whatever the aims; 2 usage; 3 something did not;
4 a server or client failed; 6 a run timed out.

)";

struct CompareOptions {
  std::vector<std::string> with;  // Empty: all that are available.
  std::vector<std::string> work = default_work();
  std::string reference;  // Empty: NATS if it takes part, otherwise the first.
  QuotaOptions quota;
  ComparePlan plan;
  Format format = Format::kText;
};

std::vector<const System*> available_systems(const Systems& systems) {
  std::vector<const System*> available;
  for (const auto& system : systems) {
    if (const auto reason = system->unavailable()) {
      fmt::print(stderr, "skipped: {}: {}\n", system->name(), *reason);
    } else {
      available.push_back(system.get());
    }
  }
  return available;
}

std::vector<const System*> choose_systems(const Systems& systems, const CompareOptions& options) {
  if (options.with.empty()) return available_systems(systems);
  std::vector<const System*> chosen;
  for (const std::string& name : options.with) chosen.push_back(&find_system(systems, name));
  return chosen;
}

const System* choose_reference(const std::vector<const System*>& systems,
                               const std::string& wanted) {
  const std::string_view name = wanted.empty() ? "nats" : std::string_view(wanted);
  const auto found = std::ranges::find(systems, name, &System::name);
  if (found != systems.end()) return *found;
  if (wanted.empty()) return systems.front();
  throw CLI::ValidationError(fmt::format("the reference {} does not take part", wanted));
}

std::vector<WorkItem> parse_work(const std::vector<std::string>& names) {
  std::vector<WorkItem> work;
  for (const std::string& name : names) {
    const auto item = parse_work_item(name);
    if (!item) {
      throw CLI::ValidationError(
          fmt::format("'{}' is no work; use names such as 64B-1p, rtt-64B or 64B-fan100", name));
    }
    work.push_back(*item);
  }
  return work;
}

bool anybody_can_do_anything(const ComparePlan& plan) {
  return std::ranges::any_of(plan.work, [&](const WorkItem& work) {
    return std::ranges::any_of(
        plan.systems, [&](const System* system) { return system->measures(work.measure); });
  });
}

ComparePlan make_plan(const Systems& systems, const CompareOptions& options) {
  ComparePlan plan = options.plan;
  plan.systems = choose_systems(systems, options);
  if (plan.systems.empty()) throw CLI::ValidationError("no system is available");
  plan.reference = choose_reference(plan.systems, options.reference);
  plan.work = parse_work(options.work);
  if (!anybody_can_do_anything(plan)) {
    throw CLI::ValidationError("none of these systems can do any of this work");
  }
  plan.quota = options.quota.quota();
  return plan;
}

void print_table(const ComparePlan& plan, Table table, const std::vector<CompareRun>& runs) {
  std::string text;
  for (const WorkItem& work : plan.work) {
    if (table_of(work) != table) continue;
    text += text::compare_rows(plan, work, summarize(plan, work, runs));
  }
  if (!text.empty()) fmt::print("{}{}", text::compare_table(table), text);
}

ExitCode run(const Systems& systems, const CompareOptions& options) {
  const ComparePlan plan = make_plan(systems, options);
  const bool as_json = options.format == Format::kJson;
  const Progress progress;
  ExitCode exit_code = ExitCode::kAsWanted;
  const CompareObserver observer{
      .before =
          [&](std::uint32_t round, const WorkItem& work, const System& system) {
            progress.show(fmt::format("round {} of {}: {} on {}", round, plan.rounds, work.name,
                                      system.name()));
          },
      .after =
          [&](const CompareRun& run) {
            progress.clear();
            fmt::print("{}", as_json ? json::compare_run(run) : text::compare_run(run));
            std::fflush(stdout);
            exit_code = worse(exit_code, exit_code_for(run.record(), run.flawless()));
          }};

  const std::vector<CompareRun> runs = compare(plan, observer);
  if (as_json) {
    for (const WorkItem& work : plan.work) {
      fmt::print("{}", json::compare_rows(plan, work, summarize(plan, work, runs)));
    }
  } else {
    for (const Table table : {Table::kPairs, Table::kTopics}) print_table(plan, table, runs);
  }
  return exit_code;
}

void add_plan_options(CLI::App& verb, ComparePlan& plan) {
  verb.add_option("--rounds", plan.rounds, "How often each system does each work (default 3)")
      ->check(CLI::Range(1, 1'000))
      ->option_text("N");
  verb.add_option("--round-trips", plan.round_trips, "Of each latency run (default 5000)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000}))
      ->option_text("N");
  verb.add_flag("--skip-noisy", plan.skip_noisy, "Leave noisy runs out of medians and ratios");
  add_timeout_option(verb, plan.timeout);
}

}  // namespace

void add_compare_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code) {
  auto* const verb =
      app.add_subcommand("compare", "The same work on several systems, side by side");
  const auto options = std::make_shared<CompareOptions>();
  verb->add_option("--with", options->with, "Systems to compare (default: all that are available)")
      ->delimiter(',')
      ->option_text("NAME,...");
  verb->add_option("--work", options->work, "What to do, see above (default: all of both tables)")
      ->delimiter(',')
      ->option_text("WORK,...");
  verb->add_option("--reference", options->reference,
                   "Whose figures are 1.00x (default nats, or the first)")
      ->option_text("NAME");
  add_quota_options(*verb, options->quota);
  add_plan_options(*verb, options->plan);
  add_format_option(*verb, options->format);
  verb->footer(kCompareExamples + describe_systems(systems));
  verb->callback([&systems, &exit_code, options] { exit_code = run(systems, *options); });
}

}  // namespace zpost::bench
