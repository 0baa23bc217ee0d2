// Serves metrics and health over HTTP, on threads of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "broker/admin/address.h"
#include "broker/admin/bounded_stream.h"
#include "broker/admin/page.h"

namespace zpost::admin {

/// GET and HEAD only, one request a connection. At most kWorkers requests are served at a time and
/// kQueue wait; more wait with the kernel. What a request may take is bounded (BoundedStream).
/// Never waits for the routing thread longer than Pages::kPatience, and never makes it wait.
class Server {
 public:
  static constexpr std::size_t kWorkers = 2;
  static constexpr std::size_t kQueue = 16;

  /// Serves from now on; its threads have the signal mask of the caller. `pages` outlives it.
  /// Error: one line for people; the address is in use, or none of this machine's.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const Address& address,
                                                             const Pages& pages,
                                                             BoundedStream::Bounds bounds = {});

  /// Ends what is being served, and waits for the threads. Snapshots must be closed before.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// With its real port.
  [[nodiscard]] const Address& address() const { return address_; }

 private:
  class Http;

  Server(std::unique_ptr<Http> http, Address address);

  std::unique_ptr<Http> http_;
  const Address address_;
};

}  // namespace zpost::admin
