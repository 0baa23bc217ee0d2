#include "peer/cli/shared/probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/shared/zmtp.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

constexpr const char* kStartOne =
    "Start one with: zpost-broker\nOr name another: --endpoint ENDPOINT, or ZPOST_ENDPOINT";
constexpr milliseconds kHttpPatience{500};  // A broker's answer is there at once.
constexpr const char* kOtherProgram =
    "Another program has this port: name the broker's with --endpoint ENDPOINT, or ZPOST_ENDPOINT";

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

struct Lookup {
  int error = EAI_AGAIN;
  std::vector<Address> addresses;
};

class Socket {
 public:
  explicit Socket(int family)
      : descriptor_(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}

  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

int milliseconds_to(Deadline deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::max<milliseconds::rep>(left.count(), 0));
}

Lookup look_up(const std::string& host, const std::string& port) {
  Lookup result;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  result.error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Address& address = result.addresses.emplace_back();
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
  }
  if (found != nullptr) ::freeaddrinfo(found);
  return result;
}

/// getaddrinfo() takes as long as name servers do. What is not there in time is left to its thread.
Lookup look_up_until(const std::string& host, const std::string& port, Deadline deadline) {
  const auto promise = std::make_shared<std::promise<Lookup>>();
  std::future<Lookup> future = promise->get_future();
  std::thread([promise, host, port] { promise->set_value(look_up(host, port)); }).detach();
  return future.wait_until(deadline) == std::future_status::ready ? future.get() : Lookup();
}

