// The subscribers of topics, remembered: what a publish looks up. SPEC.md, section 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/core/directory.h"
#include "broker/core/slots.h"
#include "broker/core/topic_tree.h"

namespace zpost::core {

using AudienceId = std::uint32_t;

/// Everyone who gets what is published to a topic, each once, in the order of their numbers.
struct Audience {
  std::vector<Subscriber> members;
  bool some_exclude_own = false;
  bool some_block = false;
};

/// A topic that was published to lately.
struct Route {
  AudienceId audience = 0;
  NameId name = kBrokerName;  // The topic's, for the tap.
};

/// A tree of patterns, and what it last said of topics. Topics with the same subscribers share an
/// audience, so that neighbours in a frame can be handed on together. Any change of subscriptions
/// voids all routes and audiences. Thread: one.
class TopicRoutes {
 public:
  /// `directory` must outlive it.
  explicit TopicRoutes(Directory& directory) : directory_(&directory) {}

  bool subscribe(std::string_view pattern, Subscriber subscriber);
  bool unsubscribe(std::string_view pattern, SessionId session);

  /// The route of a topic that was asked for since the last change of subscriptions; null: it was
  /// not. What is found is a topic, so its bytes need no other look. Valid until the next route().
  [[nodiscard]] const Route* find(std::string_view topic);

  /// REQUIRES: is_topic(topic).
  [[nodiscard]] Route route(std::string_view topic);

  /// Valid until the next change of subscriptions.
  [[nodiscard]] const Audience& audience(AudienceId id) const { return audiences_[id]; }

  /// Voids what was remembered if it is too much. Call between frames.
  void trim();

  /// Subscriptions in all.
  [[nodiscard]] std::size_t size() const { return tree_.size(); }

 private:
  using Routes = std::unordered_map<std::string, Route, TextHash, std::equal_to<>>;

  void forget();
  [[nodiscard]] AudienceId find_or_make(Audience audience);
  [[nodiscard]] const Routes::value_type*& place_of(std::string_view topic);

  Directory* directory_;
  TopicTree tree_;
  Routes routes_;
  // Of topics that want the same place the latest has it. It spares most lookups in routes_.
  std::vector<const Routes::value_type*> latest_;
  std::vector<Audience> audiences_;
  std::unordered_multimap<std::uint64_t, AudienceId> by_hash_;
  std::vector<Subscriber> scratch_;
};

}  // namespace zpost::core
