#include "tools/inspect/parting.h"

#include <future>

#include "tools/inspect/tap_request.h"

namespace zpost::inspect {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// The broker answers in order: once it has answered this, nothing is under way.
void take_all(peer::Peer& peer, milliseconds patience) {
  constexpr milliseconds kStep{10};
  const Clock::time_point end = Clock::now() + patience;
  const auto answer = peer.request("", encode_untap(), patience);
  peer::Batch batch;
  bool answered = false;
  bool came = false;
  do {
    // Asked first: what came before the answer may still wait to be received.
    answered = answer.wait_for(milliseconds(0)) == std::future_status::ready;
    came = peer.receive_batch(batch, answered ? milliseconds(0) : kStep);
    if (came) peer.take();
  } while ((came || !answered) && Clock::now() < end);
}

}  // namespace

void part(peer::Peer& peer, milliseconds patience) {
  if (peer.connected()) take_all(peer, patience);
  peer.close(milliseconds(0));
}

}  // namespace zpost::inspect
