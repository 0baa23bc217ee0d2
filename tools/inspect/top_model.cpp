#include "tools/inspect/top_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/doctor_checks.h"
#include "zpost/protocol/kinds.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

using peer::Peer;

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::size_t kBacklogs = 6;         // The broker is asked once a second.
constexpr std::uint64_t kDeepQueue = 1'000;  // Envelopes.
constexpr std::uint64_t kLeastGrowing = 10;  // Fewer are no news.
constexpr std::uint64_t kRecently = 10 * kNsPerSecond;
constexpr std::uint64_t kGoneAfter = 60 * kNsPerSecond;

/// What is known of a table's row when its name is: of services the mark is no part of it.
std::string_view target_name(const TailLine& line) {
  std::string_view name = line.to;
  if (name.starts_with(kServiceMark)) name.remove_prefix(1);
  return name;
}

TopTab tab_of(std::uint8_t kind_number) {
  return static_cast<Kind>(kind_number) == Kind::kPublish ? TopTab::kTopics : TopTab::kServices;
}

bool has_target(const TailLine& line) {
  const auto kind = static_cast<Kind>(line.kind_number);
  return kind == Kind::kPublish || kind == Kind::kCall;
}

bool grows(const std::deque<std::uint64_t>& backlog) {
  return backlog.size() == kBacklogs && backlog.back() >= kLeastGrowing &&
         backlog.back() > backlog.front() && std::ranges::is_sorted(backlog);
}

/// The busiest first, as many as a table has room for.
std::vector<const Peer::PeerInfo*> busiest(const std::vector<Peer::PeerInfo>& peers) {
  std::vector<const Peer::PeerInfo*> chosen;
  chosen.reserve(peers.size());
  for (const Peer::PeerInfo& each : peers) chosen.push_back(&each);
  if (chosen.size() <= TopModel::kMaxRows) return chosen;
  const auto activity = [](const Peer::PeerInfo* each) {
    return each->queued + each->unacked + each->sent_rate + each->received_rate;
  };
  std::ranges::nth_element(chosen, chosen.begin() + TopModel::kMaxRows, std::ranges::greater{},
                           activity);
  chosen.resize(TopModel::kMaxRows);
  return chosen;
}

}  // namespace

std::string slowness(const TopRow& row, std::uint64_t now_ns) {
  if (row.dropped_ns != 0 && now_ns < row.dropped_ns + kRecently) {
    return fmt::format("too slow for what it subscribes to: {} dropped",
                       cli::counted(row.dropped, "copy"));
  }
  if (row.queued >= kDeepQueue) {
    return fmt::format("{} wait for it, {}", cli::counted(row.queued, "envelope"),
                       cli::size_text(row.queued_bytes));
  }
  if (row.standing_ns != 0 && row.standing_ns + kStandstillNs <= now_ns) {
    return fmt::format("takes nothing, since {}", cli::age(row.standing_ns, now_ns));
  }
  if (grows(row.backlog)) {
    return fmt::format("what it has not taken grows: {} by now",
                       cli::counted(row.backlog.back(), "envelope"));
  }
  return "";
}

void TopModel::learn(const TailLine& line) {
  if (line.event != TapEvent::kReceived || !has_target(line)) return;
  if (targets_.size() >= kMaxSenders && !targets_.contains(line.from)) targets_.clear();
  std::deque<Target>& known = targets_[line.from];
  if (known.size() >= kMaxTargets) known.pop_front();
  const std::uint64_t step = line.count > 1 ? (line.last_id - line.first_id) / (line.count - 1) : 0;
  known.push_back(
      {line.first_id, line.last_id, step, line.kind_number, std::string(target_name(line))});
}

TopRow* TopModel::target_of(const TailLine& line, TopTab tab) {
  const auto known = targets_.find(line.from);
  if (known == targets_.end()) return nullptr;
  const auto has = [id = line.first_id](const Target& each) {
    if (id < each.first || id > each.last) return false;
    return each.step == 0 ? id == each.first : (id - each.first) % each.step == 0;
  };
  const auto found = std::find_if(known->second.rbegin(), known->second.rend(), has);
  if (found == known->second.rend() || tab_of(found->kind_number) != tab) return nullptr;
  return &row(tab, found->name);
}

void TopModel::apply(const TailLine& line) {
  now_ns_ = std::max(now_ns_, line.time_ns);
  switch (line.event) {
    case TapEvent::kReceived:
      return on_received(line);
    case TapEvent::kForwarded:
      if (line.kind_number == static_cast<std::uint8_t>(Kind::kPublish) && !line.to.empty()) {
        TopRow& topic = row(TopTab::kTopics, line.to);
        topic.members = line.queues;
        topic.out.add(line.queues * line.count);
      }
      return;
    case TapEvent::kDelivered:
      return on_delivered(line);
    case TapEvent::kFailed:
      return on_failed(line);
    case TapEvent::kAnswered:
      return on_answered(line);
    case TapEvent::kDropped: {
      TopRow& to = row(TopTab::kPeers, line.to);
      to.dropped += line.count;
      to.dropped_ns = line.time_ns;
      return;
    }
    case TapEvent::kFlow: {
      TopRow& from = row(TopTab::kPeers, line.from);
      from.stalled = line.flow == FlowChange::kStalled;
      from.stalled_by = line.to;
      return;
    }
    case TapEvent::kMissed:
      missed_ += line.missed;
      return;
    default:
      return;
  }
}

