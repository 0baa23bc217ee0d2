#include "broker/net/receiver.h"

#include <cassert>

namespace zpost::net {

namespace {

// Any property that libzmq sets itself on both transports: a peer cannot leave it out.
constexpr const char* kAnchorProperty = "Peer-Address";

std::string_view text_of(zmq_msg_t& message) {
  return {static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message)};
}

}  // namespace

Receiver::Receiver(RouterSocket& socket, Connections& connections, Monitor& monitor)
    : socket_(socket), connections_(connections), monitor_(monitor) {
  zmq_msg_init(&identity_);
  zmq_msg_init(&body_);
}

Receiver::~Receiver() {
  zmq_msg_close(&identity_);
  zmq_msg_close(&body_);
}

bool Receiver::ready() {
  if (has_identity_ || draining_) return true;
  has_identity_ = socket_.receive(identity_);
  if (!has_identity_) ++dries_;
  return has_identity_;
}

Incoming Receiver::receive(std::int64_t now) {
  Incoming incoming;
  if (!ready()) return incoming;
  if (draining_) {
    drain_parts();
    incoming.kind = Incoming::Kind::kIgnored;
    return incoming;
  }
  has_identity_ = false;
  // A message is readable as a whole or not at all.
  [[maybe_unused]] const bool has_body = socket_.receive(body_);
  assert(has_body);

  identify(incoming, now);
  const bool several = zmq_msg_more(&body_) != 0;
  if (incoming.connection != kNone) {
    Connection& connection = connections_[incoming.connection];
    if (several) {
      connection.wire.read_part(zmq_msg_size(&body_));
    } else {
      connection.wire.read_message(zmq_msg_size(&body_), dries_);
    }
    if (connection.expelled) {
      incoming.kind = Incoming::Kind::kIgnored;
    } else if (connection.name.empty()) {
      incoming.kind = Incoming::Kind::kBadIdentity;
    } else if (several) {
      incoming.kind = Incoming::Kind::kMultipart;
    } else {
      incoming.kind = Incoming::Kind::kFrame;
      incoming.name = connection.name;
      incoming.bytes = as_bytes(text_of(body_));
      incoming.message = &body_;
    }
  }
  if (several) {
    draining_from_ = incoming.connection;
    drain_parts();
  }
  return incoming;
}

/// Reads on to the end of the message, or so far that timers are served in between.
void Receiver::drain_parts() {
  draining_ = true;
  for (int parts = 0; parts < kMaxParts; ++parts) {
    [[maybe_unused]] const bool has_part = socket_.receive(body_);
    assert(has_part);
    if (connections_.exists(draining_from_)) {
      connections_[draining_from_].wire.read_part(zmq_msg_size(&body_));
    }
    if (zmq_msg_more(&body_) == 0) {
      draining_ = false;
      return;
    }
  }
}

/// Sets `incoming.connection`, kNone if there is no room for it.
void Receiver::identify(Incoming& incoming, std::int64_t now) {
  // Of the body: after a poll the first part would have no properties.
  const Anchor anchor = zmq_msg_gets(&body_, kAnchorProperty);
  incoming.kind = Incoming::Kind::kIgnored;
  incoming.connection = connections_.find(anchor);
  if (incoming.connection == kNone) identify_slowly(incoming, anchor, now);
}

void Receiver::identify_slowly(Incoming& incoming, Anchor anchor, std::int64_t now) {
  const std::string_view identity = text_of(identity_);
  incoming.connection = connections_.find(identity);
  const bool known = incoming.connection != kNone;
  if (known && connections_[incoming.connection].anchor == anchor) return;

  // A connection's first frame. Its descriptor was accepted before, so the event is there.
  collect_events();
  const int fd = anchor == nullptr ? -1 : zmq_msg_get(&body_, ZMQ_SRCFD);
  if (known) {
    // libzmq leaves the connection that was taken over open, but never reads it again.
    const Connection& old = connections_[incoming.connection];
    if (old.fd >= 0) monitor_.expel(old.fd, old.generation, now);
    incoming.handover = true;
  } else {
    const Connections::Made made = connections_.make(identity);
    incoming.connection = made.id;
    incoming.forgotten = made.forgotten;
  }
  if (incoming.connection != kNone) {
    connections_.link(incoming.connection, fd, anchor, identity_);
    const char* const address = zmq_msg_gets(&body_, "Peer-Address");
    if (address != nullptr) incoming.address = address;
    return;
  }
  ++refused_;
  if (fd >= 0) monitor_.expel(fd, connections_.generation(fd), now);
}

void Receiver::collect_events() {
  events_.clear();
  monitor_.collect(events_);
  for (const ConnectionEvent& event : events_) connections_.on_event(event);
}

}  // namespace zpost::net
