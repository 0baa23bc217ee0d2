// Plays a plan into a broker and compares what becomes of it.
#pragma once

#include <poll.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "peer/cli/shared/stop_signals.h"
#include "tools/inspect/replay_answers.h"
#include "tools/inspect/replay_audience.h"
#include "tools/inspect/replay_keys.h"
#include "tools/inspect/replay_report.h"
#include "tools/inspect/replay_schedule.h"

namespace zpost::inspect {

struct ReplayManner {
  double speed = 1;  // Recorded time in real time; 0: as fast as they are taken.
  std::uint64_t loops = 1;
  bool step = false;  // Stands still at first.
  bool stand_in = false;
  peer::milliseconds timeout{0};  // 0: the recorded deadlines, kUsualTimeout without one.
  BodyRules bodies = {
      .by_value = false, .most_places = kMaxReplayDifferences, .value_columns = 200};

  static constexpr peer::milliseconds kUsualTimeout{10'000};

  /// How long something may have no end before it is given up.
  [[nodiscard]] peer::milliseconds patience() const {
    return timeout.count() > 0 ? timeout : kUsualTimeout;
  }
};

/// Those that this program plays: by their names, and without.
struct ReplayCompany {
  ReplayPlayers& players;
  ReplayAudience& audience;
};

/// Thread: one.
class ReplayRun {
 public:
  // Sent and without an end: beyond it nothing more is sent.
  static constexpr std::size_t kMaxOnTheWay = 4096;

  ReplayRun(const ReplayPlan& plan, const Cast& cast, const ReplayManner& manner,
            const ReplayCompany& company, ReplayReport& report);

  /// Plays it all, as often as is wanted, until `stop` or the keys say otherwise or the broker is
  /// lost. `keyboard`: may be null.
  [[nodiscard]] ReplayEnding run(ReplayInbox& inbox, const cli::StopSignals& stop,
                                 ReplayKeyboard* keyboard);

 private:
  /// One that was sent and has no end yet.
  struct Flight {
    std::size_t player = 0;
    std::uint64_t id = 0;  // Under which it was sent.
    ReplayTime sent_at{};
    std::vector<ReplayedReply> replies = {};
  };

  /// A request or call that is to be cancelled.
  struct Cancel {
    std::size_t place = 0;
    std::uint64_t id = 0;
  };

  /// What waits to be sent by a player: in its order.
  struct Queue {
    std::deque<std::size_t> places = {};
    std::optional<ReplayTime> blocked_since = std::nullopt;  // The first has no credit.
  };

  void begin_loop(ReplayTime now);
  void turn(ReplayInbox& inbox, ReplayKeyboard* keyboard);
  [[nodiscard]] bool is_loop_over() const;
  void finish_unsent();
  void move_players(ReplayTime now);
  void move(std::size_t player, bool joins, ReplayTime now);
  [[nodiscard]] bool has_sent_all_before(std::size_t player, std::size_t place) const;

  void enqueue_due(ReplayTime now);
  void send_waiting(ReplayTime now);
  /// False: the first one of the queue must wait.
  [[nodiscard]] bool send_first(std::size_t player, Queue& queue, ReplayTime now);
  [[nodiscard]] bool may_go(std::size_t place);
  [[nodiscard]] bool have_moved_before(std::size_t place) const;
  void cancel_due(ReplayTime now);
  [[nodiscard]] peer::milliseconds timeout_of(const ReplayItem& item) const;

  void hear(ReplayNews& news);
  void hear_outcome(const ReplayNews& news);
  void hear_reply(ReplayNews& news);
  void end(std::size_t place, const ReplayedEnd& now, ReplayTime at);
  [[nodiscard]] bool lacks_audience(const ReplayItem& item, const ReplayedEnd& now) const;
  void give_up_silent(ReplayTime now);

  void await(ReplayInbox& inbox, ReplayKeyboard* keyboard, ReplayTime now);
  [[nodiscard]] ReplayTime wake_at(ReplayTime now) const;
  void obey(const ReplayKey& key, ReplayTime now);
  [[nodiscard]] std::optional<ReplayTime> next_move_at(ReplayTime now) const;
  void show_progress(const ReplayKeyboard* keyboard, ReplayTime now);
  void show_next();

  const ReplayPlan& plan_;
  const Cast& cast_;
  const ReplayManner& manner_;
  ReplayPlayers& players_;
  ReplayAudience& audience_;
  ReplayReport& report_;
  ReplayAnswers answers_;
  ReplaySchedule schedule_;
  std::vector<std::size_t> senders_;                 // Which player a sender of the plan is.
  std::vector<Queue> queues_;                        // Of players.
  std::size_t waiting_ = 0;                          // In all queues.
  std::unordered_map<std::size_t, Flight> flights_;  // By place.
  std::multimap<ReplayTime, Cancel> cancels_;
  ReplayProgress progress_;
  std::vector<ReplayMoves> moves_;         // Of players.
  std::vector<std::size_t> ended_prefix_;  // Of a sender's requests, in the order they ended then.
  std::vector<pollfd> descriptors_;
  std::uint64_t loop_ = 0;
  std::uint64_t sent_ = 0;
  ReplayTime last_sign_{};  // When something was sent or ended last.
  ReplayTime next_progress_{};
  std::optional<ReplayEnding> ending_;
  std::optional<std::size_t> shown_next_;
};

}  // namespace zpost::inspect
