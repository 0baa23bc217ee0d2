#include "tools/bench/arrivals.h"

#include <algorithm>

#include "tools/bench/failure.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kArrivalsPoll = 2ms;
constexpr auto kSilence = 3s;  // After the last sender has ended: what is missing is lost.

bool all_complete(const Streams& streams) {
  return std::ranges::all_of(streams.all(), [](const StreamCounts& stream) {
    return stream.intact.load() >= stream.total.load();
  });
}

// Tells when it is no use to wait any longer for what is missing.
class Silence {
 public:
  [[nodiscard]] bool lasts_too_long(bool senders_running, std::uint64_t received) {
    const Clock::time_point now = Clock::now();
    if (senders_running || received != received_) {
      received_ = received;
      since_ = now;
    }
    return now - since_ > kSilence;
  }

 private:
  std::uint64_t received_ = 0;
  Clock::time_point since_ = Clock::now();
};

}  // namespace

std::uint64_t all_received(const Streams& streams) {
  std::uint64_t sum = 0;
  for (const StreamCounts& stream : streams.all()) sum += stream.intact.load();
  return sum;
}

void await_arrivals(Stage& stage, const std::vector<std::size_t>& senders, const Streams& streams,
                    const std::function<void()>& look) {
  Silence silence;
  const bool ended = wait_until(stage.deadline, kArrivalsPoll, [&] {
    look();
    if (all_complete(streams)) return true;
    stage.check();
    const bool sending =
        std::ranges::any_of(senders, [&](std::size_t i) { return stage.clients.running(i); });
    return silence.lasts_too_long(sending, all_received(streams));
  });
  if (!ended) throw RunTimedOut("not all had arrived when the time was over");
}

}  // namespace zpost::bench
