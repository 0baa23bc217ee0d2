// Asks the broker for `top`: who is there, its numbers, and what its recorder has.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tools/inspect/top_model.h"
#include "tools/inspect/top_state.h"
#include "zpost/peer/peer.h"

namespace zpost::inspect {

/// What the broker said since the last time; what it did not say is empty.
struct TopNews {
  std::optional<std::vector<peer::Peer::PeerInfo>> peers = {};
  std::optional<BrokerStats> numbers = {};
  std::optional<std::vector<TopEnvelope>> envelopes = {};
  std::optional<std::string> story = {};  // Lines of text.
};

/// With a session and a thread of its own: a recall and an open tap want one each, and a broker
/// that is slow to answer must not make keys wait. Threads: that of its owner, and its own.
class TopAsker {
 public:
  /// Asks from now on, once a second, and at once when something else is wanted.
  explicit TopAsker(peer::Peer peer);
  /// Waits at most a second for an answer under way.
  ~TopAsker();

  /// Asks no more. To be called before the end where something else takes its time, too.
  void end();

  TopAsker(const TopAsker&) = delete;
  TopAsker& operator=(const TopAsker&) = delete;

  [[nodiscard]] const std::string& name() const { return peer_.name(); }

  /// Envelopes for which the filter `filter` holds; empty: none any more. `service`: only its
  /// calls.
  void want_envelopes(std::string filter, std::string service = "");
  /// What became of an envelope, once.
  void want_story(std::string from, std::uint64_t id);

  /// Never waits.
  [[nodiscard]] TopNews take();

 private:
  struct Wanted {
    std::string filter;
    std::string service;
    std::string from;
    std::uint64_t id = 0;  // 0: no story.
  };

  void work();
  [[nodiscard]] bool is_over();
  [[nodiscard]] Wanted await_turn();
  void ask(const Wanted& wanted);
  void ask_numbers();
  [[nodiscard]] std::string tell_story(const std::string& from, std::uint64_t id);
  void refuse_requests();

  template <typename Value>
  void put(std::optional<Value> TopNews::*place, Value value);

  peer::Peer peer_;
  std::mutex mutex_;  // Of what follows.
  std::condition_variable changed_;
  Wanted wanted_;
  TopNews news_;
  bool is_new_ = true;  // Something else is wanted.
  bool over_ = false;
  bool parted_ = false;
  std::thread thread_;
};

}  // namespace zpost::inspect
