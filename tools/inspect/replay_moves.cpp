#include "tools/inspect/replay_moves.h"

namespace zpost::inspect {

bool ReplayMoves::begin() {
  next_ = ended_ = lost_ = 0;
  return presence_ == nullptr || presence_->at_begin;
}

const ReplayMove* ReplayMoves::next() const {
  if (presence_ == nullptr || next_ == presence_->moves.size()) return nullptr;
  return &presence_->moves[next_];
}

bool ReplayMoves::are_done_before(std::size_t place) const {
  const ReplayMove* const move = next();
  return move == nullptr || move->place > place;
}

bool ReplayMoves::is_ready(const ReplayProgress& progress) {
  const ReplayMove& move = *next();
  const std::vector<std::size_t>& ended = presence_->ended;
  while (ended_ < move.after && progress.ended[ended[ended_]]) ++ended_;
  if (ended_ < move.after) return false;
  // Whoever leaves with something in hand must have got it.
  const std::vector<std::size_t>& lost = presence_->lost;
  while (lost_ < lost.size() && lost[lost_] < move.place) {
    if (!progress.ended[lost[lost_]] && !progress.taken[lost[lost_]]) return false;
    ++lost_;
  }
  return true;
}

}  // namespace zpost::inspect
