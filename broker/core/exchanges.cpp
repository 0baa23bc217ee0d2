#include "broker/core/exchanges.h"

#include <algorithm>
#include <functional>

namespace zpost::core {

namespace {

// Deadlines of closed exchanges that are left alone.
constexpr std::size_t kFewStale = 1024;

}  // namespace

ExchangeId Exchanges::open(NameId caller, std::uint64_t id, Session& asker) {
  const ExchangeId slot = slots_.take();
  Exchange& exchange = slots_[slot];
  exchange.caller = caller;
  exchange.id = id;
  exchange.asker = asker.id;
  exchange.open = true;
  link(slot, asker.asked, &Exchange::next_asked, &Exchange::previous_asked);
  by_key_.insert_or_assign(Key{caller, id}, slot);
  return slot;
}

ExchangeId Exchanges::find(NameId caller, std::uint64_t id) const {
  const auto at = by_key_.find(Key{caller, id});
  return at == by_key_.end() ? kNone : at->second;
}

void Exchanges::hold(ExchangeId slot, Session& holder) {
  slots_[slot].holder = holder.id;
  link(slot, holder.held, &Exchange::next_held, &Exchange::previous_held);
}

void Exchanges::let_go(ExchangeId slot, Session& holder) {
  slots_[slot].holder = kNone;
  unlink(slot, holder.held, &Exchange::next_held, &Exchange::previous_held);
}

void Exchanges::close(ExchangeId slot, Session& asker) {
  Exchange& exchange = slots_[slot];
  exchange.asker = kNone;
  exchange.open = false;
  unlink(slot, asker.asked, &Exchange::next_asked, &Exchange::previous_asked);
  by_key_.erase(Key{exchange.caller, exchange.id});
}

/// Puts it before the first of a session's list.
void Exchanges::link(ExchangeId slot, std::uint32_t& head, Link next, Link previous) {
  slots_[slot].*next = head;
  if (head != kNone) slots_[head].*previous = slot;
  head = slot;
}

void Exchanges::unlink(ExchangeId slot, std::uint32_t& head, Link next, Link previous) {
  Exchange& exchange = slots_[slot];
  if (exchange.*next != kNone) slots_[exchange.*next].*previous = exchange.*previous;
  (exchange.*previous != kNone ? slots_[exchange.*previous].*next : head) = exchange.*next;
  exchange.*next = exchange.*previous = kNone;
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
