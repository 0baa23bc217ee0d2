#include "peer/src/link.h"

#include <sched.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "peer/src/endpoint.h"
#include "zpost/protocol/names.h"

namespace zpost::peer {
namespace {

constexpr int kEvents = ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
constexpr int kReceiveFrames = 16 * 1024;  // Above any window; it only bounds a broken broker.
constexpr std::chrono::microseconds kJustNow{20};

/// The result of `call`, a call of libzmq, made again as long as a signal interrupts it: most calls
/// look after libzmq's own affairs first, and that fails with EINTR even if they need not wait.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result == decltype(result)(-1) && errno == EINTR) result = call();
  return result;
}

bool set(void* socket, int option, int value) {
  return uninterrupted([&] { return zmq_setsockopt(socket, option, &value, sizeof value); }) == 0;
}

bool connect(void* socket, const std::string& endpoint) {
  return uninterrupted([&] { return zmq_connect(socket, endpoint.c_str()); }) == 0;
}

int descriptor_of(void* socket) {
  int descriptor = -1;
  std::size_t size = sizeof descriptor;
  const auto get = [&] { return zmq_getsockopt(socket, ZMQ_FD, &descriptor, &size); };
  return uninterrupted(get) == 0 ? descriptor : -1;
}

std::string text_of(std::uint16_t event) {
  switch (event) {
    case ZMQ_EVENT_CLOSED:
      return "nobody listens there";
    case ZMQ_EVENT_DISCONNECTED:
      return "the connection ended";
    default:
      return "the handshake failed: no zpost broker listens there";
  }
}

/// The number of the next event that waits at `monitor`; 0: none.
std::uint16_t next_event(void* monitor) {
  std::uint16_t event = 0;
  zmq_msg_t part;
  zmq_msg_init(&part);
  int more = 0;
  bool first = true;
  do {
    if (uninterrupted([&] { return zmq_msg_recv(&part, monitor, ZMQ_DONTWAIT); }) < 0) break;
    if (first && zmq_msg_size(&part) >= sizeof event) {
      std::memcpy(&event, zmq_msg_data(&part), sizeof event);
    }
    first = false;
    more = zmq_msg_more(&part);
  } while (more != 0);
  zmq_msg_close(&part);
  return event;
}

}  // namespace

Link::Link() : context_(zmq_ctx_new()) {
  if (context_ == nullptr) throw std::system_error(errno, std::generic_category(), "zmq_ctx_new");
  // docs/adr/0022. Who chose a policy for the program keeps it.
  if (::sched_getscheduler(0) == SCHED_OTHER) {
    zmq_ctx_set(context_, ZMQ_THREAD_SCHED_POLICY, SCHED_BATCH);
  }
}

Link::~Link() {
  finish();
}

void Link::finish() {
  if (context_ == nullptr) return;
  retire();
  close_retired();
  while (zmq_ctx_term(context_) != 0 && errno == EINTR) {
  }
  context_ = nullptr;
}

bool Link::fail(const char* what) {
  error_number_ = errno;
  error_ = std::string(what) + ": " + zmq_strerror(error_number_);
  forget();
  return false;
}

bool Link::set_up(const std::string& name) {
  const std::string identity = name + "~" + random_hex(kTokenHexDigits);
  bool done = uninterrupted([&] {
                return zmq_setsockopt(socket_, ZMQ_ROUTING_ID, identity.data(), identity.size());
              }) == 0;
  // libzmq's own reconnect would send an unsent tail before any hello.
  done = done && set(socket_, ZMQ_RECONNECT_IVL, -1) && set(socket_, ZMQ_LINGER, 0);
  // No heartbeats of ZMTP: State watches over the broker, and libzmq at the other end aborts when
  // it comes to one after it stopped reading and lost the connection (zeromq/libzmq#4841).
  // What is sent is bounded by credit, what is received by the window.
  return done && set(socket_, ZMQ_SNDHWM, 0) && set(socket_, ZMQ_RCVHWM, kReceiveFrames);
}

