#include "broker/net/self_test.h"

#include <fmt/format.h>
#include <zmq.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "broker/net/monitor.h"

namespace zpost::net {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 2'000ms;

Error broken(std::string_view what) {
  int major = 0;
  int minor = 0;
  int patch = 0;
  zmq_version(&major, &minor, &patch);
  return {Outcome::kNone, fmt::format("this libzmq ({}.{}.{}) {}: use 4.3.4 or later, or report it",
                                      major, minor, patch, what)};
}

/// A socket that is closed.
class Socket {
 public:
  Socket(void* context, int type) : handle_(zmq_socket(context, type)) {
    const int zero = 0;
    zmq_setsockopt(handle_, ZMQ_LINGER, &zero, sizeof zero);
  }

  ~Socket() { zmq_close(handle_); }

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] void* handle() const { return handle_; }

 private:
  void* handle_;
};

struct Message {
  Message() {
    zmq_msg_init(&identity);
    zmq_msg_init(&body);
  }

  ~Message() {
    zmq_msg_close(&identity);
    zmq_msg_close(&body);
  }

  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  [[nodiscard]] bool receive(void* socket) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (zmq_msg_recv(&identity, socket, ZMQ_DONTWAIT) < 0) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return zmq_msg_recv(&body, socket, ZMQ_DONTWAIT) >= 0;
  }

  zmq_msg_t identity{};
  zmq_msg_t body{};
};

}  // namespace

Result<void> self_test(void* context) {
  const Socket router(context, ZMQ_ROUTER);
  const Socket dealer(context, ZMQ_DEALER);
  Wake wake;
  Monitor monitor(context, router.handle(), wake);
  std::array<char, 256> endpoint{};
  std::size_t size = endpoint.size();
  if (zmq_bind(router.handle(), "tcp://127.0.0.1:*") != 0 ||
      zmq_getsockopt(router.handle(), ZMQ_LAST_ENDPOINT, endpoint.data(), &size) != 0 ||
      zmq_connect(dealer.handle(), endpoint.data()) != 0) {
    return broken(fmt::format("cannot use the loopback device ({})", zmq_strerror(zmq_errno())));
  }
  // Longer than what libzmq keeps in the message itself.
  const std::string content(100, 'x');
  Message first;
  Message second;
  for (int i = 0; i < 2; ++i) zmq_send(dealer.handle(), content.data(), content.size(), 0);
  if (!first.receive(router.handle()) || !second.receive(router.handle())) {
    return broken("does not deliver over the loopback device");
  }

  const char* const anchor = zmq_msg_gets(&first.body, "Peer-Address");
  if (anchor == nullptr || anchor != zmq_msg_gets(&second.body, "Peer-Address") ||
      anchor != zmq_msg_gets(&first.identity, "Peer-Address")) {
    return broken("does not tell connections apart (zmq_msg_gets)");
  }
  std::vector<ConnectionEvent> events;
  monitor.collect(events);
  monitor.stop();
  const int fd = zmq_msg_get(&first.body, ZMQ_SRCFD);
  for (const ConnectionEvent& event : events) {
    if (event.what == ConnectionEvent::What::kAccepted && event.fd == fd) return {};
  }
  return broken("does not tell a message's descriptor (ZMQ_SRCFD)");
}

}  // namespace zpost::net
