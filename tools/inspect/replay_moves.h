// Who of a recording comes and goes, and what that waits for. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace zpost::inspect {

/// Somebody comes, or goes.
struct ReplayMove {
  bool joins = false;
  std::uint64_t time_ns = 0;
  std::size_t place = 0;  // Before the item of this place of the plan.
  std::size_t after = 0;  // So many of what it sent or was sent had their ends before.
};

/// When somebody was there, and with what in hand.
struct RecordedPresence {
  bool at_begin = true;                 // Of the capture.
  bool is_here = true;                  // So far.
  std::vector<ReplayMove> moves = {};   // In their order: joins and leaves by turns.
  std::vector<std::size_t> ended = {};  // Items it sent or was sent, in the order of their ends.
  std::vector<std::size_t> lost = {};   // Requests and calls that it had when it left.
};

using RecordedPresences = std::map<std::string, RecordedPresence, std::less<>>;

/// What of the items of a plan is done in this loop, by their places.
struct ReplayProgress {
  std::vector<bool> ended = {};
  std::vector<bool> taken = {};  // Requests and calls that reached somebody who is played.
};

/// How far one player is in its moves.
class ReplayMoves {
 public:
  /// `presence`: may be null, and must outlive this otherwise.
  explicit ReplayMoves(const RecordedPresence* presence) : presence_(presence) {}

  /// Of a loop: none is done. Whether it is there then.
  bool begin();

  /// The next one; null: none is left.
  [[nodiscard]] const ReplayMove* next() const;

  /// Whether all moves before the item of this place are done.
  [[nodiscard]] bool are_done_before(std::size_t place) const;

  /// Whether what came before the next move then has come now. REQUIRES: next() != nullptr.
  [[nodiscard]] bool is_ready(const ReplayProgress& progress);

  /// The next one is done.
  void pass() { ++next_; }

 private:
  const RecordedPresence* presence_;
  std::size_t next_ = 0;
  std::size_t ended_ = 0;  // Of RecordedPresence::ended: those before have their ends.
  std::size_t lost_ = 0;   // The same of `lost`.
};

}  // namespace zpost::inspect
