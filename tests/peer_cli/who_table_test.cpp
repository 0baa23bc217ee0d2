#include "peer/cli/who_table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

constexpr std::uint64_t kNow = 1'767'225'600'000'000'000;

PeerInfo bob() {
  PeerInfo peer;
  peer.name = "bob";
  peer.state = "active";
  peer.software = "example\x1b 1";
  peer.since_ns = kNow - 300'000'000'000;
  peer.sent = 12;
  peer.metadata = {{"display", "Bob"}};
  return peer;
}

TEST(WhoTableTest, ColumnsFitTheirContents) {
  use_utf8();
  EXPECT_EQ(who_table({bob()}, Palette(false), kNow),
            "NAME  STATE   SINCE  QUEUED  UNACKED  SENT  RECEIVED  SOFTWARE     DISPLAY\n"
            "bob   active  5 min  0       0        12    0         example\\e 1  Bob\n");
}

TEST(WhoTableTest, JsonHasEveryField) {
  const auto json = nlohmann::json::parse(who_json(bob()));
  EXPECT_EQ(json["name"], "bob");
  EXPECT_EQ(json["since"], "2025-12-31T23:55:00.000000000Z");
  EXPECT_EQ(json["sent"], 12);
  EXPECT_EQ(json["metadata"]["display"], "Bob");
}

}  // namespace
}  // namespace zpost::cli
