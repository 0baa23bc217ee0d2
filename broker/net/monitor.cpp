#include "broker/net/monitor.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "broker/core/time.h"
#include "broker/net/clock.h"

namespace zpost::net {

namespace {

constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                        ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
constexpr std::int64_t kFullPause = 5 * core::kMillisecond;
constexpr std::size_t kMaxExpulsions = 65'536;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(zmq_errno(), std::generic_category(), what);
}

}  // namespace

Monitor::Monitor(void* context, void* socket, Wake& wake) : socket_(socket), routing_wake_(wake) {
  // One per socket of the context.
  const std::string endpoint = fmt::format("inproc://zpost-connections-{}", socket);
  if (zmq_socket_monitor(socket, endpoint.c_str(), kEvents) != 0) fail("zmq_socket_monitor");
  pair_ = zmq_socket(context, ZMQ_PAIR);
  if (pair_ == nullptr) fail("zmq_socket");
  const int unlimited = 0;
  zmq_setsockopt(pair_, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
  zmq_setsockopt(pair_, ZMQ_LINGER, &unlimited, sizeof unlimited);
  std::size_t size = sizeof pair_fd_;
  if (zmq_connect(pair_, endpoint.c_str()) != 0 ||
      zmq_getsockopt(pair_, ZMQ_FD, &pair_fd_, &size) != 0) {
    const int error = zmq_errno();
    zmq_socket_monitor(socket, nullptr, 0);
    zmq_close(pair_);
    throw std::system_error(error, std::generic_category(), "connecting the monitor");
  }
  thread_ = std::thread([this] { run(); });
}

void Monitor::stop() {
  if (!thread_.joinable()) return;
  // First: a monitor without a reader blocks libzmq for good.
  zmq_socket_monitor(socket_, nullptr, 0);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  own_wake_.signal();
  thread_.join();
  zmq_close(std::exchange(pair_, nullptr));
}

void Monitor::collect(std::vector<ConnectionEvent>& events) {
  const std::lock_guard lock(mutex_);
  if (pair_ == nullptr) return;
  do {
    drain();
    events.insert(events.end(), events_.begin(), events_.end());
  } while (std::exchange(events_, {}).size() >= kMaxEvents);
  pending_.store(false, std::memory_order_release);
}

ConnectionFailures Monitor::failures() {
  const std::lock_guard lock(mutex_);
  return failures_;
}

void Monitor::expel(int fd, std::uint32_t generation, std::int64_t at) {
  const std::lock_guard lock(mutex_);
  const bool known = std::any_of(
      expulsions_.begin(), expulsions_.end(),
      [&](const Expulsion& other) { return other.fd == fd && other.generation == generation; });
  if (known || expulsions_.size() >= kMaxExpulsions) return;
  expulsions_.push_back({fd, generation, at});
  own_wake_.signal();
}

void Monitor::run() {
  ::pthread_setname_np(::pthread_self(), "zpost-monitor");
  for (;;) {
    std::int64_t next = core::kNever;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      drain();
      next = shut_down_due(steady_ns());
      if (events_.size() >= kMaxEvents) next = std::min(next, steady_ns() + kFullPause);
    }
    // ZMQ_FD tells of changes only: drain() left nothing unread, or the pause ends the sleep.
    std::array<pollfd, 2> fds{{{pair_fd_, POLLIN, 0}, {own_wake_.fd(), POLLIN, 0}}};
    const timespec timeout = to_timespec(std::max<std::int64_t>(0, next - steady_ns()));
    ::ppoll(fds.data(), fds.size(), next == core::kNever ? nullptr : &timeout, nullptr);
    own_wake_.clear();
  }
}

void Monitor::drain() {
  ConnectionEvent event;
  bool known = false;
  bool tell = events_.size() >= kMaxEvents / 2;
  while (events_.size() < kMaxEvents && receive(event, known)) {
    if (!known) continue;
    events_.push_back(event);
    tell |= event.what != ConnectionEvent::What::kAccepted;
  }
  if (tell && !pending_.exchange(true, std::memory_order_acq_rel)) routing_wake_.signal();
}

/// The next event; false if there is none for now. `known` is false for those nobody waits for.
bool Monitor::receive(ConnectionEvent& event, bool& known) {
  using What = ConnectionEvent::What;
  std::array<char, 6> head{};  // u16 event, u32 value; the second part is the endpoint.
  const int size = zmq_recv(pair_, head.data(), head.size(), ZMQ_DONTWAIT);
  if (size < 0) return false;
  char endpoint = 0;
  zmq_recv(pair_, &endpoint, 1, ZMQ_DONTWAIT);
  std::uint16_t number = 0;
  std::int32_t value = 0;
  std::memcpy(&number, head.data(), sizeof number);
  std::memcpy(&value, head.data() + sizeof number, sizeof value);

  known = true;
  if (number == ZMQ_EVENT_ACCEPTED && value >= 0) {
    FdState& state = state_of(value);
    state.open = true;
    event = {What::kAccepted, value, ++state.generation};
  } else if ((number == ZMQ_EVENT_DISCONNECTED || number == ZMQ_EVENT_CLOSED) && value >= 0) {
    FdState& state = state_of(value);
    known = state.open;
    state.open = false;
    event = {What::kDisconnected, value, state.generation};
  } else {
    known = false;
    count_failure(number, value);
  }
  return true;
}

void Monitor::count_failure(std::uint16_t number, int error) {
  if (number == ZMQ_EVENT_ACCEPT_FAILED) {
    ++failures_.accepts;
    failures_.accept_error = error;
  } else if (number == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL ||
             number == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
             number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
    ++failures_.handshakes;
  }
}

Monitor::FdState& Monitor::state_of(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= fds_.size()) fds_.resize(index + 1);
  return fds_[index];
}

/// Shuts down what is due. Returns when the next one is.
///
/// The event that a descriptor goes away comes before it is closed, so a generation that still
/// matches here is the one meant, but for the instant between the look and the call.
std::int64_t Monitor::shut_down_due(std::int64_t now) {
  std::int64_t next = core::kNever;
  std::erase_if(expulsions_, [&](const Expulsion& expulsion) {
    const FdState& state = state_of(expulsion.fd);
    if (!state.open || state.generation != expulsion.generation) return true;
    if (expulsion.at > now) {
      next = std::min(next, expulsion.at);
      return false;
    }
    ::shutdown(expulsion.fd, SHUT_RDWR);
    return true;
  });
  return next;
}

}  // namespace zpost::net
