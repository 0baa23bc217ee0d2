#include "broker/net/executor.h"

#include <algorithm>
#include <cassert>

namespace zpost::net {

using core::Action;
using core::Op;

void Executor::execute(const core::Actions& actions, const Incoming* incoming, std::int64_t now) {
  blocked_.clear();
  unreachable_.clear();
  has_tap_actions_ = false;
  const Bytes arena = actions.arena;
  const auto bytes_of = [&](const Action& action) {
    const Bytes source = action.source == core::Source::kFrame ? incoming->bytes : arena;
    return source.subspan(action.offset, action.length);
  };
  for (const Action& action : actions.list) {
    switch (action.op) {
      case Op::kOpen:
        drop(action.session);
        bind(outbox(action.session), action.connection);
        break;
      case Op::kBind:
        bind(outbox(action.session), action.connection);
        break;
      case Op::kUnbind:
        bind(outbox(action.session), kNone);
        break;
      case Op::kAppend:
        append(action, bytes_of(action));
        break;
      case Op::kWhole:
        queue_of(action).append_whole(*incoming->message);
        break;
      case Op::kTransmit:
        transmit(action.session);
        break;
      case Op::kEnqueue:
        outbox(action.session).topics.move_front(outbox(action.session).queue);
        break;
      case Op::kDropOldest:
        outbox(action.session).topics.drop_oldest(action.count);
        break;
      case Op::kRelease:
        outbox(action.session).queue.release(action.count);
        break;
      case Op::kRewind:
        unblock(outbox(action.session));  // All of it waits anyway.
        outbox(action.session).queue.rewind(action.count);
        break;
      case Op::kControl:
        control(action.connection, action.session, bytes_of(action));
        break;
      case Op::kDrop:
        drop(action.session);
        break;
      case Op::kExpel:
        expel(action.connection, now);
        break;
      case Op::kTap:
      case Op::kRecall:
      case Op::kUntap:
        has_tap_actions_ = true;
        break;
    }
  }
  shared_append_.forget();
  if (!blocked_.empty()) end_list();
}

void Executor::trim() {
  for (Outbox& box : outboxes_) box.queue.forget_left();
}

void Executor::append(const Action& action, Bytes bytes) {
  if (action.shared) return queue_of(action).append_shared(bytes, action.fresh, shared_append_);
  queue_of(action).append(bytes, action.fresh);
}

Executor::Outbox& Executor::outbox(core::SessionId session) {
  assert(session != kNone);
  while (session >= outboxes_.size()) outboxes_.emplace_back(pool_);
  return outboxes_[session];
}

BundleQueue& Executor::queue_of(const Action& action) {
  Outbox& box = outbox(action.session);
  return action.topics ? box.topics : box.queue;
}

void Executor::bind(Outbox& box, ConnectionId connection) {
  box.connection = connections_.exists(connection) ? connection : kNone;
  box.serial = box.connection == kNone ? 0 : connections_[connection].serial;
}

void Executor::transmit(core::SessionId session) {
  Outbox& box = outbox(session);
  const Bundle* const bundle = box.queue.next_waiting();
  assert(bundle != nullptr);
  if (box.blocked == 0 && connections_.exists(box.connection) &&
      connections_[box.connection].serial == box.serial && box.queue.may_leave(bundle->size())) {
    zmq_msg_t message;
    ChunkPool::make_message(*bundle->chunk, bundle->begin, bundle->size(), message);
    if (send(box.connection, message)) return box.queue.hand_over();
    zmq_msg_close(&message);
  }
  ++block(box, session).bundles;
}

void Executor::control(ConnectionId connection, core::SessionId session, Bytes bytes) {
  if (!connections_.exists(connection)) return;
  const bool told = session != kNone;
  if (!told || outbox(session).blocked == 0) {
    zmq_msg_t message;
    RouterSocket::make_message(bytes, message);
    if (send(connection, message)) return;
    zmq_msg_close(&message);
  }
  if (told) block(outbox(session), session).control = true;
}

bool Executor::send(ConnectionId connection, zmq_msg_t& message) {
  const std::size_t size = zmq_msg_size(&message);  // Sending empties it.
  switch (socket_.send(connections_[connection].kept, message)) {
    case RouterSocket::Sent::kYes:
      sent_.add(size);
      return true;
    case RouterSocket::Sent::kFull:
      return false;
    case RouterSocket::Sent::kUnreachable:
      break;
  }
  if (std::find(unreachable_.begin(), unreachable_.end(), connection) == unreachable_.end()) {
    unreachable_.push_back(connection);
  }
  return false;
}

core::Blocked& Executor::block(Outbox& box, core::SessionId session) {
  if (box.blocked == 0) {
    blocked_.push_back({session, 0, false});
    box.blocked = static_cast<std::uint32_t>(blocked_.size());
  }
  return blocked_[box.blocked - 1];
}

void Executor::drop(core::SessionId session) {
  Outbox& box = outbox(session);
  box.queue.clear();
  box.topics.clear();
  bind(box, kNone);
  unblock(box);
}

/// Forgets that something was blocked in this list.
void Executor::unblock(Outbox& box) {
  if (box.blocked == 0) return;
  blocked_[box.blocked - 1].session = kNone;
  box.blocked = 0;
}

void Executor::expel(ConnectionId connection, std::int64_t now) {
  if (!connections_.exists(connection)) return;
  Connection& slot = connections_[connection];
  slot.expelled = true;
  if (slot.fd >= 0) monitor_.expel(slot.fd, slot.generation, now + kExpelGrace);
}

void Executor::end_list() {
  std::erase_if(blocked_, [](const core::Blocked& blocked) { return blocked.session == kNone; });
  for (const core::Blocked& blocked : blocked_) outboxes_[blocked.session].blocked = 0;
}

}  // namespace zpost::net
