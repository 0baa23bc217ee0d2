// A replay's plan and cast of any records, in any order. Each four bytes of the input, and what
// they ask for beyond, are a record: its event, who, what of it.
//
// Beyond crashes: what a plan points at is there, and nothing in it waits for ever: whatever ends
// one by one, everybody's turn comes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tools/inspect/replay_cast.h"
#include "tools/inspect/replay_plan.h"

namespace {

using namespace zpost;           // NOLINT(google-build-using-namespace): a program of one file.
using namespace zpost::inspect;  // NOLINT(google-build-using-namespace)

void require(bool claim) {
  if (!claim) std::abort();
}

/// Bytes, then zeros.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool is_over() const { return bytes_.empty(); }

  std::uint8_t next() {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  Bytes take(std::size_t most) {
    const auto part = bytes_.first(std::min(most, bytes_.size()));
    bytes_ = bytes_.subspan(part.size());
    return std::as_bytes(part);
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

constexpr std::array kNames{"alice", "bob", "carol", "@count", "lab/oven", "", "*", "dana"};
constexpr std::array kKinds{Kind::kSend,    Kind::kRequest, Kind::kReply,
                            Kind::kPublish, Kind::kCall,    Kind{0}};

/// Makes the envelope that a record shows.
ByteBuffer envelope(Input& input, const TapEntry& entry, std::uint64_t id) {
  const std::uint8_t said = input.next();
  Meta meta;
  if ((said & 1U) != 0) meta.more = true;
  if ((said & 2U) != 0) meta.rejected = true;
  if ((said & 4U) != 0) meta.deadline_ns = entry.record.time_ns + input.next() * 10'000'000ULL;
  if ((said & 8U) != 0) meta.will = true;
  if ((said & 16U) != 0) meta.content_type = "application/json";
  if ((said & 32U) != 0) meta.idempotent = true;
  if (static_cast<Kind>(entry.record.kind) == Kind::kReply) meta.in_reply_to = input.next() % 16;
  std::string_view to = entry.to;
  if (to.starts_with('@')) to.remove_prefix(1);
  ByteBuffer bytes;
  append_envelope(bytes, {.kind = static_cast<Kind>(entry.record.kind),
                          .to = to,
                          .from = entry.from,
                          .id = id,
                          .meta = meta,
                          .body = input.take(said >> 6U)});
  return bytes;
}

TapEntry record(Input& input, std::uint64_t& time_ns, ByteBuffer& shown) {
  const std::uint8_t first = input.next();
  const std::uint8_t who = input.next();
  const std::uint8_t what = input.next();
  const std::uint8_t more = input.next();
  TapEntry entry;
  entry.record.event = static_cast<TapEvent>(first & 15U);
  time_ns += (first >> 4U) * 1'000'000ULL;
  entry.record.time_ns = (what & 128U) != 0 ? time_ns / 2 : time_ns;
  entry.from = kNames[who & 7U];
  entry.to = kNames[(who >> 3U) & 7U];
  entry.record.kind = static_cast<std::uint8_t>(kKinds[what % kKinds.size()]);
  entry.record.first_id = more % 16;
  entry.record.last_id = entry.record.first_id + (more >> 4U);
  entry.record.count = (more >> 4U) + 1U;
  entry.record.code = what % 32;
  if (entry.record.event != TapEvent::kReceived) return entry;
  shown = envelope(input, entry, entry.record.first_id);
  if ((who & 64U) != 0) shown.resize(shown.size() - std::min<std::size_t>(shown.size(), 2));
  if ((who & 128U) != 0) shown.clear();
  entry.shown = shown;
  return entry;
}

void check(const ReplayPlan& plan) {
  for (const ReplayItem& item : plan.items) {
    require(item.sender < plan.senders.size());
    require(item.after <= plan.senders[item.sender].ended.size());
  }
  for (const auto& [name, presence] : plan.presences) {
    bool is_here = presence.at_begin;
    std::size_t place = 0;
    for (const ReplayMove& move : presence.moves) {
      require(move.joins != is_here && move.place >= place && move.place <= plan.items.size());
      require(move.after <= presence.ended.size());
      for (std::size_t i = 0; i < move.after; ++i) require(presence.ended[i] < move.place);
      is_here = move.joins;
      place = move.place;
    }
  }
}

/// Sends all of a plan, in the most obstinate way: nothing has its end as long as anything else can
/// go on.
class Rehearsal {
 public:
  explicit Rehearsal(const ReplayPlan& plan)
      : plan_(plan), queues_(plan.senders.size()), prefixes_(plan.senders.size()) {
    progress_.ended.assign(plan.items.size(), false);
    progress_.taken.assign(plan.items.size(), false);
    for (std::size_t i = 0; i < plan.items.size(); ++i) queues_[plan.items[i].sender].push_back(i);
    for (const auto& [name, presence] : plan.presences) {
      here_[name] = moves_.emplace(name, ReplayMoves(&presence)).first->second.begin();
    }
  }

  void run() {
    std::size_t left = plan_.items.size();
    while (left > 0) {
      if (send() || move()) continue;
      // Nobody can do anything, so something must be on its way.
      require(!open_.empty());
      progress_.ended[open_.back()] = true;
      open_.pop_back();
      --left;
    }
  }

 private:
  bool send() {
    bool sent = false;
    for (std::deque<std::size_t>& queue : queues_) {
      while (!queue.empty() && may_go(queue.front())) {
        const auto here = here_.find(plan_.sender_of(plan_.items[queue.front()]));
        require(here == here_.end() || here->second);
        open_.push_back(queue.front());
        progress_.taken[queue.front()] = true;
        queue.pop_front();
        sent = true;
      }
    }
    return sent;
  }

  bool may_go(std::size_t place) {
    const ReplayItem& item = plan_.items[place];
    const std::vector<std::size_t>& order = plan_.senders[item.sender].ended;
    std::size_t& prefix = prefixes_[item.sender];
    while (prefix < order.size() && progress_.ended[order[prefix]]) ++prefix;
    return prefix >= item.after && is_past(plan_.sender_of(item), place) &&
           is_past(item.recipient(), place);
  }

  bool is_past(const std::string& name, std::size_t place) const {
    const auto moves = moves_.find(name);
    return moves == moves_.end() || moves->second.are_done_before(place);
  }

  bool move() {
    bool moved = false;
    for (auto& [name, moves] : moves_) {
      while (moves.next() != nullptr && has_sent_all_before(name, moves.next()->place) &&
             moves.is_ready(progress_)) {
        here_[name] = moves.next()->joins;
        moves.pass();
        moved = true;
      }
    }
    return moved;
  }

  bool has_sent_all_before(const std::string& name, std::size_t place) const {
    for (std::size_t i = 0; i < plan_.senders.size(); ++i) {
      if (plan_.senders[i].name != name) continue;
      return queues_[i].empty() || queues_[i].front() >= place;
    }
    return true;
  }

  const ReplayPlan& plan_;
  std::vector<std::deque<std::size_t>> queues_;
  std::vector<std::size_t> prefixes_;
  std::map<std::string, ReplayMoves, std::less<>> moves_;
  std::map<std::string, bool, std::less<>> here_;
  ReplayProgress progress_;
  std::vector<std::size_t> open_;  // Sent, and without an end.
};

void check_cast(ReplayPlan plan, std::uint8_t choice) {
  LivePeers live;
  if ((choice & 1U) != 0) live.peers.insert("alice");
  if ((choice & 2U) != 0) live.peers.insert("bob");
  if ((choice & 4U) != 0) live.services.insert("count");
  CastRules rules{.stand_in = (choice & 8U) != 0};
  if ((choice & 16U) != 0) require(rules.renames.add("*=again-*").has_value());
  const Result<Cast> cast = make_cast(plan, live, rules);
  if (!cast) return require(!cast.error().text.empty());
  require(cast->targets.size() == plan.items.size());
  require(cast->is_sent.size() == plan.items.size());
  for (const ReplayItem& item : plan.items) {
    require(cast->roles.contains(plan.sender_of(item)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostRecords = 500;
  Input input(std::span(data, size));
  const std::uint8_t choice = input.next();
  PlanBuilder builder(
      {.requests_only = (choice & 32U) != 0, .start_ns = (choice & 64U) != 0 ? 20'000'000ULL : 0});
  std::uint64_t time_ns = 1'767'225'600'000'000'000;
  for (std::size_t i = 0; i < kMostRecords && !input.is_over(); ++i) {
    ByteBuffer shown;
    const TapEntry entry = record(input, time_ns, shown);
    require(builder.add(entry, (choice & 128U) != 0 && i % 3 == 0).has_value());
  }
  const ReplayPlan plan = builder.finish();
  check(plan);
  Rehearsal(plan).run();
  check_cast(plan, choice);
  return 0;
}
