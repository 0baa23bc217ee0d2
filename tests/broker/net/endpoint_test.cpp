#include "broker/net/endpoint.h"

#include <gtest/gtest.h>

namespace zpost::net {
namespace {

bool is_local(std::string_view text) {
  const auto endpoint = parse_endpoint(text);
  EXPECT_TRUE(endpoint.has_value()) << text;
  return endpoint && endpoint->is_local();
}

TEST(EndpointTest, LoopbackAndIpcStayOnThisMachine) {
  for (const auto* const text :
       {"tcp://127.0.0.1:1234", "tcp://127.9.9.9:*", "tcp://localhost:1", "tcp://lo:1234",
        "tcp://[::1]:1234", "ipc:///tmp/zpost", "ipc://@abstract", "ipc://*"}) {
    EXPECT_TRUE(is_local(text)) << text;
  }
}

TEST(EndpointTest, EverythingElseCanBeReachedFromOutside) {
  for (const auto* const text :
       {"tcp://*:1234", "tcp://0.0.0.0:1234", "tcp://192.168.1.1:1234", "tcp://eth0:1234",
        "tcp://[::]:1234", "tcp://127.example.org:1234", "tcp://[::ffff:10.0.0.1]:1"}) {
    EXPECT_FALSE(is_local(text)) << text;
  }
}

TEST(EndpointTest, BracketsMeanIpv6) {
  EXPECT_TRUE(parse_endpoint("tcp://[::1]:1234")->is_ipv6());
  EXPECT_FALSE(parse_endpoint("tcp://127.0.0.1:1234")->is_ipv6());
}

TEST(EndpointTest, ABadEndpointSaysWhatIsWrongAndShowsAGoodOne) {
  for (const auto* const text :
       {"", "127.0.0.1:1234", "udp://127.0.0.1:1234", "tcp://127.0.0.1", "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536", "tcp://127.0.0.1:12x", "tcp://:1234", "tcp://::1:1234",
        "tcp://[::1:1234", "tcp://a b:1", "ipc://", "tcp://[]:1"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint.has_value()) << text;
    EXPECT_NE(endpoint.error().text.find("tcp://127.0.0.1:1234"), std::string::npos) << text;
  }
  EXPECT_FALSE(parse_endpoint("ipc:///" + std::string(200, 'x')).has_value());
}

}  // namespace
}  // namespace zpost::net
