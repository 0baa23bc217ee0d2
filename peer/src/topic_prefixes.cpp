#include "peer/src/topic_prefixes.h"

namespace zpost::peer {

const EnvelopePrefix& TopicPrefixes::put(std::string_view topic) {
  if (slots_.empty()) slots_.resize(kSlots);
  Slot& slot = slots_[slot_of(topic)];
  slot.topic = topic;
  slot.prefix = EnvelopePrefix(Kind::kPublish, topic, own_name_);
  latest_ = &slot;
  return slot.prefix;
}

}  // namespace zpost::peer
