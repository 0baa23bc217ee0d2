#include "broker/net/router_socket.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace zpost::net {

namespace {

constexpr int kBacklog = 4096;
constexpr int kHandshakeMs = 5'000;
constexpr int kKeepaliveProbes = 4;
constexpr std::uint64_t kMinSendFrames = 128;

int to_ms(std::int64_t ns) {
  return static_cast<int>(std::clamp<std::int64_t>(ns / core::kMillisecond, 1, INT32_MAX));
}

[[noreturn]] void die(const char* what) {
  // Only what cannot happen with valid arguments: going on would lose frames in silence.
  std::fprintf(stderr, "zpost-broker: %s: %s\n", what, zmq_strerror(zmq_errno()));
  std::abort();
}

template <typename Value>
void set(void* socket, int option, Value value) {
  if (zmq_setsockopt(socket, option, &value, sizeof value) == 0) return;
  throw std::system_error(zmq_errno(), std::generic_category(),
                          fmt::format("zmq_setsockopt({}, {})", option, value));
}

void set_options(void* socket, const SocketSettings& settings, const core::Limits& limits) {
  const std::uint64_t send_frames = std::max(kMinSendFrames, 2 * limits.window_frames);
  const int silence_ms = to_ms(limits.silence_ns);

  // Without it a frame to a vanished or full pipe is dropped in silence.
  set(socket, ZMQ_ROUTER_MANDATORY, 1);
  // Without it a peer that reconnects under its old identity is never read again.
  set(socket, ZMQ_ROUTER_HANDOVER, 1);
  set(socket, ZMQ_SNDHWM, static_cast<int>(send_frames));
  set(socket, ZMQ_RCVHWM, settings.receive_frames);
  set(socket, ZMQ_MAXMSGSIZE, static_cast<std::int64_t>(limits.max_frame()));
  set(socket, ZMQ_LINGER, 0);
  set(socket, ZMQ_BACKLOG, kBacklog);
  set(socket, ZMQ_HANDSHAKE_IVL, kHandshakeMs);
  // No heartbeats of ZMTP: each is a timer, and libzmq looks through all timers to stop one, which
  // with thousands of connections is all it does (docs/adr/0015). The core pings those who can
  // answer; of the others TCP notices when they are gone.
  set(socket, ZMQ_TCP_MAXRT, silence_ms);
  set(socket, ZMQ_TCP_KEEPALIVE, 1);
  set(socket, ZMQ_TCP_KEEPALIVE_IDLE, std::max(silence_ms / 2000, 1));
  set(socket, ZMQ_TCP_KEEPALIVE_INTVL, std::max(silence_ms / 8000, 1));
  set(socket, ZMQ_TCP_KEEPALIVE_CNT, kKeepaliveProbes);
}

/// Whether somebody listens on a path already: libzmq would unlink the path under them.
bool answers(const Endpoint& endpoint) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& path = endpoint.address;
  std::memcpy(address.sun_path, path.data(), path.size());
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (path.front() == '@') {
    address.sun_path[0] = '\0';
  } else {
    ++length;
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0;
  ::close(fd);
  return connected;
}

Error cannot_listen(const Endpoint& endpoint, int error) {
  std::string_view hint = "see --help for what --listen takes";
  switch (error) {
    case EADDRINUSE:
      hint = "another program listens there: stop it, or choose another endpoint with --listen";
      break;
    case EADDRNOTAVAIL:
    case ENODEV:
      hint = "this machine has no such address: list its addresses with `ip addr`";
      break;
    case EACCES:
      hint = "not allowed: take a port above 1023, or a path that you may write";
      break;
    case ENOENT:
    case ENOTDIR:
      hint = "the directory does not exist";
      break;
    case EMFILE:
      hint = "no descriptor is left: raise the limit with `ulimit -n`";
      break;
    default:
      break;
  }
  return {Outcome::kNone,
          fmt::format("cannot listen on {}: {}; {}", endpoint.text, zmq_strerror(error), hint)};
}

}  // namespace

