#include "tools/inspect/replay_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/envelope_columns.h"
#include "tools/inspect/story.h"
#include "tools/inspect/terminal_lines.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

using cli::Ink;
using cli::Json;

constexpr std::size_t kMostNamed = 10;  // Of what is not sent, in text.

std::string target_text(const ReplayItem& item) {
  return cli::visible_line(item.kind == Kind::kCall ? kServiceMark + item.to : item.to);
}

std::string role_text(const Role& role) {
  std::string text(part_name(role.part));
  if (role.name != role.recorded) text += " as " + role.name;
  switch (role.part) {
    case Part::kPlayed:
      text += ": sends " + cli::counted(role.sends, "envelope");
      break;
    case Part::kStoodIn:
      if (role.workers.empty()) break;
      text += fmt::format(" by {} of the recording", cli::counted(role.workers.size(), "worker"));
      break;
    case Part::kReal:
      break;
    case Part::kAbsent:
      text += fmt::format(": {} to it will fail", cli::counted(role.is_sent, "envelope"));
      break;
  }
  return text;
}

std::string_view ending_name(ReplayEnding ending) {
  switch (ending) {
    case ReplayEnding::kComplete:
      return "complete";
    case ReplayEnding::kStopped:
      return "stopped";
    case ReplayEnding::kSignalled:
      return "signalled";
    case ReplayEnding::kBrokerLost:
      return "broker-lost";
    case ReplayEnding::kPlayerLost:
      return "player-lost";
  }
  return "";
}

std::string_view ending_text(ReplayEnding ending) {
  switch (ending) {
    case ReplayEnding::kComplete:
      return "all of it was played";
    case ReplayEnding::kStopped:
      return "it was ended by a key";
    case ReplayEnding::kSignalled:
      return "it was ended by a signal";
    case ReplayEnding::kBrokerLost:
      return "the broker was lost";
    case ReplayEnding::kPlayerLost:
      return "a peer that came again could not be played";
  }
  return "";
}

std::string_view verdict_name(ReplayVerdict verdict) {
  switch (verdict) {
    case ReplayVerdict::kSame:
      return "same";
    case ReplayVerdict::kDifferent:
      return "different";
    case ReplayVerdict::kTooLittle:
      return "too-little";
  }
  return "";
}

Ink verdict_ink(ReplayVerdict verdict) {
  switch (verdict) {
    case ReplayVerdict::kSame:
      return Ink::kGreen;
    case ReplayVerdict::kDifferent:
      return Ink::kRed;
    case ReplayVerdict::kTooLittle:
      return Ink::kYellow;
  }
  return Ink::kPlain;
}

/// Ids and names whole where there is no terminal.
constexpr std::size_t kNoTerminal = 10'000;

/// `alice → bob` and what is known of it, the names shortened to what that leaves them.
std::string with_way(const std::string& from, const std::string& to, const std::string& rest,
                     std::size_t columns) {
  const std::size_t room = columns - std::min(columns, cli::columns_of(rest) + 1);
  return way_text(who(from), who(to), room) + " " + rest;
}

Json figures_json(const LatencyPair::Figures& figures) {
  return {
      {"p50_ns", figures.median_ns}, {"p99_ns", figures.p99_ns}, {"max_ns", figures.longest_ns}};
}

}  // namespace

void LatencyPair::add(std::uint64_t recorded_ns, std::uint64_t now_ns) {
  if (now_.size() >= kMost) return;
  recorded_.push_back(recorded_ns);
  now_.push_back(now_ns);
}

LatencyPair::Figures LatencyPair::figures_of(std::vector<std::uint64_t> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto at = [&values](std::size_t percent) {
    return values[(values.size() * percent + 99) / 100 - 1];
  };
  return {at(50), at(99), values.back()};
}

ReplayReport::ReplayReport(const ReplayPlan& plan, const Cast& cast, cli::Format format,
                           std::uint64_t least_percent)
    : plan_(plan),
      cast_(cast),
      format_(format),
      least_percent_(least_percent),
      palette_(cli::wants_colour(STDOUT_FILENO)),
      columns_(output_columns(0)) {}

void ReplayReport::say_cast(std::size_t subscribers) {
  constexpr std::size_t kIndent = 4;
  const std::size_t screen = cli::terminal_columns();
  std::size_t columns = 0;
  for (const auto& [recorded, role] : cast_.roles) columns = std::max(columns, recorded.size());
  if (screen > 0) columns = std::min(columns, std::max(screen / 3, kWayColumns));
  for (const auto& [recorded, role] : cast_.roles) {
    if (!is_json()) {
      const std::string name = cli::padded(cli::shortened(recorded, columns), columns);
      cli::note(folded(fmt::format("  {}  {}", name, role_text(role)), screen, kIndent));
      continue;
    }
    Json json{{"type", "peer"},      {"recorded", recorded},
              {"name", role.name},   {"part", part_name(role.part)},
              {"sends", role.sends}, {"is_sent", role.is_sent}};
    if (!role.workers.empty()) json["workers"] = role.workers;
    output_.put(cli::to_line(json));
  }
  if (subscribers > 0 && is_json()) {
    output_.put(cli::to_line(
        {{"type", "subscribers"}, {"part", part_name(Part::kStoodIn)}, {"count", subscribers}}));
  } else if (subscribers > 0) {
    cli::note(
        folded(fmt::format("  {}  stood in for, as many as took each publish: by {}",
                           cli::padded("subscribers", columns), cli::counted(subscribers, "peer")),
               screen, kIndent));
  }
  (void)output_.flush();
}

