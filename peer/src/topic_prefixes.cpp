#include "peer/src/topic_prefixes.h"

#include <utility>

namespace zpost::peer {

const EnvelopePrefix& TopicPrefixes::put(std::string_view topic) {
  if (slots_.empty()) slots_.resize(kFewSlots);
  while (!slots_[slot_of(topic)].topic.empty() && slots_.size() < kMostSlots) grow();
  Slot& slot = slots_[slot_of(topic)];
  slot.topic = topic;
  slot.prefix = EnvelopePrefix(Kind::kPublish, topic, own_name_);
  latest_ = &slot;
  return slot.prefix;
}

/// A program with a few topics does not pay for the places of many.
void TopicPrefixes::grow() {
  std::vector<Slot> before(slots_.size() * 4);
  before.swap(slots_);
  for (Slot& slot : before) {
    if (!slot.topic.empty()) slots_[slot_of(slot.topic)] = std::move(slot);
  }
}

}  // namespace zpost::peer
