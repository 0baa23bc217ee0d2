#include "broker/net/connections.h"

#include <cassert>

#include "zpost/protocol/names.h"

namespace zpost::net {

Connections::~Connections() {
  for (Connection& connection : slots_) zmq_msg_close(&connection.kept);
}

ConnectionId Connections::find(Anchor anchor) const {
  if (anchor == nullptr) return kNone;
  const ConnectionId id = cache_[cache_slot(anchor)];
  return id < slots_.size() && slots_[id].anchor == anchor ? id : kNone;
}

ConnectionId Connections::find(std::string_view identity) const {
  const auto found = by_identity_.find(identity);
  if (found == by_identity_.end()) return kNone;
  const Connection& connection = slots_[found->second];
  if (connection.anchor != nullptr) cache_[cache_slot(connection.anchor)] = found->second;
  return found->second;
}

Connections::Made Connections::make(std::string_view identity) {
  const std::string_view name = name_of_identity(identity).value_or(std::string_view{});
  const bool named = !name.empty();
  Made made;
  if (size() >= limit_ || (!named && unnamed_count_ >= kMaxUnnamed)) {
    made.forgotten = make_room(named);
    if (made.forgotten == kNone) return {};
  }
  if (free_.empty()) {
    made.id = static_cast<ConnectionId>(slots_.size());
    zmq_msg_init(&slots_.emplace_back().kept);
  } else {
    made.id = free_.back();
    free_.pop_back();
  }
  Connection& connection = slots_[made.id];
  connection.identity = identity;
  connection.name = std::string_view(connection.identity).substr(0, name.size());
  connection.state = Connection::State::kLive;
  connection.serial = next_serial_++;
  by_identity_.emplace(connection.identity, made.id);
  if (!named) {
    ++unnamed_count_;
    unnamed_.push_back({made.id, connection.serial});
  }
  return made;
}

/// Frees the slot that is missed least. kNone if all are needed.
ConnectionId Connections::make_room(bool named) {
  ConnectionId id = kNone;
  if (named || unnamed_count_ < kMaxUnnamed) {
    do {
      id = pop_oldest(gone_);
    } while (id != kNone && slots_[id].state != Connection::State::kGone);
  }
  if (id == kNone) id = pop_oldest(unnamed_);
  if (id != kNone) free(id);
  return id;
}

/// The slot of the first use that is not over, which is taken out.
ConnectionId Connections::pop_oldest(std::deque<Use>& uses) {
  while (!uses.empty()) {
    const Use use = uses.front();
    uses.pop_front();
    if (slots_[use.id].serial == use.serial) return use.id;
  }
  return kNone;
}

void Connections::link(ConnectionId id, int fd, Anchor anchor, zmq_msg_t& kept) {
  Connection& connection = slots_[id];
  unlink(connection);
  connection.state = Connection::State::kLive;
  connection.expelled = false;
  connection.anchor = anchor;
  connection.wire = {};
  zmq_msg_move(&connection.kept, &kept);
  if (anchor != nullptr) cache_[cache_slot(anchor)] = id;
  if (fd < 0) return;

  // The newest connection on this number. If another slot has it, then that one's is over.
  const FdState& state = state_of(fd);
  connection.fd = fd;
  connection.generation = state.generation;
  connection.wire = state.wire;
  const auto [at, added] = by_descriptor_.try_emplace(key(fd, state.generation), id);
  if (!added) {
    going_.push_back({at->second, slots_[at->second].serial});
    slots_[at->second].fd = -1;
    at->second = id;
  }
  if (state.gone) going_.push_back({id, connection.serial});
}

void Connections::unlink(Connection& connection) {
  if (connection.fd >= 0) {
    by_descriptor_.erase(key(connection.fd, connection.generation));
    // What was read stays read, should the connection get another slot.
    FdState& state = state_of(connection.fd);
    if (state.generation == connection.generation) state.wire = connection.wire;
  }
  connection.fd = -1;
  connection.generation = 0;
  connection.anchor = nullptr;
  zmq_msg_close(&connection.kept);
  zmq_msg_init(&connection.kept);
  // So that an end that was noted before does not hit what comes now.
  std::erase_if(going_, [&](const Use& use) { return &slots_[use.id] == &connection; });
}

void Connections::on_event(const ConnectionEvent& event) {
  if (event.what == ConnectionEvent::What::kAccepted) {
    state_of(event.fd) = {event.generation, false};
  } else if (event.what == ConnectionEvent::What::kDisconnected) {
    FdState& state = state_of(event.fd);
    if (state.generation == event.generation) state.gone = true;
    const auto found = by_descriptor_.find(key(event.fd, event.generation));
    if (found == by_descriptor_.end()) return;
    going_.push_back({found->second, slots_[found->second].serial});
  }
}

void Connections::take_gone(std::int64_t now, std::vector<ConnectionId>& gone) {
  for (const Use& use : going_) {
    Connection& connection = slots_[use.id];
    if (connection.serial != use.serial || connection.state != Connection::State::kLive) continue;
    if (connection.fd >= 0) by_descriptor_.erase(key(connection.fd, connection.generation));
    connection.fd = -1;
    connection.state = Connection::State::kGone;
    connection.gone_at = now;
    gone_.push_back(use);
    gone.push_back(use.id);
  }
  going_.clear();
}

void Connections::forget_gone(std::int64_t now, std::int64_t dry_at,
                              std::vector<ConnectionId>& forgotten) {
  while (!gone_.empty()) {
    const Use use = gone_.front();
    const Connection& connection = slots_[use.id];
    const bool over =
        connection.serial != use.serial || connection.state != Connection::State::kGone;
    if (!over) {
      if (now - connection.gone_at < kKeepGone || dry_at <= connection.gone_at) return;
      free(use.id);
      forgotten.push_back(use.id);
    }
    gone_.pop_front();
  }
}

void Connections::free(ConnectionId id) {
  Connection& connection = slots_[id];
  unlink(connection);
  by_identity_.erase(connection.identity);
  if (connection.name.empty()) --unnamed_count_;
  connection.identity = {};
  connection.name = {};
  connection.state = Connection::State::kFree;
  connection.expelled = false;
  connection.serial = 0;
  free_.push_back(id);
}

Connections::FdState& Connections::state_of(int fd) {
  assert(fd >= 0);
  const auto index = static_cast<std::size_t>(fd);
  if (index >= fds_.size()) fds_.resize(index + 1);
  return fds_[index];
}

}  // namespace zpost::net
