// The HTTP server over real sockets.
#include "broker/admin/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace zpost::admin {
namespace {

using std::chrono::milliseconds;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

/// A connection to a port of this machine.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  ~Client() { ::close(fd_); }

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  /// False: the server closed it.
  bool send(const std::string& text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  /// Everything until the server closes it.
  [[nodiscard]] std::string rest() const {
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t size = 0; (size = ::recv(fd_, part.data(), part.size(), 0)) > 0;) {
      text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
  }

 private:
  int fd_;
  bool connected_ = false;
};

class ServerTest : public testing::Test {
 protected:
  void start(BoundedStream::Bounds bounds = {}) {
    auto server = Server::start({"127.0.0.1", 0}, pages_, bounds);
    ASSERT_TRUE(server.has_value()) << server.error().text;
    server_ = std::move(*server);
  }

  [[nodiscard]] std::uint16_t port() const { return server_->address().port; }

  [[nodiscard]] std::string ask(const std::string& request) const {
    const Client client(port());
    EXPECT_TRUE(client.send(request));
    return client.rest();
  }

  Snapshots snapshots_{[this] { snapshots_.put({}); }};
  Pages pages_{{"1.2", "zpost", "r"}, snapshots_};
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, GetGivesThePage) {
  start();
  const std::string answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("\nzpost_turns_total 0\n"));
}

TEST_F(ServerTest, HeadGivesItsHeaders) {
  start();
  const std::string answer = ask("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(ServerTest, OtherMethodsAreNotAllowed) {
  start();
  for (const char* const method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    const std::string answer = ask(std::string(method) + " /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr(" 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
}

TEST_F(ServerTest, NonsenseIsRefusedAndTheNextIsServed) {
  start();
  EXPECT_THAT(ask("nonsense\r\n\r\n"), AnyOf("", HasSubstr(" 400 ")));
  EXPECT_THAT(ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("\r\nok\n"));
}

TEST_F(ServerTest, AnEndlessHeaderIsCutOff) {
  start();
  const Client client(port());
  ASSERT_TRUE(client.send("GET /healthz HTTP/1.1\r\nX: "));
  // Far more than the bound and what the sockets hold: at some time the server has closed it.
  const std::string part(64 << 10, 'x');
  bool open = true;
  for (int i = 0; i < 1'000 && open; ++i) open = client.send(part);
  EXPECT_FALSE(open);
  EXPECT_THAT(ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("\r\nok\n"));
}

TEST_F(ServerTest, WhoSaysNothingIsCutOff) {
  start({.time = milliseconds(50)});
  const Client client(port());
  EXPECT_THAT(client.rest(), AnyOf("", HasSubstr(" 400 ")));
}

TEST_F(ServerTest, WhoTalksSlowlyKeepsNobodyOutForLong) {
  start({.time = milliseconds(100)});
  std::vector<std::unique_ptr<Client>> slow;
  for (std::size_t i = 0; i < Server::kWorkers + Server::kQueue; ++i) {
    slow.push_back(std::make_unique<Client>(port()));
    EXPECT_TRUE(slow.back()->send("GET /hea"));
  }
  EXPECT_THAT(ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("\r\nok\n"));
}

TEST_F(ServerTest, StoppingWaitsForNobody) {
  start({.time = milliseconds(600'000)});
  const Client client(port());
  ASSERT_TRUE(client.connected());
  ASSERT_TRUE(client.send("GET /hea"));
  server_.reset();
  EXPECT_EQ(client.rest().find("200"), std::string::npos);
}

TEST_F(ServerTest, AnAddressInUseIsNamed) {
  start();
  const auto second = Server::start(server_->address(), pages_);
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().text, HasSubstr(server_->address().url()));
  EXPECT_THAT(second.error().text, HasSubstr("in use"));
}

}  // namespace
}  // namespace zpost::admin