void ReplayReport::add(std::size_t place, std::uint64_t loop, const ReplayedEnd& now,
                       const Comparison& comparison, std::uint64_t latency_ns) {
  ++ended_;
  const ReplayItem& item = plan_.items[place];
  if (comparison.not_compared.empty() || !comparison.differences.empty()) ++compared_;
  if (!comparison.not_compared.empty()) ++not_compared_[comparison.not_compared];
  if (!comparison.differences.empty()) {
    ++different_;
    say_difference(place, loop, comparison);
  }
  if (item.outcome == Outcome::kDelivered && now.outcome == Outcome::kDelivered &&
      item.kind != Kind::kPublish) {
    LatencyPair& latencies = item.is_exchange() ? exchanges_ : sends_;
    latencies.add(item.end_ns - std::min(item.end_ns, item.time_ns), latency_ns);
  }
}

void ReplayReport::say_difference(std::size_t place, std::uint64_t loop,
                                  const Comparison& comparison) {
  const ReplayItem& item = plan_.items[place];
  const std::uint64_t offset = item.time_ns - std::min(item.time_ns, plan_.begin_ns);
  if (is_json()) {
    Json json{{"type", "difference"},          {"kind", kind_name(item.kind)},
              {"from", plan_.sender_of(item)}, {"to", target_text(item)},
              {"id", cli::json_id(item.id)},   {"offset_ns", offset}};
    if (loop > 0) json["loop"] = loop;
    Json list = Json::array();
    for (const ReplayDifference& each : comparison.differences) {
      list.push_back({{"what", each.what}, {"recorded", each.recorded}, {"now", each.now}});
    }
    json["differences"] = std::move(list);
    output_.put(cli::to_line(json));
  } else {
    put_difference(item, offset, loop, comparison);
  }
  (void)output_.flush();
}

void ReplayReport::put_difference(const ReplayItem& item, std::uint64_t offset_ns,
                                  std::uint64_t loop, const Comparison& comparison) {
  const std::size_t screen = columns_ == 0 ? kNoTerminal : columns_;
  const std::string rest = fmt::format("{} #{}, {} into the recording{}", kind_name(item.kind),
                                       short_id(item.id, screen), span_text(offset_ns),
                                       loop > 0 ? fmt::format(", loop {}", loop) : "");
  put_line(with_way(plan_.sender_of(item), target_text(item), rest, screen), Ink::kBold);
  std::size_t columns = 0;
  for (const ReplayDifference& each : comparison.differences) {
    columns = std::max(columns, cli::columns_of(each.what));
  }
  columns = std::min(columns, screen / 3);
  const auto put = [&](const std::string& what, std::string_view when, const std::string& value,
                       Ink ink) {
    const std::string before =
        fmt::format("  {}  {}  ", cli::padded(cli::shortened(what, columns), columns), when);
    const std::size_t indent = cli::columns_of(before);
    const std::size_t room = screen - std::min(screen, indent);
    output_.put(before);
    std::size_t lines = 0;
    for (const std::string& line : wrapped(value, std::max(room, kLeastBodyColumns))) {
      output_.put((lines++ == 0 ? "" : std::string(indent, ' ')) + palette_.paint(ink, line) +
                  "\n");
    }
    if (lines == 0) output_.put("\n");
  };
  for (const ReplayDifference& each : comparison.differences) {
    put(each.what, "recorded", each.recorded, Ink::kGreen);
    put("", "now     ", each.now, Ink::kRed);
  }
}

void ReplayReport::put_line(const std::string& text, Ink ink) {
  output_.put(palette_.paint(ink, folded(text, columns_)) + "\n");
}

std::string ReplayReport::left_out_text(const LeftOut& what) const {
  const std::size_t screen = columns_ == 0 ? kNoTerminal : columns_;
  std::string rest = fmt::format("{} #{}", kind_name(static_cast<Kind>(what.kind_number)),
                                 short_id(what.id, screen));
  if (what.count > 1) rest += fmt::format("… ×{}", cli::count_text(what.count));
  return "  " + with_way(what.from, what.to, rest, screen - 2);
}

ReplayVerdict ReplayReport::verdict() const {
  if (different_ > 0) return ReplayVerdict::kDifferent;
  const auto share = static_cast<double>(compared_) * 100;
  const bool is_enough =
      compared_ > 0 && share >= static_cast<double>(wanted_) * static_cast<double>(least_percent_);
  return is_enough ? ReplayVerdict::kSame : ReplayVerdict::kTooLittle;
}

