#include "broker/admin/server.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "broker/admin/bounded_queue.h"

namespace zpost::admin {

namespace {

constexpr int kNotAllowed = 405;

}  // namespace

/// The library's server, with connections of ours.
class Server::Http : public httplib::Server {
 public:
  Http(const Pages& pages, BoundedStream::Bounds bounds)
      : pages_(pages), bounds_(bounds), stop_fd_(::eventfd(0, EFD_CLOEXEC)) {
    if (stop_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    new_task_queue = [] { return new BoundedQueue(kWorkers, kQueue); };
    // Two brokers on one port would take turns; the library's default allows that.
    set_socket_options([](socket_t socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
      return HandlerResponse::Handled;
    });
  }

  ~Http() override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_fd_, &one, sizeof one);
    stop();
    if (thread_.joinable()) thread_.join();
    ::close(stop_fd_);
  }

  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  /// REQUIRES: it is bound.
  void run() {
    thread_ = std::thread([this] { listen_after_bind(); });
    // Until then stop() would do nothing.
    while (!is_running()) std::this_thread::yield();
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    BoundedStream stream(socket, stop_fd_, bounds_);
    bool closed = false;
    const bool good = process_request(stream, true, closed, nullptr);
    ::shutdown(socket, SHUT_RDWR);
    ::close(socket);
    return good;
  }

  void answer(const httplib::Request& request, httplib::Response& response) const {
    if (request.method != "GET" && request.method != "HEAD") {
      response.status = kNotAllowed;
      response.set_header("Allow", "GET, HEAD");
      response.set_content("only GET and HEAD are served\n", "text/plain");
      return;
    }
    const Page page = pages_.page(request.path);
    response.status = page.status;
    response.set_content(page.body, page.type);
  }

  const Pages& pages_;
  const BoundedStream::Bounds bounds_;
  const int stop_fd_;
  std::thread thread_;
};

Server::Server(std::unique_ptr<Http> http, Address address)
    : http_(std::move(http)), address_(std::move(address)) {
  http_->run();
}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const Address& address, const Pages& pages,
                                              BoundedStream::Bounds bounds) {
  auto http = std::make_unique<Http>(pages, bounds);
  Address bound = address;
  errno = 0;
  if (address.port == 0) {
    const int port = http->bind_to_any_port(address.host);
    bound.port = static_cast<std::uint16_t>(std::max(port, 0));
  } else if (!http->bind_to_port(address.host, address.port)) {
    bound.port = 0;
  }
  if (bound.port == 0) {
    return Error{Outcome::kNone, fmt::format("cannot serve on {}: {}", address.url(),
                                             std::strerror(errno != 0 ? errno : EADDRINUSE))};
  }
  return std::unique_ptr<Server>(new Server(std::move(http), std::move(bound)));
}

}  // namespace zpost::admin
