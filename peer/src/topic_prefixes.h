// How the envelopes of plain publishes begin, for the topics that were published to lately.
//
// It spares a look at every byte of a topic and its encoding again. Pure. Bounded: of two topics
// that want the same place the latest has it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zpost/protocol/envelope.h"

namespace zpost::peer {

class TopicPrefixes {
 public:
  explicit TopicPrefixes(std::string own_name) : own_name_(std::move(own_name)) {}

  /// The prefix of `topic`; null: it is not there. Valid until the next get().
  [[nodiscard]] const EnvelopePrefix* find(std::string_view topic) {
    if (latest_ != nullptr && latest_->topic == topic) return &latest_->prefix;
    if (slots_.empty()) return nullptr;
    Slot& slot = slots_[slot_of(topic)];
    if (slot.topic != topic || topic.empty()) return nullptr;
    latest_ = &slot;
    return &slot.prefix;
  }

  /// The same, put there if it was not. Nothing is allocated once there are many topics, but for
  /// longer ones than had their place before. REQUIRES: is_topic(topic).
  [[nodiscard]] const EnvelopePrefix& get(std::string_view topic) {
    const EnvelopePrefix* const known = find(topic);
    return known != nullptr ? *known : put(topic);
  }

 private:
  static constexpr std::size_t kFewSlots = 16;
  static constexpr std::size_t kMostSlots = 1024;

  struct Slot {
    std::string topic;
    EnvelopePrefix prefix;
  };

  [[nodiscard]] std::size_t slot_of(std::string_view topic) const {
    return std::hash<std::string_view>{}(topic) & (slots_.size() - 1);
  }

  const EnvelopePrefix& put(std::string_view topic);
  void grow();

  std::string own_name_;
  std::vector<Slot> slots_;  // None until the first topic; a power of two, more with more topics.
  Slot* latest_ = nullptr;
};

}  // namespace zpost::peer