RouterSocket::RouterSocket(const SocketSettings& settings, const core::Limits& limits) {
  // The ids that ROUTER makes up for others start from rand(): guessed, they would let a peer bring
  // the next one down with the broker.
  unsigned seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) die("getrandom");
  std::srand(seed);

  context_ = zmq_ctx_new();
  if (context_ == nullptr) throw std::system_error(zmq_errno(), std::generic_category(), "zmq_ctx");
  zmq_ctx_set(context_, ZMQ_IO_THREADS, settings.io_threads);
  // docs/adr/0022. Who chose a policy for the whole broker keeps it.
  if (::sched_getscheduler(0) == SCHED_OTHER) {
    zmq_ctx_set(context_, ZMQ_THREAD_SCHED_POLICY, SCHED_BATCH);
  }
  socket_ = zmq_socket(context_, ZMQ_ROUTER);
  if (socket_ == nullptr) {
    const int error = zmq_errno();
    zmq_ctx_term(context_);
    throw std::system_error(error, std::generic_category(), "zmq_socket");
  }
  try {
    set_options(socket_, settings, limits);
  } catch (...) {
    close(0);
    throw;
  }
  std::size_t size = sizeof fd_;
  if (zmq_getsockopt(socket_, ZMQ_FD, &fd_, &size) != 0) die("ZMQ_FD");
}

RouterSocket::~RouterSocket() {
  close(0);
}

void RouterSocket::close(int linger_ms) {
  if (socket_ != nullptr) {
    zmq_setsockopt(socket_, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close(std::exchange(socket_, nullptr));
  }
  if (context_ == nullptr) return;
  while (zmq_ctx_term(context_) != 0 && zmq_errno() == EINTR) {
  }
  context_ = nullptr;
}

Result<std::string> RouterSocket::bind(const Endpoint& endpoint) {
  const bool path = endpoint.transport == Endpoint::Transport::kIpc && endpoint.address != "*";
  if (path && answers(endpoint)) return cannot_listen(endpoint, EADDRINUSE);
  // Only where asked: with it an IPv4 endpoint would be reported as a mapped one.
  set(socket_, ZMQ_IPV6, endpoint.is_ipv6() ? 1 : 0);
  if (zmq_bind(socket_, endpoint.text.c_str()) != 0) return cannot_listen(endpoint, zmq_errno());
  std::array<char, 512> resolved{};
  std::size_t size = resolved.size();
  if (zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, resolved.data(), &size) != 0) {
    return endpoint.text;
  }
  return std::string(resolved.data());
}

bool RouterSocket::receive(zmq_msg_t& part) {
  for (;;) {
    if (zmq_msg_recv(&part, socket_, ZMQ_DONTWAIT) >= 0) return true;
    if (zmq_errno() == EAGAIN) return false;
    if (zmq_errno() != EINTR) die("zmq_msg_recv");
  }
}

void RouterSocket::make_message(Bytes bytes, zmq_msg_t& message) {
  if (zmq_msg_init_size(&message, bytes.size()) != 0) die("zmq_msg_init_size");
  if (!bytes.empty()) std::memcpy(zmq_msg_data(&message), bytes.data(), bytes.size());
}

RouterSocket::Sent RouterSocket::send(zmq_msg_t& identity, zmq_msg_t& body) {
  // Identities are longer than what libzmq keeps inside a message: a copy shares, and allocates
  // nothing. What else it copies, flags and properties, zmq_msg_send() sets anew.
  zmq_msg_t address;
  zmq_msg_init(&address);
  if (zmq_msg_copy(&address, &identity) != 0) die("zmq_msg_copy");
  while (zmq_msg_send(&address, socket_, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
    const int error = zmq_errno();
    if (error == EINTR) continue;
    zmq_msg_close(&address);
    if (error == EAGAIN) return Sent::kFull;
    if (error == EHOSTUNREACH) return Sent::kUnreachable;
    die("zmq_msg_send");
  }
  // Taken or, if the pipe died this moment, dropped: then the connection's end is on its way.
  while (zmq_msg_send(&body, socket_, ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() != EINTR) die("zmq_msg_send");
  }
  return Sent::kYes;
}

}  // namespace zpost::net