/// 0, or an errno.
int connect_until(int descriptor, const Address& address, Deadline deadline) {
  const auto* const where = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(descriptor, where, address.size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd entry{descriptor, POLLOUT, 0};
  if (::poll(&entry, 1, milliseconds_to(deadline)) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

enum class Heard : std::uint8_t { kSomething, kNothing, kEnd };

/// Waits for more and appends it; kNothing: time is up; kEnd: the other side hung up.
Heard hear(int descriptor, Deadline deadline, std::string& heard) {
  pollfd entry{descriptor, POLLIN, 0};
  if (::poll(&entry, 1, milliseconds_to(deadline)) <= 0) return Heard::kNothing;
  std::array<char, 512> chunk{};
  const ssize_t count = ::recv(descriptor, chunk.data(), chunk.size(), 0);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return Heard::kEnd;
  if (count > 0) heard.append(chunk.data(), static_cast<std::size_t>(count));
  return Heard::kSomething;
}

/// Says what a DEALER says and collects what comes, until it is enough to tell or time is up.
/// True: the other side hung up.
bool converse(int descriptor, Deadline deadline, std::string& heard) {
  constexpr std::size_t kMost = 4096;
  const auto say = [descriptor](const std::string& bytes) {
    (void)::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  };
  say(zmtp_greeting());
  bool ready = false;
  while (heard.size() < kMost && !zmtp_socket_type(heard)) {
    if (!heard.empty() && !may_be_zmtp(heard)) return false;
    if (!ready && zmtp_mechanism(heard)) {
      if (*zmtp_mechanism(heard) != "NULL") return false;
      ready = true;
      say(zmtp_ready());
    }
    const Heard what = hear(descriptor, deadline, heard);
    if (what != Heard::kSomething) return what == Heard::kEnd;
  }
  return false;
}

/// Whatever comes in answer to a browser's question, until time is up.
std::string page_at(const Address& address, Deadline deadline) {
  constexpr std::string_view kQuestion = "GET / HTTP/1.0\r\n\r\n";
  constexpr std::size_t kMost = 4096;
  const Socket socket(address.storage.ss_family);
  if (socket.get() < 0 || connect_until(socket.get(), address, deadline) != 0) return "";
  (void)::send(socket.get(), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL);
  std::string page;
  while (page.size() < kMost && hear(socket.get(), deadline, page) == Heard::kSomething) {
  }
  return page;
}

/// What the page of a zpost broker tells; nothing: it is another program's.
std::optional<Diagnosis> judge_page(std::string_view page) {
  constexpr std::string_view kEndpoint = "peers connect to ";
  const std::size_t body = page.find("\r\n\r\nzpost-broker ");
  if (!page.starts_with("HTTP/") || body == std::string_view::npos) return std::nullopt;
  page.remove_prefix(body);
  std::string endpoints;
  for (std::size_t at = page.find(kEndpoint); at != std::string_view::npos;
       at = page.find(kEndpoint)) {
    page.remove_prefix(at + kEndpoint.size());
    endpoints += (endpoints.empty() ? "" : " or ") + visible_line(page.substr(0, page.find('\n')));
  }
  return Diagnosis{Finding::kAdminPort,
                   "this is the admin port of a zpost broker: metrics and health over HTTP, and no "
                   "messages",
                   endpoints.empty()
                       ? "Name the endpoint for peers, which the broker prints when it starts "
                         "(listening on ...): --endpoint ENDPOINT, or ZPOST_ENDPOINT"
                       : fmt::format("Peers of that broker connect to {}: name it with --endpoint, "
                                     "or ZPOST_ENDPOINT",
                                     endpoints)};
}

Diagnosis judge(const std::string& heard, bool hung_up, milliseconds patience) {
  constexpr std::size_t kShown = 40;
  if (heard.empty() && hung_up) {
    return {Finding::kNotZeroMq, "something takes the connection and hangs up at once: no broker",
            kOtherProgram};
  }
  if (heard.empty()) {
    return {
        Finding::kSilent,
        fmt::format("something takes the connection but says nothing for {}: a program that "
                    "hangs or is stopped, or that is not ZeroMQ",
                    duration_text(patience)),
        "See what has the port: ss -ltnp\nA broker that is stopped goes on with: kill -CONT PID"};
  }
  if (!may_be_zmtp(heard)) {
    const std::string first = heard.substr(0, heard.find_first_of("\r\n"));
    return {Finding::kNotZeroMq,
            fmt::format("what listens there is not ZeroMQ: it says \"{}\"",
                        shortened(visible_line(first), kShown)),
            kOtherProgram};
  }
  const auto mechanism = zmtp_mechanism(heard);
  if (mechanism && *mechanism != "NULL") {
    return {Finding::kOtherSecurity,
            fmt::format("ZeroMQ with {} security listens there, which this program does not speak",
                        visible_line(*mechanism)),
            kOtherProgram};
  }
  const auto type = zmtp_socket_type(heard);
  if (type && *type == "ROUTER") {
    return {Finding::kRouter,
            "a ZeroMQ ROUTER listens there but welcomes nobody: it is no zpost broker, or one that "
            "hangs",
            "See what has the port: ss -ltnp"};
  }
  if (type && !type->empty()) {
    return {Finding::kOtherSocket,
            fmt::format("a ZeroMQ {} socket listens there: no zpost broker, which is a ROUTER",
                        visible_line(*type)),
            kOtherProgram};
  }
  return {Finding::kOtherSocket,
          "ZeroMQ listens there but does not finish its greeting: no zpost broker", kOtherProgram};
}

Diagnosis judge_errno(int error) {
  switch (error) {
    case ECONNREFUSED:
      return {Finding::kNobody, "nothing listens there (connection refused)", kStartOne};
    case ENOENT:
      return {Finding::kNobody, "there is no such socket file", kStartOne};
    case EMFILE:
    case ENFILE:
      return {Finding::kExhausted,
              fmt::format("no descriptor is left for a connection: {}", std::strerror(error)),
              "Raise the limit: ulimit -n"};
    case ETIMEDOUT:
      return {Finding::kNoWay, "the host does not answer: it is down, or a firewall is in between",
              "Check the address, and that the way is open: nc -vz HOST PORT"};
    default:
      return {Finding::kNoWay, fmt::format("it is not reached: {}", std::strerror(error)),
              "Check the address"};
  }
}

Diagnosis try_address(const Address& address, Deadline deadline, milliseconds patience) {
  std::string heard;
  bool hung_up = false;
  {
    const Socket socket(address.storage.ss_family);
    if (socket.get() < 0) return judge_errno(errno);
    if (const int error = connect_until(socket.get(), address, deadline); error != 0) {
      return judge_errno(error);
    }
    hung_up = converse(socket.get(), deadline, heard);
  }
  if ((heard.empty() && !hung_up) || heard.starts_with("HTTP/")) {
    const Deadline end = Clock::now() + std::min(patience, kHttpPatience);
    if (std::optional<Diagnosis> found = judge_page(page_at(address, end))) return *found;
  }
  return judge(heard, hung_up, patience);
}

Diagnosis probe_tcp(std::string_view rest, Deadline deadline, milliseconds patience) {
  rest = rest.substr(rest.find(';') == std::string_view::npos ? 0 : rest.find(';') + 1);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string host(rest.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const Lookup found = look_up_until(host, std::string(rest.substr(colon + 1)), deadline);
  if (found.addresses.empty()) {
    const bool late = found.error == EAI_AGAIN;
    return {Finding::kNoName,
            fmt::format("the name {} is not known{}", visible_line(host),
                        late ? ", and name servers do not answer" : ""),
            "Check how the host is spelled, or give its address"};
  }
  Diagnosis diagnosis;
  for (const Address& address : found.addresses) {
    diagnosis = try_address(address, deadline, patience);
    const bool somebody = diagnosis.finding < Finding::kNobody;
    if (somebody) break;
  }
  return diagnosis;
}

Diagnosis probe_ipc(std::string_view path, Deadline deadline, milliseconds patience) {
  Address address;
  auto* const where = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.empty() || path.size() >= sizeof where->sun_path) return {};
  where->sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), where->sun_path);
  const bool abstract = path[0] == '@';
  if (abstract) where->sun_path[0] = '\0';
  address.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  return try_address(address, deadline, patience);
}

}  // namespace

Diagnosis probe(const std::string& endpoint, milliseconds patience) {
  const Deadline deadline = Clock::now() + patience;
  const std::string_view text = endpoint;
  if (text.starts_with("tcp://")) return probe_tcp(text.substr(6), deadline, patience);
  if (text.starts_with("ipc://")) return probe_ipc(text.substr(6), deadline, patience);
  return {};
}

}  // namespace zpost::cli
