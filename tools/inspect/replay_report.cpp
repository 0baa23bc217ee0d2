#include "tools/inspect/replay_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/story.h"
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

std::string left_out_text(const LeftOut& what) {
  std::string text =
      fmt::format("{} → {} {} #{}", cli::visible_line(what.from), cli::visible_line(what.to),
                  kind_name(static_cast<Kind>(what.kind_number)), what.id);
  if (what.count > 1) text += fmt::format("… ×{}", cli::count_text(what.count));
  return text;
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
      palette_(cli::wants_colour(STDOUT_FILENO)) {}

void ReplayReport::say_cast(std::size_t subscribers) {
  std::size_t columns = 0;
  for (const auto& [recorded, role] : cast_.roles) columns = std::max(columns, recorded.size());
  for (const auto& [recorded, role] : cast_.roles) {
    if (!is_json()) {
      cli::note(fmt::format("  {}  {}", cli::padded(recorded, columns), role_text(role)));
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
    cli::note(fmt::format("  {}  stood in for, as many as took each publish: by {}",
                          cli::padded("subscribers", columns), cli::counted(subscribers, "peer")));
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
    output_.put(palette_.paint(
        Ink::kBold, fmt::format("{} → {} {} #{}, {} into the recording{}\n",
                                cli::visible_line(plan_.sender_of(item)), target_text(item),
                                kind_name(item.kind), item.id, span_text(offset),
                                loop > 0 ? fmt::format(", loop {}", loop) : "")));
    std::size_t columns = 0;
    for (const ReplayDifference& each : comparison.differences) {
      columns = std::max(columns, cli::columns_of(each.what));
    }
    for (const ReplayDifference& each : comparison.differences) {
      output_.put(fmt::format("  {}  recorded  {}\n", cli::padded(each.what, columns),
                              palette_.paint(Ink::kGreen, each.recorded)));
      output_.put(fmt::format("  {}  now       {}\n", std::string(columns, ' '),
                              palette_.paint(Ink::kRed, each.now)));
    }
  }
  (void)output_.flush();
}

ReplayVerdict ReplayReport::verdict() const {
  if (different_ > 0) return ReplayVerdict::kDifferent;
  const auto share = static_cast<double>(compared_) * 100;
  const bool is_enough =
      compared_ > 0 && share >= static_cast<double>(wanted_) * static_cast<double>(least_percent_);
  return is_enough ? ReplayVerdict::kSame : ReplayVerdict::kTooLittle;
}

void ReplayReport::finish(ReplayEnding ending, std::uint64_t loops) {
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
    output_.put(
        palette_.paint(Ink::kYellow, fmt::format("not complete: {}\n", ending_text(ending))));
  }
  const std::string verdict =
      fmt::format("{}, {} different", cli::counted(ended_, "envelope") + " replayed",
                  different_ == 0 ? "none" : cli::count_text(different_));
  const Ink ink = verdict_ink(this->verdict());
  output_.put(palette_.paint(ink, verdict) + "\n");
  say_compared();
  for (const auto& [why, count] : not_compared_) {
    output_.put(fmt::format("{} not compared, or not all: {}\n", cli::count_text(count), why));
  }
  if (unfinished_ > 0) {
    output_.put(fmt::format("{} sent and not waited for\n", cli::count_text(unfinished_)));
  }
  if (unsent_ > 0) output_.put(fmt::format("{} not sent any more\n", cli::count_text(unsent_)));
}

/// Only where it is not all of it: nobody should take that for granted.
void ReplayReport::say_compared() {
  if (compared_ == wanted_) return;
  const bool is_little = verdict() == ReplayVerdict::kTooLittle;
  output_.put(palette_.paint(
      Ink::kYellow,
      fmt::format("{} of {} compared{}\n", compared_ == 0 ? "none" : cli::count_text(compared_),
                  cli::counted(wanted_, "envelope"),
                  is_little ? ": too little to say that all is as recorded" : "")));
}

void ReplayReport::say_not_sent() {
  for (const auto& [why, count] : plan_.not_sent) {
    output_.put(fmt::format("{} not sent: {}\n", cli::count_text(count), not_sent_text(why)));
    std::size_t named = 0;
    for (const LeftOut& each : plan_.left_out) {
      if (each.why != why) continue;
      if (named++ == kMostNamed) {
        output_.put("  …\n");
        break;
      }
      output_.put(fmt::format("  {}\n", left_out_text(each)));
    }
  }
}

void ReplayReport::say_latency(std::string_view what, const LatencyPair& latencies) {
  if (latencies.empty()) return;
  const LatencyPair::Figures then = latencies.recorded();
  const LatencyPair::Figures now = latencies.now();
  output_.put(
      fmt::format("latency of {}, recorded → now: median {} → {}, p99 {} → {}, longest {} → {}\n",
                  what, span_text(then.median_ns), span_text(now.median_ns), span_text(then.p99_ns),
                  span_text(now.p99_ns), span_text(then.longest_ns), span_text(now.longest_ns)));
}

void ReplayReport::put_summary(ReplayEnding ending) {
  Json not_compared = Json::object();
  for (const auto& [why, count] : not_compared_) not_compared[why] = count;
  Json not_sent = Json::object();
  for (const auto& [why, count] : plan_.not_sent) not_sent[std::string(not_sent_text(why))] = count;
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
                            {"wanted", wanted_},
                            {"replayed", ended_},
                            {"compared", compared_},
                            {"different", different_},
                            {"unfinished", unfinished_},
                            {"unsent", unsent_},
                            {"not_compared", std::move(not_compared)},
                            {"not_sent", std::move(not_sent)},
                            {"missed", plan_.missed},
                            {"latency", std::move(latency)}}));
}

}  // namespace zpost::inspect
