#include "peer/cli/send_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {

SendReport::SendReport(Format format, bool numbered, Sinks sinks)
    : format_(format), numbered_(numbered), sinks_(std::move(sinks)) {}

void SendReport::sent(std::uint64_t first, std::uint64_t count, std::uint64_t line) {
  if (!spans_.empty()) {
    Span& last = spans_.back();
    if (last.first + last.count == first && last.line + last.count == line) {
      last.count += count;
      return;
    }
  }
  spans_.push_back({first, count, line});
}

std::optional<std::uint64_t> SendReport::line_of(std::uint64_t id) const {
  const auto above = std::ranges::upper_bound(spans_, id, {}, &Span::first);
  if (above == spans_.begin()) return std::nullopt;
  const Span& span = *std::prev(above);
  if (id - span.first >= span.count) return std::nullopt;
  return span.line + (id - span.first);
}

void SendReport::settled(const peer::OutcomeReport& report) {
  const bool success = is_success(report.outcome);
  const std::optional<std::uint64_t> line = numbered_ ? line_of(report.id) : std::nullopt;
  if (format_ == Format::kJson) {
    Json json{{"id", json_id(report.id)}, {"to", report.to}};
    if (line) json["line"] = *line;
    json["outcome"] = outcome_name(report.outcome);
    if (report.count) json["queues"] = *report.count;
    if (!success) json["text"] = reason_text(report.outcome, report.to, report.text);
    sinks_.data(to_line(json));
  } else if (report.count) {
    sinks_.data(fmt::format("{}\n", *report.count));
  }
  if (success) return;
  if (++failures_ > kNamedFailures) {
    ++unnamed_[report.outcome];
    return;
  }
  sinks_.message(subject(line) + outcome_text(report.outcome, report.to, report.text));
}

void SendReport::too_large(std::uint64_t line, const std::string& text) {
  const std::string_view outcome = outcome_name(Outcome::kTooLarge);
  if (format_ == Format::kJson) {
    Json json = Json::object();
    if (numbered_) json["line"] = line;
    json["outcome"] = outcome;
    json["text"] = text;
    sinks_.data(to_line(json));
  }
  if (++failures_ > kNamedFailures) {
    ++unnamed_[Outcome::kTooLarge];
    return;
  }
  sinks_.message(fmt::format("{}{}: {}", subject(line), outcome, text));
}

std::string SendReport::subject(std::optional<std::uint64_t> line) const {
  return numbered_ && line ? fmt::format("line {} not delivered: ", *line) : "not delivered: ";
}

void SendReport::finish() {
  for (const auto& [outcome, count] : unnamed_) {
    sinks_.message(
        fmt::format("{} more not delivered: {}", count_text(count), outcome_name(outcome)));
  }
}

}  // namespace zpost::cli
