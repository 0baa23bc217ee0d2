#include "broker/admin/address.h"

#include <gtest/gtest.h>

#include <string>

namespace zpost::admin {
namespace {

TEST(AddressTest, AnAddressHasAHostAndAPort) {
  const auto address = parse_address("127.0.0.1:9000");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(address->port, 9000);
  EXPECT_EQ(address->url(), "http://127.0.0.1:9000");
}

TEST(AddressTest, AnIpv6AddressStandsInBrackets) {
  const auto address = parse_address("[::1]:9000");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->url(), "http://[::1]:9000");
  EXPECT_FALSE(parse_address("::1:9000").has_value());
}

TEST(AddressTest, AStarPicksAPort) {
  const auto address = parse_address("127.0.0.1:*");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->port, 0);
}

TEST(AddressTest, OnlyLoopbackIsLocal) {
  EXPECT_TRUE(parse_address("127.0.0.1:1")->is_local());
  EXPECT_TRUE(parse_address("127.9.9.9:1")->is_local());
  EXPECT_TRUE(parse_address("[::1]:1")->is_local());
  EXPECT_FALSE(parse_address("0.0.0.0:1")->is_local());
  EXPECT_FALSE(parse_address("192.168.0.1:1")->is_local());
  EXPECT_FALSE(parse_address("[::]:1")->is_local());
}

TEST(AddressTest, WhatIsNoAddressIsNamedWithAnExample) {
  for (const char* const text :
       {"", ":", "127.0.0.1", "127.0.0.1:", ":9000", "127.0.0.1:0", "127.0.0.1:65536",
        "127.0.0.1:-1", "127.0.0.1:9x", "localhost:9000", "[]:9000", "[127.0.0.1]:9000"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address.has_value()) << text;
    EXPECT_NE(address.error().text.find('"' + std::string(text) + '"'), std::string::npos);
    EXPECT_NE(address.error().text.find("127.0.0.1:9000"), std::string::npos);
  }
}

}  // namespace
}  // namespace zpost::admin
