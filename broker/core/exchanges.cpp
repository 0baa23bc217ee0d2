#include "broker/core/exchanges.h"

#include <algorithm>
#include <functional>

namespace zpost::core {

namespace {

// Deadlines of closed exchanges that are left alone.
constexpr std::size_t kFewStale = 1024;

}  // namespace

ExchangeId Exchanges::open(NameId caller, std::uint64_t id, Session& asker) {
  ExchangeId slot = 0;
  if (free_.empty()) {
    slot = static_cast<ExchangeId>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Exchange& exchange = slots_[slot];
  exchange.caller = caller;
  exchange.id = id;
  exchange.asker = asker.id;
  exchange.open = true;
  exchange.next_asked = asker.asked;
  if (asker.asked != kNone) slots_[asker.asked].previous_asked = slot;
  asker.asked = slot;
  by_key_.insert_or_assign(Key{caller, id}, slot);
  return slot;
}

ExchangeId Exchanges::find(NameId caller, std::uint64_t id) const {
  const auto at = by_key_.find(Key{caller, id});
  return at == by_key_.end() ? kNone : at->second;
}

void Exchanges::hold(ExchangeId slot, Session& holder) {
  Exchange& exchange = slots_[slot];
  exchange.holder = holder.id;
  exchange.next_held = holder.held;
  if (holder.held != kNone) slots_[holder.held].previous_held = slot;
  holder.held = slot;
}

void Exchanges::let_go(ExchangeId slot, Session& holder) {
  Exchange& exchange = slots_[slot];
  if (exchange.next_held != kNone)
    slots_[exchange.next_held].previous_held = exchange.previous_held;
  if (exchange.previous_held != kNone) {
    slots_[exchange.previous_held].next_held = exchange.next_held;
  } else {
    holder.held = exchange.next_held;
  }
  exchange.next_held = exchange.previous_held = kNone;
  exchange.holder = kNone;
}

void Exchanges::close(ExchangeId slot, Session& asker) {
  Exchange& exchange = slots_[slot];
  if (exchange.next_asked != kNone) {
    slots_[exchange.next_asked].previous_asked = exchange.previous_asked;
  }
  if (exchange.previous_asked != kNone) {
    slots_[exchange.previous_asked].next_asked = exchange.next_asked;
  } else {
    asker.asked = exchange.next_asked;
  }
  exchange.next_asked = exchange.previous_asked = kNone;
  exchange.asker = kNone;
  exchange.open = false;
  by_key_.erase(Key{exchange.caller, exchange.id});
}

void Exchanges::free(ExchangeId slot) {
  slots_[slot] = Exchange{};
  free_.push_back(slot);
}

void Exchanges::set_deadline(ExchangeId slot, std::uint64_t deadline) {
  slots_[slot].deadline = deadline;
  drop_stale();
  deadlines_.push_back({deadline, slot, slots_[slot].id});
  std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>{});
}

ExchangeId Exchanges::due(std::uint64_t clock) {
  while (!deadlines_.empty() && deadlines_.front().when <= clock) {
    const Deadline first = deadlines_.front();
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>{});
    deadlines_.pop_back();
    if (!is_stale(first)) return first.exchange;
  }
  return kNone;
}

bool Exchanges::is_stale(const Deadline& deadline) const {
  const Exchange& exchange = slots_[deadline.exchange];
  return !exchange.open || exchange.id != deadline.id || exchange.deadline != deadline.when;
}

void Exchanges::drop_stale() {
  if (deadlines_.size() < 2 * by_key_.size() + kFewStale) return;
  std::erase_if(deadlines_, [this](const Deadline& each) { return is_stale(each); });
  std::make_heap(deadlines_.begin(), deadlines_.end(), std::greater<>{});
}

}  // namespace zpost::core
