#include "tools/inspect/replay_players.h"

#include <fmt/format.h>

#include <future>

#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

using peer::Answer;
using peer::milliseconds;

// Who is stood in for answers at once, or when the recording says: nobody should have to wait for a
// place.
constexpr std::uint64_t kCapacity = 65'536;
constexpr milliseconds kLeavePatience{5000};
constexpr milliseconds kAtOnce{0};

std::size_t found(const std::map<std::string, std::size_t, std::less<>>& players,
                  std::string_view name) {
  const auto player = players.find(name);
  return player == players.end() ? ReplayPlayers::kNobody : player->second;
}

peer::SendOptions send_options(const ReplayItem& item) {
  return {.content_type = item.body.content_type,
          .text = item.body.is_text,
          .stamp = item.stamped,
          .timeout = kAtOnce,
          .idempotent = item.idempotent,
          .trace = item.trace};
}

peer::PublishOptions publish_options(const ReplayItem& item) {
  return {.content_type = item.body.content_type,
          .text = item.body.is_text,
          .stamp = item.stamped,
          .retain = item.retain,
          // How many subscribers there are is compared.
          .wants_count = item.wants_count || item.queues.has_value(),
          .needs_subscriber = item.needs_subscriber,
          .timeout = kAtOnce,
          .trace = item.trace};
}

std::string trouble_text(const std::string& name, const peer::StateChange& change) {
  if (change.state != peer::StateChange::State::kLost) {
    return name + ": " + cli::state_text(change);
  }
  return fmt::format("{}: connection lost ({})", name, cli::visible_line(change.text));
}

std::string advice(const peer::Failure& failure) {
  return failure.outcome == Outcome::kNameHeld ? "\nPlay it under another name: --rename OLD=NEW"
                                               : "";
}

}  // namespace

bool ReplayPlayers::open(const Cast& cast, const RecordedPresences& presences,
                         const peer::Options& options) {
  options_ = options;
  options_.outcomes = peer::OutcomeReports::kNone;
  for (const auto& [recorded, role] : cast.roles) {
    const bool is_played = role.part == Part::kPlayed && role.sends + role.is_sent > 0;
    if (recorded.starts_with(kServiceMark) || (!is_played && role.part != Part::kStoodIn)) continue;
    by_recorded_name_.emplace(recorded, players_.size());
    by_name_.emplace(role.name, players_.size());
    players_.push_back(std::make_unique<Player>(Player{recorded, role.name}));
  }
  for (const auto& [recorded, role] : cast.roles) {
    if (!recorded.starts_with(kServiceMark) || role.part != Part::kStoodIn) continue;
    for (const std::string& worker : role.workers) {
      const std::size_t player = by_recorded_name(worker);
      if (player != kNobody) players_[player]->services.push_back(role.name.substr(1));
    }
  }
  for (std::size_t player = 0; player < players_.size(); ++player) {
    const auto presence = presences.find(players_[player]->recorded);
    const bool is_late = presence != presences.end() && !presence->second.at_begin;
    if (!is_late && !join(player)) return false;
  }
  return true;
}

bool ReplayPlayers::join(std::size_t player) {
  Player& joining = *players_[player];
  options_.name = joining.name;
  // The goodbye went over another connection, and may be read after this one's hello.
  options_.wait_for_name = joining.was_here;
  Answer<peer::Peer> connected = peer::Peer::connect(options_);
  if (!connected) {
    const peer::Failure& failure = connected.error();
    cli::complain(fmt::format("{} cannot be played: {}{}", joining.name,
                              cli::visible_line(failure.text), advice(failure)));
    return false;
  }
  joining.peer.emplace(std::move(*connected));
  joining.was_here = true;
  listen(player);
  return offer(joining);
}

void ReplayPlayers::leave(std::size_t player) {
  Player& leaving = *players_[player];
  if (!leaving.peer) return;
  leaving.peer->close(kAtOnce);
  leaving.peer.reset();
  leaving.sent.clear();
}