bool Link::open(const std::string& endpoint, const std::string& name) {
  assert(!is_open());
  ++generation_;
  socket_ = zmq_socket(context_, ZMQ_DEALER);
  if (socket_ == nullptr || !set_up(name)) return fail("socket");
  const std::string events = "inproc://monitor-" + std::to_string(generation_);
  const auto watch = [&] { return zmq_socket_monitor(socket_, events.c_str(), kEvents); };
  if (uninterrupted(watch) != 0) return fail("monitor");
  monitor_ = zmq_socket(context_, ZMQ_PAIR);
  if (monitor_ == nullptr || !set(monitor_, ZMQ_LINGER, 0) || !connect(monitor_, events)) {
    return fail("monitor");
  }
  // Only for an address: of a name with both sorts libzmq would try an IPv6 one and no other.
  if (!set(socket_, ZMQ_IPV6, is_ipv6_endpoint(endpoint) ? 1 : 0)) return fail("socket");
  descriptor_ = descriptor_of(socket_);
  monitor_descriptor_ = descriptor_of(monitor_);
  if (!connect(socket_, endpoint)) return fail("connect");
  return true;
}

void Link::forget() {
  ++generation_;
  failure_.clear();
  // Before its reader goes: an event nobody reads would hang libzmq's thread.
  if (socket_ != nullptr) {
    uninterrupted([this] { return zmq_socket_monitor(socket_, nullptr, 0); });
  }
  retired_.push_back({std::exchange(socket_, nullptr), std::exchange(monitor_, nullptr)});
  descriptor_ = monitor_descriptor_ = -1;
}

void Link::retire() {
  if (is_open()) forget();
}

void Link::close_gracefully(int linger_ms) {
  if (!is_open()) return;
  set(socket_, ZMQ_LINGER, linger_ms);
  forget();
}

void Link::close_retired() {
  for (const Retired& retired : retired_) {
    if (retired.socket != nullptr) zmq_close(retired.socket);
    if (retired.monitor != nullptr) zmq_close(retired.monitor);
  }
  retired_.clear();
}

bool Link::receive(ReceivedFrame& frame) {
  if (socket_ == nullptr) return false;
  const auto get = [&] { return zmq_msg_recv(&frame.message_, socket_, ZMQ_DONTWAIT); };
  if (uninterrupted(get) >= 0) return true;
  if (errno != EAGAIN) note_failure("receiving");
  return false;
}

void Link::note_failure(const char* what) {
  if (failure_.empty()) failure_ = std::string(what) + ": " + zmq_strerror(errno);
}

std::string Link::loss() {
  if (monitor_ == nullptr) return {};
  const std::uint16_t event = next_event(monitor_);
  return event == 0 ? std::string() : text_of(event);
}

bool Link::sent_just_now() const {
  return Clock::now() < last_send_ + kJustNow;
}

void Link::give_back(void* /*data*/, void* hint) {
  // On libzmq's thread.
  auto* const buffer = static_cast<FrameBuffer*>(hint);
  buffer->in_flight->fetch_sub(1, std::memory_order_release);
  FrameRef::adopt(buffer).reset();
}

void Link::send(FrameRef frame) {
  if (socket_ == nullptr || has_failed()) return;  // Its copy stays in the ledger.
  ++sends_;
  last_send_ = Clock::now();
  frame->in_flight = &in_flight_;
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  std::byte* const data = frame->bytes.get();
  const std::size_t size = frame->size;
  zmq_msg_t message;
  zmq_msg_init_data(&message, data, size, give_back, frame.release());
  const auto put = [&] { return zmq_msg_send(&message, socket_, ZMQ_DONTWAIT); };
  if (uninterrupted(put) >= 0) return;
  note_failure("sending");
  zmq_msg_close(&message);
}

void Link::send_control(Bytes frame) {
  if (socket_ == nullptr || has_failed()) return;
  ++sends_;
  const auto put = [&] { return zmq_send(socket_, frame.data(), frame.size(), ZMQ_DONTWAIT); };
  if (uninterrupted(put) < 0) note_failure("sending");
}

}  // namespace zpost::peer
