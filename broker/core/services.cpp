#include "broker/core/services.h"

namespace zpost::core {

void CallQueue::push(NameId caller, ExchangeId call) {
  std::deque<ExchangeId>& calls = calls_[caller];
  if (calls.empty()) turns_.push_back(caller);
  calls.push_back(call);
}

void CallQueue::push_front(NameId caller, ExchangeId call) {
  std::deque<ExchangeId>& calls = calls_[caller];
  if (calls.empty()) turns_.push_front(caller);
  calls.push_front(call);
}

ExchangeId CallQueue::pop() {
  const NameId caller = turns_.front();
  turns_.pop_front();
  const auto at = calls_.find(caller);
  const ExchangeId call = at->second.front();
  at->second.pop_front();
  if (at->second.empty()) {
    calls_.erase(at);
  } else {
    turns_.push_back(caller);
  }
  return call;
}

ServiceId Services::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? kNone : at->second;
}

ServiceId Services::find_or_make(std::string_view name) {
  if (const ServiceId known = find(name); known != kNone) return known;
  const ServiceId id = slots_.take();
  slots_[id].name = name;
  by_name_.emplace(std::string(name), id);
  return id;
}

void Services::erase(ServiceId id) {
  by_name_.erase(by_name_.find(slots_[id].name));
  slots_.free(id);
}

}  // namespace zpost::core
