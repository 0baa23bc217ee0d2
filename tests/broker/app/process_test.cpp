#include "broker/app/process.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace zpost::app {
namespace {

constexpr std::size_t kKept = 64 << 20;

/// Memory in use until it is given back.
class Kept {
 public:
  Kept()
      : place_(::mmap(nullptr, kKept, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    std::memset(place_, 1, kKept);
  }

  ~Kept() { ::munmap(place_, kKept); }

  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  void give_back() const { ::madvise(place_, kKept, MADV_DONTNEED); }

 private:
  void* place_;
};

TEST(ProcessTest, BeyondTheLimitFreeMemoryIsGivenBackBeforeAnyoneIsBlamedForIt) {
  const std::uint64_t before = resident_bytes();
  ASSERT_GT(before, 0u);
  const Kept kept;
  EXPECT_LT(needed_bytes(before + kKept / 2, [&] { kept.give_back(); }), before + kKept / 2);
}

TEST(ProcessTest, WithinTheLimitFreeMemoryIsKept) {
  const std::uint64_t before = resident_bytes();
  const Kept kept;
  bool asked = false;
  EXPECT_GT(needed_bytes(before + 4 * kKept, [&] { asked = true; }), before + kKept / 2);
  EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace zpost::app
