#include "tools/inspect/sequence_diagram.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/story.h"
#include "zpost/protocol/kinds.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

/// Mermaid takes `;` and `#` in a message for its own.
std::string plain(const std::string& name) {
  std::string text;
  for (const char each : cli::visible_line(name)) {
    const bool is_ours = each == ';' || each == '#' || each == '"' || each == ':';
    text += is_ours ? '_' : each;
  }
  return name.empty() ? "the broker" : text;
}

class Diagram {
 public:
  void add(const TailLine& step) {
    if (first_ns_ == 0) first_ns_ = step.time_ns;
    switch (step.event) {
      case TapEvent::kReceived:
        return arrow(step, "->>", amount(step));
      case TapEvent::kFailed:
        return arrow(step, "-x", fmt::format("{} failed, {}", amount(step), outcome(step)));
      case TapEvent::kAssigned:
        return arrow(step, "->>", fmt::format("assigned, attempt {}", step.attempt));
      case TapEvent::kHeld:
        return note(step.to, fmt::format("held, {}", held_name(*step.held)), step);
      case TapEvent::kDelivered:
        return note(
            step.to,
            step.count > 1 ? fmt::format("took {}", cli::count_text(step.count)) : "took it", step);
      case TapEvent::kAnswered:
        if (step.outcome == Outcome::kNone) return;
        return note(step.from, "is told " + outcome(step), step);
      default:
        return;
    }
  }

  [[nodiscard]] std::string text(std::size_t left_out) const {
    std::string all = "sequenceDiagram\n";
    for (const std::string& name : order_) {
      all += fmt::format("  participant p{} as {}\n", numbers_.at(name), plain(name));
    }
    all += steps_;
    if (left_out > 0 && !order_.empty()) {
      all += fmt::format("  Note over p1: {} more\n", cli::counted(left_out, "step"));
    }
    return all;
  }

 private:
  [[nodiscard]] static std::string amount(const TailLine& step) {
    const std::string kind = step.kind_number == 0
                                 ? "envelope"
                                 : std::string(kind_name(static_cast<Kind>(step.kind_number)));
    if (step.count > 1) {
      return fmt::format("{}, {}", cli::counted(step.count, kind), cli::size_text(step.bytes));
    }
    return fmt::format("{} {}, {}", kind, step.first_id, cli::size_text(step.bytes));
  }

  [[nodiscard]] static std::string outcome(const TailLine& step) {
    return std::string(outcome_name(step.outcome));
  }

  [[nodiscard]] std::string since(const TailLine& step) const {
    return span_text(step.time_ns - std::min(step.time_ns, first_ns_));
  }

  std::size_t number(const std::string& name) {
    const auto [found, is_new] = numbers_.emplace(name, numbers_.size() + 1);
    if (is_new) order_.push_back(name);
    return found->second;
  }

  void arrow(const TailLine& step, std::string_view shape, const std::string& words) {
    const std::size_t from = number(step.from);
    const std::size_t to = number(step.to);
    steps_ += fmt::format("  p{}{}p{}: {} (+{})\n", from, shape, to, words, since(step));
  }

  void note(const std::string& who, const std::string& words, const TailLine& step) {
    steps_ += fmt::format("  Note over p{}: {} (+{})\n", number(who), words, since(step));
  }

  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> order_;  // As they come.
  std::string steps_;
  std::uint64_t first_ns_ = 0;
};

/// The calls of a peer to a service, and the replies that ended them.
class Calls {
 public:
  Calls(const std::vector<TapEntry>& records, const std::string& caller, const std::string& service)
      : caller_(caller) {
    for (const TapEntry& entry : records) {
      const TapRecord& record = entry.record;
      if (entry.from != caller) continue;
      if (entry.to == service && record.first_id != 0) {
        calls_.emplace(record.first_id, record.last_id);
      }
      const bool has_reply = record.event == TapEvent::kAnswered && record.last_id != 0;
      if (has_reply && is_call(record.first_id)) replies_.emplace(entry.to, record.last_id);
    }
  }

  [[nodiscard]] bool owns(const TapEntry& entry) const {
    const TapRecord& record = entry.record;
    if (record.first_id == 0) return false;
    if (entry.from == caller_) return is_call(record.first_id);
    if (entry.to != caller_) return false;
    const auto reply = replies_.lower_bound({entry.from, record.first_id});
    return reply != replies_.end() && reply->first == entry.from && reply->second <= record.last_id;
  }

 private:
  [[nodiscard]] bool is_call(std::uint64_t id) const {
    const auto after = calls_.upper_bound(id);
    return after != calls_.begin() && std::prev(after)->second >= id;
  }

  const std::string& caller_;
  std::map<std::uint64_t, std::uint64_t> calls_;             // Runs: the first id and the last.
  std::set<std::pair<std::string, std::uint64_t>> replies_;  // By worker.
};

bool is_service_mark(const std::string& name) {
  return name.starts_with(kServiceMark);
}

}  // namespace

std::vector<TailLine> steps_between(const std::vector<TapEntry>& records, const std::string& a,
                                    const std::string& b) {
  std::optional<Calls> calls;
  if (is_service_mark(b)) calls.emplace(records, a, b);
  if (!calls && is_service_mark(a)) calls.emplace(records, b, a);
  std::vector<TailLine> steps;
  for (const TapEntry& entry : records) {
    const bool theirs = (entry.from == a && entry.to == b) || (entry.from == b && entry.to == a) ||
                        (calls && calls->owns(entry));
    if (!theirs || entry.record.event == TapEvent::kMissed) continue;
    TapEntry whole = entry;
    whole.shown = {};
    whole.missed = 0;
    append_lines(whole, steps);
  }
  return steps;
}

std::vector<TailLine> steps_of_conversation(const std::vector<TapEntry>& records,
                                            std::uint64_t id) {
  std::vector<TailLine> steps;
  for (const Story& story : stories(records, id)) {
    steps.insert(steps.end(), story.steps.begin(), story.steps.end());
    for (const ReplyRef& reply : replies_of(story)) {
      for (const Story& each : stories(records, reply.id)) {
        if (each.from == reply.from) {
          steps.insert(steps.end(), each.steps.begin(), each.steps.end());
        }
      }
    }
  }
  std::ranges::stable_sort(steps, {}, &TailLine::time_ns);
  return steps;
}

std::string sequence_diagram(const std::vector<TailLine>& steps) {
  Diagram diagram;
  const std::size_t drawn = std::min(steps.size(), kMostSteps);
  for (std::size_t place = 0; place < drawn; ++place) diagram.add(steps[place]);
  return diagram.text(steps.size() - drawn);
}

}  // namespace zpost::inspect
