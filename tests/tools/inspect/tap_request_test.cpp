#include "tools/inspect/tap_request.h"

#include <gtest/gtest.h>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/msgpack_json.h"

namespace zpost::inspect {
namespace {

std::string text(const TapWish& wish) {
  return cli::json_from_msgpack(encode(wish))->dump();
}

TEST(TapRequestTest, AsksForEverythingWithoutFilters) {
  EXPECT_EQ(text({}), R"({"op":"tap","snap":0})");
}

TEST(TapRequestTest, NamesPatternsKindsAndSnap) {
  const TapWish wish{"alice", "sensor-*", {Kind::kRequest, Kind::kReply}, 256, true, ""};
  EXPECT_EQ(
      text(wish),
      R"({"op":"tap","snap":256,"each":true,"from":"alice","to":"sensor-*","kinds":[17,18]})");
}

}  // namespace
}  // namespace zpost::inspect
