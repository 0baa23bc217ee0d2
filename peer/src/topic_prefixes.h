// How the envelopes of plain publishes begin, for the topics that were published to lately.
//
// It spares a look at every byte of a topic and its encoding again. Pure. Bounded: a topic has one
// of a few places, and where all of them are taken it gets another's.
#pragma once

#include <cstddef>
#include <functional>
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
    if (slots_.empty() || topic.empty()) return nullptr;
    const std::size_t hash = std::hash<std::string_view>{}(topic);
    for (Slot* slot = set_of(hash); slot != set_of(hash) + kWays; ++slot) {
      if (slot->hash != hash || slot->topic != topic) continue;
      latest_ = slot;
      return &slot->prefix;
    }
    return nullptr;
  }

  /// The same, put there if it was not. Nothing is allocated once there are many topics, but for
  /// longer ones than had their place before. REQUIRES: is_topic(topic).
  [[nodiscard]] const EnvelopePrefix& get(std::string_view topic) {
    const EnvelopePrefix* const known = find(topic);
    return known != nullptr ? *known : put(topic);
  }

 private:
  static constexpr std::size_t kWays = 4;  // Places of one topic.
  static constexpr std::size_t kFewSlots = 16;
  static constexpr std::size_t kMostSlots = 1024;

  struct Slot {
    std::size_t hash = 0;
    std::string topic;  // Empty: free.
    EnvelopePrefix prefix;
  };

  [[nodiscard]] Slot* set_of(std::size_t hash) {
    return slots_.data() + (hash & (slots_.size() / kWays - 1)) * kWays;
  }

  [[nodiscard]] Slot* free_slot(std::size_t hash);
  const EnvelopePrefix& put(std::string_view topic);
  void grow();

  std::string own_name_;
  std::vector<Slot> slots_;  // None until the first topic; a power of two, more with more topics.
  Slot* latest_ = nullptr;
  std::size_t turn_ = 0;  // Who goes next where all places are taken.
};

}  // namespace zpost::peer
