// Answers what played peers are asked, as it was answered when it was recorded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tools/inspect/replay_plan.h"
#include "tools/inspect/replay_players.h"

namespace zpost::inspect {

/// Thread: one. Bounded: one answer for each open request, each of as many replies as recorded.
class ReplayAnswers {
 public:
  /// `speed` as of ReplaySchedule. `answers`: false: nobody is stood in for, and whoever is played
  /// says no to all requests.
  ReplayAnswers(const ReplayPlan& plan, ReplayPlayers& players, double speed, bool answers)
      : plan_(plan), players_(players), speed_(speed), answers_(answers) {}

  /// Takes all that has arrived for a player, and notes in `progress` what requests did.
  void receive(std::size_t player, ReplayProgress& progress, ReplayTime now);

  /// A player is gone, and so is what it would have answered.
  void forget(std::size_t player);

  /// Sends the replies for which it is time, as far as there is credit.
  void send(ReplayTime now);

  /// When send() has something to do; nothing: not before something is received.
  [[nodiscard]] std::optional<ReplayTime> due() const;

  /// Envelopes taken, requests included.
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  struct Pending {
    std::size_t player = 0;
    std::string to = {};
    std::uint64_t request = 0;
    const RecordedReply* reply = nullptr;  // Of the plan. Null: a no.
    std::string no = {};
  };

  void answer(std::size_t player, const peer::Message& request, ReplayProgress& progress,
              ReplayTime now);
  void refuse(std::size_t player, const peer::Message& request, std::string why, ReplayTime now);
  [[nodiscard]] std::optional<std::size_t> place_of(const peer::Message& request) const;
  [[nodiscard]] ReplayTime due_after(std::uint64_t ns, ReplayTime now) const;
  [[nodiscard]] bool send(const Pending& pending);

  const ReplayPlan& plan_;
  ReplayPlayers& players_;
  const double speed_;
  const bool answers_;
  std::multimap<ReplayTime, Pending> pending_;
  bool is_blocked_ = false;  // The first one has no credit.
  ReplayTime again_{};       // When it is tried again.
  std::uint64_t taken_ = 0;
};

}  // namespace zpost::inspect