void TopModel::on_received(const TailLine& line) {
  in_.add(line.count);
  row(TopTab::kPeers, line.from).in.add(line.count);
  if (!has_target(line)) return;
  row(tab_of(line.kind_number), std::string(target_name(line))).in.add(line.count);
}

void TopModel::on_delivered(const TailLine& line) {
  out_.add(line.count);
  TopRow& to = row(TopTab::kPeers, line.to);
  to.out.add(line.count);
  if (line.latency_ns) to.latencies.add(*line.latency_ns, line.count);
}

void TopModel::on_failed(const TailLine& line) {
  failed_.add(line.count);
  const auto count = [&line](TopRow& row) {
    row.failed.add(line.count);
    row.failures += line.count;
    row.failures_by[line.outcome] += line.count;
  };
  if (!line.from.empty()) count(row(TopTab::kPeers, line.from));
  for (const TopTab tab : {TopTab::kTopics, TopTab::kServices}) {
    if (TopRow* const target = target_of(line, tab); target != nullptr) count(*target);
  }
}

void TopModel::on_answered(const TailLine& line) {
  TopRow* const service = target_of(line, TopTab::kServices);
  if (service == nullptr) return;
  if (line.reply_id == 0) {
    service->failed.add(1);
    ++service->failures;
    ++service->failures_by[line.outcome];
    return;
  }
  service->out.add(1);
  if (line.latency_ns) service->latencies.add(*line.latency_ns, 1);
}

void TopModel::apply(const std::vector<Peer::PeerInfo>& peers, std::uint64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  for (auto& [name, each] : table(TopTab::kPeers)) {
    each.state.clear();
    each.queued = each.queued_bytes = each.unacked = each.standing_ns = 0;
  }
  for (auto& [name, each] : table(TopTab::kServices)) each.members = 0;
  for (const Peer::PeerInfo* const info : busiest(peers)) on_peer(*info, now_ns);
}

void TopModel::on_peer(const Peer::PeerInfo& info, std::uint64_t now_ns) {
  TopRow& peer = row(TopTab::kPeers, info.name);
  peer.state = info.state;
  peer.queued = info.queued;
  peer.queued_bytes = info.queued_bytes;
  peer.unacked = info.acks ? info.unacked : 0;
  peer.standing_ns = info.state == "active" && info.received_rate == 0 ? info.oldest_ns : 0;
  peer.backlog.push_back(peer.queued + peer.unacked);
  if (peer.backlog.size() > kBacklogs) peer.backlog.pop_front();
  peer.active_ns = std::max(peer.active_ns, now_ns);
  if (!filtered_) {
    peer.in.tell(info.sent_rate);
    peer.out.tell(info.received_rate);
  }
  for (const std::string& service : info.offers) ++row(TopTab::kServices, service).members;
}

void TopModel::apply(const BrokerStats& numbers, std::uint64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  numbers_ = numbers;
  answered_ns_ = silent_since_ns_ = now_ns;
}

void TopModel::turn(std::uint64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  if (silent_since_ns_ == 0) silent_since_ns_ = now_ns_;
  const std::uint64_t second = now_ns_ / kNsPerSecond;
  if (second_ == 0) second_ = second;
  for (std::size_t turns = 0; second_ < second && turns < Meter::kSeconds; ++turns) {
    end_second();
    ++second_;
  }
  second_ = second;
}

void TopModel::end_second() {
  in_.turn();
  out_.turn();
  failed_.turn();
  for (Table& each : tables_) {
    for (auto& [name, row] : each) {
      row.in.turn();
      row.out.turn();
      row.failed.turn();
      row.latencies.turn();
    }
  }
  std::erase_if(table(TopTab::kPeers), [this](const auto& each) {
    return each.second.state.empty() && each.second.active_ns + kGoneAfter < now_ns_;
  });
}

void TopModel::restart(bool filtered) {
  for (Table& each : tables_) each.clear();
  in_ = out_ = failed_ = Meter();
  missed_ = 0;
  filtered_ = filtered;
}

TopRow& TopModel::row(TopTab tab, const std::string& name) {
  Table& rows = table(tab);
  const auto found = rows.find(name);
  if (found == rows.end() && rows.size() >= kMaxRows) forget_quiet(rows);
  TopRow& row = found == rows.end() ? rows[name] : found->second;
  if (row.name.empty()) row.name = name;
  row.active_ns = std::max(row.active_ns, now_ns_);
  return row;
}

void TopModel::forget_quiet(Table& table) const {
  // An eighth at a time: finding them takes a look at all.
  std::vector<std::pair<std::uint64_t, std::string>> ages;
  ages.reserve(table.size());
  for (const auto& [name, row] : table) ages.emplace_back(row.active_ns, name);
  const std::size_t gone = ages.size() / 8;
  std::ranges::nth_element(ages, ages.begin() + static_cast<std::ptrdiff_t>(gone));
  for (std::size_t i = 0; i < gone; ++i) table.erase(ages[i].second);
}

std::vector<const TopRow*> TopModel::rows(TopTab tab) const {
  std::vector<const TopRow*> all;
  for (const auto& [name, row] : tables_[static_cast<std::size_t>(tab)]) all.push_back(&row);
  return all;
}

const TopRow* TopModel::find(TopTab tab, const std::string& name) const {
  const Table& rows = tables_[static_cast<std::size_t>(tab)];
  const auto found = rows.find(name);
  return found == rows.end() ? nullptr : &found->second;
}

}  // namespace zpost::inspect
