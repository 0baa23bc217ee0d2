// The way of notes between two threads.
#include "broker/tap/note_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace zpost::tap {
namespace {

TapRecord numbered(std::uint64_t number) {
  TapRecord record;
  record.first_id = number;
  return record;
}

TEST(NoteRingTest, WhatIsPublishedComesInOrderWithItsBytes) {
  NoteRing ring(1 << 12);
  ASSERT_TRUE(ring.put(NoteRing::Type::kRecord, numbered(1), as_bytes("one")));
  ASSERT_TRUE(ring.put(NoteRing::Type::kName, numbered(2), as_bytes("second")));
  NoteRing::Entry entry;
  EXPECT_FALSE(ring.front(entry)) << "nothing is published yet";
  ring.publish();
  ASSERT_TRUE(ring.front(entry));
  EXPECT_EQ(entry.record.first_id, 1U);
  EXPECT_EQ(as_text(entry.extra), "one");
  ring.pop();
  ASSERT_TRUE(ring.front(entry));
  EXPECT_EQ(entry.type, NoteRing::Type::kName);
  EXPECT_EQ(as_text(entry.extra), "second");
  ring.pop();
  EXPECT_FALSE(ring.front(entry));
}

TEST(NoteRingTest, WhatDoesNotFitIsRefusedAndLeavesTheRestAlone) {
  NoteRing ring(1 << 10);
  int count = 0;
  while (ring.put(NoteRing::Type::kRecord, numbered(static_cast<std::uint64_t>(count)), {}))
    ++count;
  ring.publish();
  EXPECT_GE(count, 10);
  EXPECT_TRUE(ring.half_full());
  NoteRing::Entry entry;
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(ring.front(entry));
    EXPECT_EQ(entry.record.first_id, static_cast<std::uint64_t>(i));
    ring.pop();
  }
  EXPECT_TRUE(ring.put(NoteRing::Type::kRecord, numbered(7), {}));
}

TEST(NoteRingTest, EntriesOfAnySizePassBetweenThreadsWhole) {
  NoteRing ring(1 << 14);
  constexpr std::uint64_t kCount = 20'000;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const std::string text(i * 37 % 700, static_cast<char>('a' + i % 26));
      while (!ring.put(NoteRing::Type::kRecord, numbered(i), as_bytes(text))) {
        ring.publish();
        std::this_thread::yield();
      }
      if (i % 5 == 0) ring.publish();
    }
    ring.publish();
  });
  NoteRing::Entry entry;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    while (!ring.front(entry)) std::this_thread::yield();
    ASSERT_EQ(entry.record.first_id, i);
    ASSERT_EQ(entry.extra.size(), i * 37 % 700);
    ASSERT_EQ(as_text(entry.extra), std::string(i * 37 % 700, static_cast<char>('a' + i % 26)));
    ring.pop();
  }
  writer.join();
}

}  // namespace
}  // namespace zpost::tap
