// A bare DEALER socket that speaks envelopes by hand: for tests of what the library never does.
#pragma once

#include <zmq.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace zpost::test {

/// An identity for `name`; equal `number`s give equal tokens.
inline std::string identity_of(std::string_view name, unsigned number = 1) {
  std::string token(32, '0');
  for (std::size_t i = 32; number > 0; number /= 16) token[--i] = "0123456789abcdef"[number % 16];
  return std::string(name) + "~" + token;
}

/// A frame's bytes, and its envelopes as views into them.
struct Frame {
  ByteBuffer bytes;
  std::vector<EnvelopeView> envelopes;

  [[nodiscard]] const EnvelopeView* find(Kind kind) const {
    for (const EnvelopeView& view : envelopes) {
      if (view.kind() == kind) return &view;
    }
    return nullptr;
  }
};

class Dealer {
 public:
  explicit Dealer(const std::string& identity) : context_(zmq_ctx_new()) {
    socket_ = zmq_socket(context_, ZMQ_DEALER);
    set(ZMQ_LINGER, 0);
    zmq_setsockopt(socket_, ZMQ_ROUTING_ID, identity.data(), identity.size());
  }

  ~Dealer() { close(); }

  Dealer(const Dealer&) = delete;
  Dealer& operator=(const Dealer&) = delete;

  void set(int option, int value) { zmq_setsockopt(socket_, option, &value, sizeof value); }

  void connect(const std::string& endpoint) { zmq_connect(socket_, endpoint.c_str()); }

  /// Stays until what was sent has left, or for `linger_ms`.
  void close(int linger_ms = 0) {
    if (socket_ == nullptr) return;
    set(ZMQ_LINGER, linger_ms);
    zmq_close(std::exchange(socket_, nullptr));
    zmq_ctx_term(context_);
  }

  /// False: the pipe is full.
  bool send(Bytes bytes, int flags = 0) {
    return zmq_send(socket_, bytes.data(), bytes.size(), flags | ZMQ_DONTWAIT) >= 0;
  }

  bool send(const EnvelopeFields& fields) {
    ByteBuffer bytes;
    append_envelope(bytes, fields);
    return send(bytes);
  }

  /// `instance` is repeated to 32 digits.
  bool hello(std::string_view name, char instance = 'a', bool acks = false) {
    Hello hello;
    hello.instance = std::string(32, instance);
    hello.acks = acks;
    const ByteBuffer body = encode(hello);
    return send({.kind = Kind::kHello, .from = name, .body = body});
  }

  /// The next frame, if there is one already.
  std::optional<Frame> receive() {
    zmq_msg_t message;
    zmq_msg_init(&message);
    std::optional<Frame> frame;
    if (zmq_msg_recv(&message, socket_, ZMQ_DONTWAIT) >= 0) {
      const auto* const data = static_cast<const std::byte*>(zmq_msg_data(&message));
      frame.emplace().bytes.assign(data, data + zmq_msg_size(&message));
      FrameReader reader(frame->bytes);
      EnvelopeView view;
      while (reader.next(view)) frame->envelopes.push_back(view);
    }
    zmq_msg_close(&message);
    return frame;
  }

  /// Whether the connection was lost. Call watch() before.
  bool lost() {
    char event[6];
    while (zmq_recv(monitor_, event, sizeof event, ZMQ_DONTWAIT) >= 0) {
      char endpoint[1];
      zmq_recv(monitor_, endpoint, sizeof endpoint, ZMQ_DONTWAIT);
      lost_ = true;
    }
    return lost_;
  }

  void watch() {
    zmq_socket_monitor(socket_, "inproc://dealer", ZMQ_EVENT_DISCONNECTED);
    monitor_ = zmq_socket(context_, ZMQ_PAIR);
    zmq_connect(monitor_, "inproc://dealer");
  }

  /// Ends the watch; must come before the end if watch() was called.
  void unwatch() {
    zmq_socket_monitor(socket_, nullptr, 0);
    zmq_close(std::exchange(monitor_, nullptr));
  }

 private:
  void* context_;
  void* socket_ = nullptr;
  void* monitor_ = nullptr;
  bool lost_ = false;
};

}  // namespace zpost::test
