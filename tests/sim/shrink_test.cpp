#include "tests/sim/shrink.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <initializer_list>

namespace zpost::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kLong = 600;

bool has_all(const Places& places, std::initializer_list<std::size_t> wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](std::size_t place) {
    return std::find(places.begin(), places.end(), place) != places.end();
  });
}

TEST(Shrink, LeavesOnlyWhatTheFailureNeeds) {
  const auto fails = [](const Places& places) { return has_all(places, {3, 17, 59}); };

  EXPECT_THAT(shrink(all_places(60), fails, kLong), ElementsAre(3, 17, 59));
}

TEST(Shrink, FindsThatASecondPassLeavesOutMore) {
  // The first one is needed only as long as the last one is there.
  const auto fails = [](const Places& places) {
    return has_all(places, {4}) && (has_all(places, {1}) || !has_all(places, {7}));
  };

  EXPECT_THAT(shrink(all_places(8), fails, kLong), ElementsAre(4));
}

TEST(Shrink, GoesOnFromWhatIsLeftAlready) {
  const auto fails = [](const Places& places) { return has_all(places, {8}); };

  EXPECT_THAT(shrink({2, 5, 8, 11}, fails, kLong), ElementsAre(8));
}

TEST(Shrink, LeavesEverythingOutIfTheEndAloneFails) {
  EXPECT_THAT(shrink(
                  all_places(60), [](const Places&) { return true; }, kLong),
              IsEmpty());
}

TEST(Shrink, LeavesNothingOutIfAllIsNeeded) {
  const auto fails = [](const Places& places) { return places.size() == 5; };

  EXPECT_THAT(shrink(all_places(5), fails, kLong), ElementsAre(0, 1, 2, 3, 4));
}

TEST(Shrink, TriesNothingWithoutTime) {
  int tries = 0;
  const auto fails = [&](const Places&) { return ++tries > 0; };

  EXPECT_THAT(shrink(all_places(3), fails, 0), ElementsAre(0, 1, 2));
  EXPECT_EQ(tries, 0);
}

}  // namespace
}  // namespace zpost::sim
