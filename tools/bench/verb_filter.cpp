#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "protocol/filter/filter.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kFilterExamples = R"(
One thread judges records of 64 senders in turn, as the broker's tap does. Without FILTER some filters
of headers and of bodies are measured.

Examples:
  zpost-bench filter
  zpost-bench filter 'from = "lab-*" and size > 4KiB' --seconds 2

Exit codes: 0 measured; 2 usage.
)";

// With a bit of everything that headers have, and the bodies of issue and page.
constexpr const char* kFilters[] = {
    "from = peer-7",
    "from = \"peer-*\" and not kind = publish and size > 4KiB",
    "outcome in (full, over-credit, no-peer) or event = held or id < 5 or peer ~ x",
    "body.temp > 30 and from = \"peer-*\"",
    "body ~ nothing",
};

struct FilterOptions {
  std::string filter;
  double seconds = 1;
};

/// Records of one envelope each, with names and sizes of many kinds and a body of JSON.
class Records {
 public:
  static constexpr std::size_t kCount = 64;

  Records() {
    for (std::size_t i = 0; i < kCount; ++i) names_.push_back(fmt::format("peer-{}", i));
    bodies_.reserve(kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      bodies_.push_back(fmt::format(R"({{"lab": "north", "temp": {}, "ok": true}})", i));
      ShownEnvelope envelope;
      envelope.body = as_bytes(bodies_.back());
      envelope.size = 64 * i;
      envelopes_.push_back(envelope);
    }
    for (std::size_t i = 0; i < kCount; ++i) subjects_.push_back(subject(i));
  }

  [[nodiscard]] const std::vector<filter::Subject>& subjects() const { return subjects_; }

 private:
  [[nodiscard]] filter::Subject subject(std::size_t i) const {
    return {.from = names_[i],
            .to = names_[(i + 1) % kCount],
            .kind_number = static_cast<std::uint8_t>(16 + i % 4),
            .first_id = 1000 + i,
            .last_id = 1000 + i,
            .count = 1,
            .bytes = 64 * i,
            .envelope = &envelopes_[i]};
  }

  std::vector<std::string> names_;
  std::vector<std::string> bodies_;
  std::vector<ShownEnvelope> envelopes_;
  std::vector<filter::Subject> subjects_;
};

void measure(const filter::Filter& filter, const std::string& text, const Records& records,
             std::chrono::duration<double> time) {
  constexpr std::uint64_t kRounds = 64;  // Between two looks at the clock.
  std::uint64_t judged = 0;
  std::uint64_t wanted = 0;
  const Clock::time_point begin = Clock::now();
  std::chrono::duration<double> passed{};
  while (passed < time) {
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      for (const filter::Subject& subject : records.subjects()) {
        wanted += filter.wants(subject) ? 1 : 0;
      }
    }
    judged += kRounds * Records::kCount;
    passed = Clock::now() - begin;
  }
  const auto count = static_cast<double>(judged);
  fmt::print("{:>10.2f} million/s  {:>7.1f} ns  {:>5.1f} % wanted  {}\n",
             count / passed.count() / 1e6, passed.count() * 1e9 / count,
             100 * static_cast<double>(wanted) / count, text);
}

ExitCode run(const FilterOptions& options) {
  const Records records;
  std::vector<std::string> texts(std::begin(kFilters), std::end(kFilters));
  if (!options.filter.empty()) texts = {options.filter};
  for (const std::string& text : texts) {
    const auto filter = filter::Filter::compile(text);
    if (!filter) {
      fmt::print(stderr, "zpost-bench: the filter is wrong at {}\n",
                 filter.error().with_caret(text));
      return ExitCode::kUsage;
    }
    measure(*filter, text, records, std::chrono::duration<double>(options.seconds));
  }
  return ExitCode::kAsWanted;
}

}  // namespace

void add_filter_verb(CLI::App& app, ExitCode& exit_code) {
  auto* const verb = app.add_subcommand("filter", "How many records a second a filter judges");
  const auto options = std::make_shared<FilterOptions>();
  verb->add_option("FILTER", options->filter, "In the filter language (docs/filter.md)")
      ->option_text(" ");
  verb->add_option("--seconds", options->seconds, "For each filter (default 1)")
      ->check(CLI::Range(0.01, 600.0))
      ->option_text("SECONDS");
  verb->footer(kFilterExamples);
  verb->callback([&exit_code, options] { exit_code = run(*options); });
}

}  // namespace zpost::bench