void ReplayReport::finish(ReplayEnding ending, std::uint64_t loops) {
  loops_ = loops;
  // What is left to real senders is in the plan's items, and among what is not sent.
  const auto left = plan_.not_sent.find(NotSent::kReal);
  const std::uint64_t twice = left == plan_.not_sent.end() ? 0 : left->second;
  wanted_ = (plan_.items.size() - twice + plan_.left_out_count()) * loops;
  if (is_json()) {
    for (const LeftOut& each : plan_.left_out) {
      output_.put(cli::to_line({{"type", "not-sent"},
                                {"why", not_sent_text(each.why)},
                                {"kind", kind_name(static_cast<Kind>(each.kind_number))},
                                {"from", each.from},
                                {"to", each.to},
                                {"id", cli::json_id(each.id)},
                                {"count", each.count}}));
    }
    put_summary(ending);
  } else {
    say_figures(ending);
    say_not_sent();
    say_latency("requests", exchanges_);
    say_latency("sends", sends_);
  }
  (void)output_.flush();
}

void ReplayReport::say_figures(ReplayEnding ending) {
  if (ending != ReplayEnding::kComplete) {
    put_line(fmt::format("not complete: {}", ending_text(ending)), Ink::kYellow);
  }
  put_line(fmt::format("{} replayed{}, {} different", cli::counted(ended_, "envelope"),
                       loops_ > 1 ? fmt::format(" in {}", cli::counted(loops_, "loop")) : "",
                       different_ == 0 ? "none" : cli::count_text(different_)),
           verdict_ink(verdict()));
  say_compared();
  for (const auto& [why, count] : not_compared_) {
    put_line(fmt::format("{} not compared, or not all: {}", cli::count_text(count), why));
  }
  if (unfinished_ > 0) {
    put_line(fmt::format("{} sent and not waited for", cli::count_text(unfinished_)));
  }
  if (passed_over_ > 0) put_line(fmt::format("{} passed over", cli::count_text(passed_over_)));
  if (unsent_ > 0) put_line(fmt::format("{} not sent any more", cli::count_text(unsent_)));
}

/// Only where it is not all of it: nobody should take that for granted.
void ReplayReport::say_compared() {
  if (compared_ == wanted_) return;
  const bool is_little = verdict() == ReplayVerdict::kTooLittle;
  put_line(fmt::format("{} of {} compared{}", compared_ == 0 ? "none" : cli::count_text(compared_),
                       cli::counted(wanted_, "envelope"),
                       is_little ? ": too little to say that all is as recorded" : ""),
           Ink::kYellow);
}

void ReplayReport::say_not_sent() {
  for (const auto& [why, count] : plan_.not_sent) {
    put_line(fmt::format("{} not sent{}: {}", cli::count_text(count * loops_),
                         loops_ > 1 ? fmt::format(", {} a loop", cli::count_text(count)) : "",
                         not_sent_text(why)));
    std::size_t named = 0;
    for (const LeftOut& each : plan_.left_out) {
      if (each.why != why) continue;
      if (named++ == kMostNamed) {
        output_.put("  …\n");
        break;
      }
      output_.put(left_out_text(each) + "\n");
    }
  }
}

void ReplayReport::say_latency(std::string_view what, const LatencyPair& latencies) {
  if (latencies.empty()) return;
  const LatencyPair::Figures then = latencies.recorded();
  const LatencyPair::Figures now = latencies.now();
  put_line(
      fmt::format("latency of {}, recorded → now: median {} → {}, p99 {} → {}, longest {} → {}",
                  what, span_text(then.median_ns), span_text(now.median_ns), span_text(then.p99_ns),
                  span_text(now.p99_ns), span_text(then.longest_ns), span_text(now.longest_ns)));
}

void ReplayReport::put_summary(ReplayEnding ending) {
  Json not_compared = Json::object();
  for (const auto& [why, count] : not_compared_) not_compared[why] = count;
  Json not_sent = Json::object();
  for (const auto& [why, count] : plan_.not_sent) {
    not_sent[std::string(not_sent_text(why))] = count * loops_;
  }
  Json latency = Json::object();
  const auto put = [&latency](const char* what, const LatencyPair& pair) {
    if (pair.empty()) return;
    latency[what] = {{"recorded", figures_json(pair.recorded())},
                     {"now", figures_json(pair.now())}};
  };
  put("requests", exchanges_);
  put("sends", sends_);
  output_.put(cli::to_line({{"type", "summary"},
                            {"end", ending_name(ending)},
                            {"verdict", verdict_name(verdict())},
                            {"loops", loops_},
                            {"wanted", wanted_},
                            {"replayed", ended_},
                            {"compared", compared_},
                            {"different", different_},
                            {"unfinished", unfinished_},
                            {"passed_over", passed_over_},
                            {"unsent", unsent_},
                            {"not_compared", std::move(not_compared)},
                            {"not_sent", std::move(not_sent)},
                            {"missed", plan_.missed},
                            {"latency", std::move(latency)}}));
}

}  // namespace zpost::inspect
