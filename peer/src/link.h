// The DEALER socket of one connection at a time, and the monitor that tells of its loss.
//
// Thread: one call at a time, except where it says otherwise. Descriptors may be polled outside.
#pragma once

#include <zmq.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "peer/src/clock.h"
#include "peer/src/frame_pool.h"
#include "peer/src/state.h"

namespace zpost::peer {

/// A frame from the broker. Its bytes live as long as it does.
class ReceivedFrame {
 public:
  ReceivedFrame() { zmq_msg_init(&message_); }

  ~ReceivedFrame() { zmq_msg_close(&message_); }

  ReceivedFrame(const ReceivedFrame&) = delete;
  ReceivedFrame& operator=(const ReceivedFrame&) = delete;

  [[nodiscard]] Bytes bytes() {
    return {static_cast<const std::byte*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
  }

 private:
  friend class Link;
  zmq_msg_t message_ = {};
};

class Link final : public FrameSink {
 public:
  /// Throws std::system_error when the system has no more of something.
  Link();
  ~Link() override;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Opens a socket with the identity `name`~(new token) and starts to connect. False: libzmq does
  /// not take the endpoint, or the system has no more of something; error() says why. REQUIRES:
  /// !is_open().
  [[nodiscard]] bool open(const std::string& endpoint, const std::string& name);

  [[nodiscard]] bool is_open() const { return socket_ != nullptr; }

  [[nodiscard]] const std::string& error() const { return error_; }

  [[nodiscard]] int error_number() const { return error_number_; }

  /// Gives the connection up at once. Its descriptors stay valid until close_retired().
  void retire();
  /// Gives it up, but lets what was sent go within `linger_ms`.
  void close_gracefully(int linger_ms);

  [[nodiscard]] bool has_retired() const { return !retired_.empty(); }

  /// REQUIRES: nobody polls a descriptor of a retired connection.
  void close_retired();
  /// Ends everything: blocks until what close_gracefully() left has gone or its time is up.
  /// REQUIRES as close_retired(). No call but the destructor may follow.
  void finish();

  /// A number that changes whenever the descriptors do.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  /// To be polled for input; -1 without a connection. Edge-triggered: poll it only after receive()
  /// said false with no send since.
  [[nodiscard]] int descriptor() const { return descriptor_; }

  [[nodiscard]] int monitor_descriptor() const { return monitor_descriptor_; }

  /// False: nothing there now, or no connection.
  [[nodiscard]] bool receive(ReceivedFrame& frame);
  /// What the monitor says: empty, or why the connection is lost.
  [[nodiscard]] std::string loss();

  /// Why a frame could not be sent or received: the connection is lost. Empty: all went well.
  /// Nothing is sent after it, since frames go in order or not at all.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  [[nodiscard]] bool has_failed() const { return !failure_.empty(); }

  void send(FrameRef frame) override;
  void send_control(Bytes frame) override;

  [[nodiscard]] bool busy() override {
    return in_flight_.load(std::memory_order_acquire) != 0 || sent_just_now();
  }

  [[nodiscard]] Time now() override { return Clock::now(); }

  /// The buffers of frames to be sent.
  [[nodiscard]] FramePool& pool() { return pool_; }

  /// Counts frames that were sent, of both kinds.
  [[nodiscard]] std::uint64_t sends() const { return sends_; }

 private:
  struct Retired {
    void* socket;
    void* monitor;
  };

  [[nodiscard]] bool sent_just_now() const;
  [[nodiscard]] bool fail(const char* what);
  void note_failure(const char* what);
  [[nodiscard]] bool set_up(const std::string& name);
  void forget();
  static void give_back(void* data, void* hint);

  FramePool pool_;  // Outlives the context, whose thread gives buffers back.
  std::atomic<int> in_flight_{0};
  void* context_;
  void* socket_ = nullptr;
  void* monitor_ = nullptr;
  int descriptor_ = -1;
  int monitor_descriptor_ = -1;
  std::vector<Retired> retired_;
  std::string error_;
  int error_number_ = 0;
  std::string failure_;  // Of this connection.
  std::uint64_t generation_ = 0;
  std::uint64_t sends_ = 0;
  Time last_send_ = Time::min();
};

}  // namespace zpost::peer
