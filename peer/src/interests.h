// What a peer wants from the broker until it says otherwise: subscriptions, offers and the like,
// remembered so that they can be said again to a session that does not know them.
//
// Pure: no sockets, clocks or threads. SPEC.md, section 4, "Answers".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zpost/protocol/envelope.h"

namespace zpost::peer {

class Interests {
 public:
  /// Remembers that `kind` was said of `name` with an answer wanted under `id`. It takes the place
  /// of what was said of the same name before: subscribe and unsubscribe are about the same.
  void put(Kind kind, std::string_view name, ByteBuffer body, std::uint64_t id);

  struct Answered {
    std::string name;      // What it is about.
    std::uint64_t id = 0;  // Under which it was said first: the one that the program knows.
    bool news = true;      // False: granted, as it was in an earlier session.
  };

  /// The answer to `id`, or nothing if it is none of these, or replaced meanwhile. What was
  /// refused, or ended, is forgotten.
  [[nodiscard]] std::optional<Answered> answered(std::uint64_t id, bool granted);

  /// Calls `say` for what the broker may not know after a welcome: all but what ended if the
  /// session is new (under ids by `next_id`), else what it has not answered.
  void repeat(bool resumed, const std::function<std::uint64_t()>& next_id,
              const std::function<void(Kind, Bytes, std::uint64_t)>& say);

  /// Whether everything was answered.
  [[nodiscard]] bool settled() const { return open_ == 0; }

 private:
  struct Entry {
    Kind kind = Kind::kSubscribe;
    std::string name;
    ByteBuffer body;
    std::uint64_t id = 0;  // As it was said to this session; 0: answered.
    std::uint64_t first_id = 0;
    bool granted = false;  // By this session or an earlier one.
  };

  /// Whether nothing of it needs to be said to a new session: metadata is in the hello.
  [[nodiscard]] static bool ends(Kind kind) {
    return kind == Kind::kUnsubscribe || kind == Kind::kWithdraw || kind == Kind::kDescribe;
  }

  std::vector<Entry> entries_;  // In the order they were said first.
  std::size_t open_ = 0;        // Of those: not answered.
};

}  // namespace zpost::peer
