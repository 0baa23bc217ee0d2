#include "peer/cli/who_table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

constexpr std::uint64_t kListed = 1'767'225'600'000'000'000;

PeerInfo bob() {
  PeerInfo peer;
  peer.name = "bob";
  peer.state = "active";
  peer.software = "example\x1b 1";
  peer.since_ns = kListed - 300'000'000'000;
  peer.sent = 12;
  peer.metadata = {{"display", "Bob"}};
  return peer;
}

TEST(WhoTableTest, ColumnsFitTheirContents) {
  use_utf8();
  EXPECT_EQ(who_table({bob()}, Palette(false), kListed),
            "NAME  STATE   SINCE  QUEUED  UNACKED  SENT  RECEIVED  SOFTWARE     DISPLAY\n"
            "bob   active  5 min  0       0        12    0         example\\e 1  Bob\n");
}

TEST(WhoTableTest, DetailsNameEveryFactThereIs) {
  PeerInfo peer = bob();
  peer.last_seen_ns = kListed - 3'000'000'000;
  peer.address = "10.0.0.7:40112";
  peer.acks = true;
  peer.sent_rate = 4;
  peer.queued = 2;
  peer.queued_bytes = 2048;
  peer.subscriptions = 3;
  peer.offers = {"resize", "rotate"};
  EXPECT_EQ(who_details(peer, Palette(false), kListed),
            "bob\n"
            "  state           active, since 5 min\n"
            "  last heard      3 s\n"
            "  address         10.0.0.7:40112\n"
            "  software        example\\e 1\n"
            "  sent            12, 4/s\n"
            "  received        0, 0/s\n"
            "  queued          2, 2.0 KiB\n"
            "  unacknowledged  0\n"
            "  subscriptions   3\n"
            "  offers          resize, rotate\n"
            "  display         Bob\n");
}

TEST(WhoTableTest, JsonHasEveryField) {
  const auto json = nlohmann::json::parse(who_json(bob()));
  EXPECT_EQ(json["name"], "bob");
  EXPECT_EQ(json["since"], "2025-12-31T23:55:00.000000000Z");
  EXPECT_EQ(json["sent"], 12);
  EXPECT_EQ(json["metadata"]["display"], "Bob");
  for (const char* key : {"address", "last_seen", "sent_rate", "received_rate", "subscriptions",
                          "offers", "queued", "queued_bytes", "unacked", "instance", "acks"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

}  // namespace
}  // namespace zpost::cli
