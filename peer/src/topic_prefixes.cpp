#include "peer/src/topic_prefixes.h"

#include <algorithm>
#include <utility>

namespace zpost::peer {

const EnvelopePrefix& TopicPrefixes::put(std::string_view topic) {
  if (slots_.empty()) slots_.resize(kFewSlots);
  const std::size_t hash = std::hash<std::string_view>{}(topic);
  Slot* slot = free_slot(hash);
  while (slot == nullptr && slots_.size() < kMostSlots) {
    grow();
    slot = free_slot(hash);
  }
  if (slot == nullptr) slot = set_of(hash) + ++turn_ % kWays;
  slot->hash = hash;
  slot->topic = topic;
  slot->prefix = EnvelopePrefix(Kind::kPublish, topic, own_name_);
  latest_ = slot;
  return slot->prefix;
}

/// A free place of a topic with this hash; null: all are taken.
TopicPrefixes::Slot* TopicPrefixes::free_slot(std::size_t hash) {
  Slot* const set = set_of(hash);
  Slot* const found =
      std::find_if(set, set + kWays, [](const Slot& slot) { return slot.topic.empty(); });
  return found == set + kWays ? nullptr : found;
}

/// A program with a few topics does not pay for the places of many.
void TopicPrefixes::grow() {
  std::vector<Slot> before(slots_.size() * 4);
  before.swap(slots_);
  for (Slot& slot : before) {
    // A set was split into several, none of which can get more than it had.
    if (!slot.topic.empty()) *free_slot(slot.hash) = std::move(slot);
  }
}

}  // namespace zpost::peer
