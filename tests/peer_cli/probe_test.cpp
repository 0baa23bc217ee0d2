#include "peer/cli/shared/probe.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <thread>

#include "peer/cli/shared/zmtp.h"

namespace zpost::cli {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;

// Long enough for any machine: what speaks is known at once.
constexpr milliseconds kLong{20'000};
// Of what never speaks.
constexpr milliseconds kShort{50};

/// Takes connections one by one, says its words and listens until the other side is gone.
class Server {
 public:
  enum class End { kListens, kHangsUp };

  explicit Server(std::string words, End end = End::kListens, int connections = 1)
      : words_(std::move(words)),
        end_(end),
        connections_(connections),
        socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, where, size), 0);
    EXPECT_EQ(::getsockname(socket_, where, &size), 0);
    port_ = ntohs(address.sin_port);
  }

  ~Server() {
    if (thread_.joinable()) thread_.join();
    ::close(socket_);
  }

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void listen() {
    EXPECT_EQ(::listen(socket_, 1), 0);
    thread_ = std::thread([this] {
      for (int i = 0; i < connections_; ++i) serve();
    });
  }

  [[nodiscard]] std::string endpoint() const { return "tcp://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() const {
    const int connection = ::accept(socket_, nullptr, nullptr);
    (void)::send(connection, words_.data(), words_.size(), MSG_NOSIGNAL);
    std::array<char, 256> chunk{};
    while (end_ == End::kListens && ::recv(connection, chunk.data(), chunk.size(), 0) > 0) {
    }
    ::close(connection);
  }

  std::string words_;
  End end_;
  int connections_;
  int socket_;
  int port_ = 0;
  std::thread thread_;
};

Diagnosis found_at(Server& server, milliseconds patience = kLong) {
  server.listen();
  return probe(server.endpoint(), patience);
}

std::string ready_of(std::string_view type) {
  std::string body = "\5READY\x0bSocket-Type\0\0\0"s;
  body += static_cast<char>(type.size());
  body += type;
  return std::string("\4") + static_cast<char>(body.size()) + body;
}

TEST(ProbeTest, ARouterThatWelcomesNobodyIsNamed) {
  Server server(zmtp_greeting() + ready_of("ROUTER"));
  const Diagnosis diagnosis = found_at(server);
  EXPECT_EQ(diagnosis.finding, Finding::kRouter);
  EXPECT_NE(diagnosis.text.find("ROUTER listens there but welcomes nobody"), std::string::npos);
}

TEST(ProbeTest, AnotherZeroMqSocketIsNamedByItsType) {
  Server server(zmtp_greeting() + ready_of("REP"));
  const Diagnosis diagnosis = found_at(server);
  EXPECT_EQ(diagnosis.finding, Finding::kOtherSocket);
  EXPECT_NE(diagnosis.text.find("a ZeroMQ REP socket"), std::string::npos) << diagnosis.text;
}

TEST(ProbeTest, OtherSecurityIsNamed) {
  std::string greeting = zmtp_greeting();
  greeting.replace(12, 5, "CURVE");
  Server server(greeting);
  const Diagnosis diagnosis = found_at(server);
  EXPECT_EQ(diagnosis.finding, Finding::kOtherSecurity);
  EXPECT_NE(diagnosis.text.find("CURVE"), std::string::npos) << diagnosis.text;
}

TEST(ProbeTest, WhatIsNotZeroMqIsQuotedSafely) {
  Server server("SSH-2.0-x\x1b[2J\r\nmore");
  const Diagnosis diagnosis = found_at(server);
  EXPECT_EQ(diagnosis.finding, Finding::kNotZeroMq);
  EXPECT_EQ(diagnosis.text, R"(what listens there is not ZeroMQ: it says "SSH-2.0-x\e[2J")");
}

TEST(ProbeTest, AnAdminPortIsKnownByItsPageThoughItTellsNoEndpoint) {
  Server server("HTTP/1.1 200 OK\r\n\r\nzpost-broker 0.1 \"lab\"\n\n/metrics\n",
                Server::End::kHangsUp, 2);
  const Diagnosis diagnosis = found_at(server);
  EXPECT_EQ(diagnosis.finding, Finding::kAdminPort);
  EXPECT_NE(diagnosis.advice.find("listening on"), std::string::npos) << diagnosis.advice;
}

TEST(ProbeTest, AnotherWebServerIsNoBroker) {
  Server server("HTTP/1.1 400 Bad Request\r\n\r\n", Server::End::kHangsUp, 2);
  EXPECT_EQ(found_at(server).finding, Finding::kNotZeroMq);
}

TEST(ProbeTest, WhoeverHangsUpAtOnceIsNoBroker) {
  Server server("", Server::End::kHangsUp);
  const Diagnosis diagnosis = found_at(server);
  EXPECT_EQ(diagnosis.finding, Finding::kNotZeroMq);
  EXPECT_NE(diagnosis.text.find("hangs up at once"), std::string::npos) << diagnosis.text;
}

TEST(ProbeTest, WhoeverSaysNothingIsWaitedForAndSaidToBeSilent) {
  Server server("");
  const Diagnosis diagnosis = found_at(server, kShort);
  EXPECT_EQ(diagnosis.finding, Finding::kSilent);
  EXPECT_NE(diagnosis.text.find("says nothing for 50ms"), std::string::npos) << diagnosis.text;
}

TEST(ProbeTest, AGreetingThatDoesNotEndIsNoBroker) {
  Server server(zmtp_greeting().substr(0, 20), Server::End::kHangsUp);
  const Diagnosis diagnosis = found_at(server);
  EXPECT_EQ(diagnosis.finding, Finding::kOtherSocket);
  EXPECT_NE(diagnosis.text.find("does not finish its greeting"), std::string::npos);
}

TEST(ProbeTest, APortWhereNothingListensIsSaidToBeFree) {
  const Server server("");  // Keeps the port from others.
  const Diagnosis diagnosis = probe(server.endpoint(), kLong);
  EXPECT_EQ(diagnosis.finding, Finding::kNobody);
  EXPECT_EQ(diagnosis.text, "nothing listens there (connection refused)");
  EXPECT_TRUE(diagnosis.advice.starts_with("Start one with: zpost-broker"));
}

TEST(ProbeTest, ASocketFileThatIsNotThereIsSaidToBeMissing) {
  const auto path = std::filesystem::temp_directory_path() / "no-such-folder" / "zpost";
  const Diagnosis diagnosis = probe("ipc://" + path.string(), kLong);
  EXPECT_EQ(diagnosis.finding, Finding::kNobody);
  EXPECT_EQ(diagnosis.text, "there is no such socket file");
}

TEST(ProbeTest, OtherKindsOfEndpointsAreNotLookedAt) {
  for (const std::string endpoint : {"inproc://x", "tcp://nowhere", "ipc://", "x", ""}) {
    EXPECT_EQ(probe(endpoint, kLong).finding, Finding::kUnknown) << endpoint;
  }
  EXPECT_EQ(probe("ipc:///" + std::string(200, 'x'), kLong).finding, Finding::kUnknown);
}

}  // namespace
}  // namespace zpost::cli
