#include "peer/cli/shared/session_watch.h"

#include <utility>

#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {

using State = peer::StateChange::State;

SessionWatch::SessionWatch(peer::Peer& peer, std::function<void()> on_fresh)
    : seen_(std::make_shared<Seen>()) {
  // The first welcome is no news.
  while (const auto change = peer.next_state(milliseconds(0))) {
    seen_->connected = change->state == State::kConnected;
  }
  peer.on_state([seen = seen_, on_fresh = std::move(on_fresh)](const peer::StateChange& change) {
    const bool is_fresh = change.state == State::kConnected && !change.resumed;
    if (is_fresh) ++seen->fresh_sessions;
    seen->connected = change.state == State::kConnected;
    if (change.final) seen->over = true;
    const std::string text = state_text(change);
    if (!text.empty()) complain(text);
    if (is_fresh && on_fresh) on_fresh();
  });
}

}  // namespace zpost::cli
