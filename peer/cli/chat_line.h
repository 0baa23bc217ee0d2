// One line of a chat, before anybody decides how it looks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "zpost/protocol/outcomes.h"

namespace zpost::cli {

struct ChatLine {
  enum class Kind {
    kReceived,  // `from` said `text`.
    kSent,      // One said `text` to `to`; `outcome` says how it fared, kNone: not known yet.
    kSettled,   // The outcome of a line shown before.
    kPresence,  // `from` came or left, in words.
    kMissed,    // Lines of `room` that nobody here will see, in words.
    kState,     // The connection, in words.
    kNote,      // Anything else, in words.
  };

  Kind kind = Kind::kNote;
  std::uint64_t time_ns = 0;
  std::string from = {};
  std::string to = {};
  std::string text = {};  // kReceived, kSent, kSettled: as written; others: fit for a terminal.
  Outcome outcome = Outcome::kNone;
  std::string reason = {};  // Of a failure, fit for a terminal.
  std::string room = {};    // Where it was said or happened, without mark; empty: in no room.
  /// kSent, kSettled in a room: how many have it in their queues. kMissed: how many lines.
  std::optional<std::uint64_t> count = {};
  std::uint64_t people = 0;  // kSent, kSettled in a room: how many others are known to be there.
  std::uint64_t id = 0;
  bool aside = false;   // kSent: not to the partner. kReceived: to oneself, while in a room.
  bool binary = false;  // kReceived: `text` only describes the bytes.
};

using ChatLines = std::vector<ChatLine>;

}  // namespace zpost::cli
