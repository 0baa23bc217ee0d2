#include "broker/app/id_floor.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <vector>

#include "tests/support/wait_until.h"

namespace zpost::app {
namespace {

constexpr std::uint64_t kHour = IdFloorKeeper::kAhead;

class IdFloorTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "zpost-id-floor-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = name + "/below/state";
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  void warn(const std::string& text) {
    const std::lock_guard lock(mutex_);
    warnings_.push_back(text);
  }

  std::size_t warnings() {
    const std::lock_guard lock(mutex_);
    return warnings_.size();
  }

  std::string directory_;
  std::string path_;
  std::mutex mutex_;
  std::vector<std::string> warnings_;
};

TEST_F(IdFloorTest, WithoutAFileTheFloorIsZero) {
  EXPECT_EQ(*IdFloorFile(path_).load(), 0u);
}

TEST_F(IdFloorTest, WhatIsStoredIsLoaded) {
  const IdFloorFile file(path_);
  ASSERT_TRUE(file.store(1'234'567'890'123'456'789).has_value());
  EXPECT_EQ(*file.load(), 1'234'567'890'123'456'789u);
}

TEST_F(IdFloorTest, TheFileIsNeverLowered) {
  const IdFloorFile file(path_);
  ASSERT_TRUE(file.store(1'000).has_value());
  ASSERT_TRUE(file.store(500).has_value());
  EXPECT_EQ(*file.load(), 1'000u);
}

TEST_F(IdFloorTest, NothingElseIsLeftBehind) {
  ASSERT_TRUE(IdFloorFile(path_).store(1).has_value());
  ASSERT_TRUE(IdFloorFile(path_).store(2).has_value());
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/below")) {
    EXPECT_EQ(entry.path(), path_);
    ++files;
  }
  EXPECT_EQ(files, 1u);
}

TEST_F(IdFloorTest, AnotherProgramsFileIsAnErrorThatNamesIt) {
  std::filesystem::create_directories(directory_ + "/below");
  std::ofstream(path_) << "something else\n";
  const auto floor = IdFloorFile(path_).load();
  ASSERT_FALSE(floor.has_value());
  EXPECT_NE(floor.error().text.find(path_), std::string::npos);
}

TEST_F(IdFloorTest, WhatIsNotUnderstoodIsNeverOverwritten) {
  std::filesystem::create_directories(directory_ + "/below");
  for (const std::string text :
       {"", "my notes\n", "zpost-id-floor", "zpost-id-floor 12", "zpost-id-floor 12x\n",
        "zpost-id-floor -5\n", "zpost-id-floor 99999999999999999999\n",
        "zpost-id-floor 1\nmore\n"}) {
    std::ofstream(path_) << text;
    EXPECT_FALSE(IdFloorFile(path_).load().has_value()) << text;
    EXPECT_FALSE(IdFloorFile(path_).store(1).has_value()) << text;
    EXPECT_FALSE(IdFloorKeeper(IdFloorFile(path_), {}).start(1'000).has_value()) << text;
    std::ifstream file(path_);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
  }
}

TEST_F(IdFloorTest, AFileThatCannotBeReadIsLeftAlone) {
  std::filesystem::create_directories(path_);  // A directory cannot be, not even by root.
  EXPECT_FALSE(IdFloorFile(path_).load().has_value());
  EXPECT_FALSE(IdFloorKeeper(IdFloorFile(path_), {}).start(1'000).has_value());
  EXPECT_TRUE(std::filesystem::is_directory(path_));
}

TEST_F(IdFloorTest, AFileThatCannotBeWrittenIsAnErrorThatNamesIt) {
  const auto stored = IdFloorFile("/proc/zpost/state").store(1);
  ASSERT_FALSE(stored.has_value());
  EXPECT_NE(stored.error().text.find("/proc/zpost"), std::string::npos);
}

TEST_F(IdFloorTest, TheKeeperWritesAheadBeforeAnyIdIsGiven) {
  const auto quiet = [this](const std::string& text) { warn(text); };
  {
    IdFloorKeeper keeper(IdFloorFile(path_), quiet);
    EXPECT_EQ(*keeper.start(1'000), 0u);
    EXPECT_EQ(*IdFloorFile(path_).load(), 1'000 + kHour);
  }
  IdFloorKeeper keeper(IdFloorFile(path_), quiet);
  EXPECT_EQ(*keeper.start(2'000), 1'000 + kHour) << "the clock went back: the file counts";
  EXPECT_EQ(*IdFloorFile(path_).load(), 1'000 + 2 * kHour);
  EXPECT_EQ(warnings(), 0u);
}

TEST_F(IdFloorTest, TheKeeperFollowsTheFloor) {
  IdFloorKeeper keeper(IdFloorFile(path_), [this](const std::string& text) { warn(text); });
  ASSERT_TRUE(keeper.start(0).has_value());
  keeper.advance(kHour / 4);
  EXPECT_EQ(*IdFloorFile(path_).load(), kHour) << "far enough ahead";
  keeper.advance(10 * kHour);
  EXPECT_TRUE(test::wait_until([&] { return *IdFloorFile(path_).load() == 11 * kHour; }));
}

TEST_F(IdFloorTest, TheKeeperWarnsOnceAndGoesOn) {
  IdFloorKeeper keeper(IdFloorFile("/proc/zpost/state"),
                       [this](const std::string& text) { warn(text); });
  EXPECT_EQ(*keeper.start(1'000), 0u);
  EXPECT_EQ(warnings(), 1u);
}

TEST(StatePathTest, EveryFirstEndpointHasItsOwnFile) {
  EXPECT_EQ(*default_state_path("tcp://127.0.0.1:1234", nullptr, "/home/ann"),
            "/home/ann/.local/state/zpost/id-floor-tcp___127.0.0.1_1234");
  EXPECT_EQ(*default_state_path("ipc:///run/z", "/var/state", "/home/ann"),
            "/var/state/zpost/id-floor-ipc____run_z");
  EXPECT_FALSE(default_state_path("ipc:///run/z", nullptr, nullptr).has_value());
  EXPECT_FALSE(default_state_path("ipc:///run/z", "relative", "").has_value());
}

}  // namespace
}  // namespace zpost::app
