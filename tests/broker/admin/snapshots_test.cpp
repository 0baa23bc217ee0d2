#include "broker/admin/snapshots.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace zpost::admin {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{60'000};

Snapshot of_turn(std::uint64_t turns) {
  Snapshot snapshot;
  snapshot.turns = turns;
  return snapshot;
}

TEST(SnapshotsTest, NoneIsWantedUntilOneIsAskedFor) {
  int wakes = 0;
  Snapshots snapshots([&wakes] { ++wakes; });
  EXPECT_FALSE(snapshots.wanted());
  EXPECT_FALSE(snapshots.ask(milliseconds(0)).has_value());
  EXPECT_TRUE(snapshots.wanted());
  EXPECT_EQ(wakes, 1);
}

TEST(SnapshotsTest, WhoAsksGetsOneMadeAfterThat) {
  std::promise<void> woken;
  Snapshots snapshots([&woken] { woken.set_value(); });
  std::thread routing([&] {
    woken.get_future().wait();
    EXPECT_TRUE(snapshots.wanted());
    snapshots.put(of_turn(7));
    EXPECT_FALSE(snapshots.wanted());
  });
  const auto snapshot = snapshots.ask(kLong);
  routing.join();
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ(snapshot->turns, 7U);
}

TEST(SnapshotsTest, AFreshOneServesAgain) {
  int wakes = 0;
  Snapshots snapshots([&] {
    ++wakes;
    snapshots.put(of_turn(1));
  });
  // However slow the machine, of two at once the second comes within kFresh at some time.
  for (int before = 0; before != wakes || before == 0;) {
    ASSERT_TRUE(snapshots.ask(kLong).has_value());
    before = wakes;
    ASSERT_TRUE(snapshots.ask(kLong).has_value());
  }
}

TEST(SnapshotsTest, AThreadThatDoesNotTurnGivesNone) {
  Snapshots snapshots([] {});
  EXPECT_FALSE(snapshots.ask(milliseconds(1)).has_value());
  EXPECT_GE(snapshots.age(), milliseconds(1));
}

TEST(SnapshotsTest, ClosingEndsEveryWait) {
  std::promise<void> woken;
  Snapshots snapshots([&woken] { woken.set_value(); });
  std::thread asking([&] { EXPECT_FALSE(snapshots.ask(kLong).has_value()); });
  woken.get_future().wait();
  snapshots.close();
  asking.join();
  EXPECT_FALSE(snapshots.ask(kLong).has_value());
}

}  // namespace
}  // namespace zpost::admin
