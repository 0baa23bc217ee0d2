// What the peers of a replay hear, on its way from their threads to the one that replays.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/replay_schedule.h"
#include "zpost/peer/peer.h"

namespace zpost::inspect {

struct ReplayNews {
  enum class What : std::uint8_t {
    kOutcome,  // `report`: of a send, a publish, a reply or an offer.
    kReply,    // `reply`: to the request or call at `place`, asked in `loop`.
    kLost,     // The connection, or the session; `text` says why.
  };
  What what = What::kOutcome;
  std::size_t player = 0;
  std::size_t place = 0;
  std::uint64_t loop = 0;  // Of the reply: in which it was asked.
  peer::OutcomeReport report = {};
  std::optional<peer::Answer<peer::Message>> reply = std::nullopt;
  std::string text = {};
  ReplayTime at{};
};

/// Bounded by how many envelopes are on their way. Must outlive the peers that put into it.
class ReplayInbox {
 public:
  ReplayInbox();
  ~ReplayInbox();
  ReplayInbox(const ReplayInbox&) = delete;
  ReplayInbox& operator=(const ReplayInbox&) = delete;

  /// Any thread.
  void put(ReplayNews news);

  /// All that came since the last call, in its order. Thread: the one that replays.
  [[nodiscard]] std::vector<ReplayNews> take();

  /// Readable while there is something to take.
  [[nodiscard]] int descriptor() const { return wake_; }

 private:
  std::mutex mutex_;
  std::vector<ReplayNews> news_;
  int wake_ = -1;
};

}  // namespace zpost::inspect