/// Callbacks come on any thread; they only put into the inbox.
void ReplayPlayers::listen(std::size_t player) {
  peer::Peer& peer = *players_[player]->peer;
  peer.on_outcome([this, player](const peer::OutcomeReport& report) {
    inbox_.put({.what = ReplayNews::What::kOutcome,
                .player = player,
                .report = report,
                .at = std::chrono::steady_clock::now()});
  });
  // The welcome is no news.
  while (peer.next_state(kAtOnce)) {
  }
  peer.on_state([this, player, name = players_[player]->name](const peer::StateChange& change) {
    using State = peer::StateChange::State;
    if (change.state != State::kLost && change.state != State::kRefused) return;
    inbox_.put({.what = ReplayNews::What::kLost,
                .player = player,
                .text = trouble_text(name, change),
                .at = std::chrono::steady_clock::now()});
  });
}

bool ReplayPlayers::offer(Player& player) {
  for (const std::string& service : player.services) {
    const Answer<std::uint64_t> offered = player.peer->offer(service, kCapacity);
    if (!offered || !player.peer->wait_settled(kLeavePatience)) {
      cli::complain(fmt::format("{} cannot offer {}: {}", player.name, service,
                                offered ? "no answer" : cli::visible_line(offered.error().text)));
      return false;
    }
  }
  return true;
}

void ReplayPlayers::close() {
  // At the same time: where the broker is gone each takes half a second.
  std::vector<std::future<void>> closing;
  closing.reserve(players_.size());
  for (const auto& player : players_) {
    if (!player->peer) continue;
    closing.push_back(
        std::async(std::launch::async, [&peer = *player->peer] { peer.close(kAtOnce); }));
  }
}

std::size_t ReplayPlayers::by_recorded_name(std::string_view name) const {
  return found(by_recorded_name_, name);
}

std::size_t ReplayPlayers::by_name(std::string_view name) const {
  return found(by_name_, name);
}

const std::string& ReplayPlayers::name(std::size_t player) const {
  return players_[player]->name;
}

const std::string& ReplayPlayers::recorded_name(std::size_t player) const {
  return players_[player]->recorded;
}

Answer<std::uint64_t> ReplayPlayers::send(std::size_t player, const ReplayItem& item,
                                          const ReplayAim& aim) {
  peer::Peer& from = peer(player);
  const auto on_reply = [this, player, place = aim.place,
                         loop = aim.loop](Answer<peer::Message> reply) {
    inbox_.put({.what = ReplayNews::What::kReply,
                .player = player,
                .place = place,
                .loop = loop,
                .reply = std::move(reply),
                .at = std::chrono::steady_clock::now()});
  };
  const Bytes body = item.body.bytes;
  Answer<std::uint64_t> id = [&] {
    switch (item.kind) {
      case Kind::kRequest:
        return from.request_stream(aim.target, body, aim.timeout, on_reply, send_options(item));
      case Kind::kCall:
        return from.call_stream(aim.target, body, aim.timeout, on_reply, send_options(item));
      case Kind::kPublish:
        return from.try_publish(aim.target, body, publish_options(item));
      default:
        return from.try_send(aim.target, body, send_options(item));
    }
  }();
  if (id) players_[player]->sent.emplace(*id, aim.place);
  return id;
}

std::optional<std::size_t> ReplayPlayers::place_of(std::size_t player, std::uint64_t id) const {
  const auto& sent = players_[player]->sent;
  const auto place = sent.find(id);
  if (place == sent.end()) return std::nullopt;
  return place->second;
}

void ReplayPlayers::add_descriptors(std::vector<pollfd>& descriptors) const {
  for (const auto& player : players_) {
    // poll() passes over what is negative.
    const int descriptor = player->peer ? player->peer->descriptor() : -1;
    descriptors.push_back({.fd = descriptor, .events = POLLIN, .revents = 0});
  }
}

}  // namespace zpost::inspect
