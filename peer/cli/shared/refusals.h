// Saying no to requests, for verbs that answer none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "zpost/peer/peer.h"

namespace zpost::cli {

/// Never waits for whoever asked: a no that it has no room for is dropped and counted. Thread: one.
class Refusals {
 public:
  explicit Refusals(peer::Peer& peer) : peer_(peer) {}

  /// False: it was dropped, or nobody hears any more.
  bool say_no(std::string_view to, std::uint64_t id, std::string_view reason);

  /// How many were dropped, for people; empty: none.
  [[nodiscard]] std::string dropped_text() const;

 private:
  peer::Peer& peer_;
  std::uint64_t dropped_ = 0;
};

}  // namespace zpost::cli
