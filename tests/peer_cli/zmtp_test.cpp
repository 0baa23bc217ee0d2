#include "peer/cli/shared/zmtp.h"

#include <gtest/gtest.h>

#include <string>

namespace zpost::cli {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string ready(std::string_view properties) {
  std::string body("\5READY"sv);
  body += properties;
  return std::string("\4") + static_cast<char>(body.size()) + body;
}

constexpr std::string_view kRouter = "\x0bSocket-Type\0\0\0\6ROUTER"sv;

TEST(ZmtpTest, WhatWeSayIsAGreetingOfOurOwnKind) {
  const std::string greeting = zmtp_greeting();
  EXPECT_EQ(greeting.size(), kGreetingBytes);
  EXPECT_TRUE(may_be_zmtp(greeting));
  EXPECT_EQ(zmtp_mechanism(greeting), "NULL");
  EXPECT_EQ(zmtp_socket_type(greeting + zmtp_ready()), "DEALER");
}

TEST(ZmtpTest, OtherProtocolsAreToldByTheirFirstByteOrTheirTenth) {
  EXPECT_TRUE(may_be_zmtp("\xff"));
  EXPECT_TRUE(may_be_zmtp("\xff\0\0\0\0\0\0\0\1\x7f"sv));
  EXPECT_FALSE(may_be_zmtp("HTTP/1.1 400 Bad Request"));
  EXPECT_FALSE(may_be_zmtp("\xff\0\0\0\0\0\0\0\1\0"sv));
}

TEST(ZmtpTest, TheMechanismIsKnownOnceTheGreetingIsWhole) {
  std::string greeting = zmtp_greeting();
  greeting.replace(12, 5, "CURVE");
  EXPECT_EQ(zmtp_mechanism(greeting), "CURVE");
  EXPECT_EQ(zmtp_mechanism(std::string_view(greeting).substr(0, 63)), std::nullopt);
  greeting.replace(12, 20, std::string(20, 'x'));
  EXPECT_EQ(zmtp_mechanism(greeting), std::string(20, 'x'));
}

TEST(ZmtpTest, TheSocketTypeIsReadBehindOtherProperties) {
  const std::string more = ready("\x08Identity\0\0\0\1x"s + std::string(kRouter));
  EXPECT_EQ(zmtp_socket_type(zmtp_greeting() + more), "ROUTER");
  // The same as a long command, and with the beginning of a message behind it.
  const std::string large = "\6\0\0\0\0\0\0\0"s + more.substr(1) + "\0\1x"s;
  EXPECT_EQ(zmtp_socket_type(zmtp_greeting() + large), "ROUTER");
}

TEST(ZmtpTest, WithoutAWholeCommandNothingIsKnown) {
  const std::string whole = zmtp_greeting() + ready(kRouter);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(zmtp_socket_type(std::string_view(whole).substr(0, size)), std::nullopt) << size;
  }
  const std::string large = zmtp_greeting() + "\6\xff\xff\xff\xff\xff\xff\xff\xff"s + "READY";
  EXPECT_EQ(zmtp_socket_type(large), std::nullopt);
}

TEST(ZmtpTest, ACommandThatNamesNoSocketTypeIsSaidToNameNone) {
  EXPECT_EQ(zmtp_socket_type(zmtp_greeting() + "\4\6\5ERROR"), "");
  EXPECT_EQ(zmtp_socket_type(zmtp_greeting() + ready("")), "");
  EXPECT_EQ(zmtp_socket_type(zmtp_greeting() + ready("\x0bSocket-Type\0\0"sv)), "");
  EXPECT_EQ(zmtp_socket_type(zmtp_greeting() + "\0\3abc"s), "");
  // Shorter than it says.
  EXPECT_EQ(zmtp_socket_type(zmtp_greeting() + ready("\x0bSocket-Type\0\0\0\6RO"sv)), "RO");
}

}  // namespace
}  // namespace zpost::cli
