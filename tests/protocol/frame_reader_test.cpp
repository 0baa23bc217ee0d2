#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "tests/protocol/bytes.h"
#include "zpost/protocol/envelope.h"

namespace zpost {
namespace {

using test::operator+;
using test::append;
using test::encoded;
using test::hex;
using test::repeated;
using test::to_buffer;
using test::unhex;

/// What a reader makes of a frame.
struct Reading {
  std::vector<EnvelopeView> envelopes;
  bool failed = false;
  std::size_t offset = 0;
  std::string error;
};

Reading read(Bytes frame) {
  FrameReader reader(frame);
  Reading reading;
  EnvelopeView view;
  while (reader.next(view)) reading.envelopes.push_back(view);
  reading.failed = reader.failed();
  if (reading.failed) {
    reading.offset = reader.error_offset();
    reading.error = reader.error_text();
  }
  EXPECT_FALSE(reader.next(view)) << "an end or a failure is final";
  return reading;
}

ByteBuffer send_of(std::string_view body, std::uint64_t id = 1) {
  return encoded({.to = "bob", .from = "alice", .id = id, .body = as_bytes(body)});
}

bool lies_within(Bytes part, Bytes whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

TEST(FrameReaderTest, AFrameOfNoBytesIsNoFailure) {
  const Reading reading = read({});
  EXPECT_TRUE(reading.envelopes.empty());
  EXPECT_FALSE(reading.failed);
}

TEST(FrameReaderTest, ViewsPointIntoTheFrame) {
  const ByteBuffer frame = send_of("hello") + send_of(std::string(300, 'x'), 2);
  for (const EnvelopeView& view : read(frame).envelopes) {
    EXPECT_TRUE(lies_within(view.bytes, frame));
    EXPECT_TRUE(lies_within(as_bytes(view.to), view.bytes));
    EXPECT_TRUE(lies_within(as_bytes(view.from), view.bytes));
    EXPECT_TRUE(lies_within(view.meta, view.bytes));
    EXPECT_TRUE(lies_within(view.body, view.bytes));
  }
}

TEST(FrameReaderTest, EnvelopesCoverTheFrameInOrder) {
  const ByteBuffer frame = send_of("one", 1) + send_of(std::string(70'000, 'x'), 2) +
                           encoded({.to = "carol", .from = "alice", .id = 3, .meta = {.again = 2}});
  const Reading reading = read(frame);
  ASSERT_EQ(reading.envelopes.size(), 3u);
  ByteBuffer together;
  for (const EnvelopeView& view : reading.envelopes) append(together, view.bytes);
  EXPECT_EQ(together, frame);
  EXPECT_EQ(reading.envelopes[1].id, 2u);
  EXPECT_EQ(reading.envelopes[1].body.size(), 70'000u);
}

TEST(FrameReaderTest, AFrameCutAnywhereYieldsTheWholeEnvelopesBeforeTheCut) {
  const ByteBuffer first = send_of(std::string(64, 'a'));
  const ByteBuffer second =
      encoded({.to = "bob", .from = "alice", .id = 1ULL << 40, .meta = {.in_reply_to = 5}});
  const ByteBuffer frame = first + second;
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const ByteBuffer cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    const Reading reading = read(cut);
    EXPECT_EQ(reading.envelopes.size(), size >= first.size() ? 1u : 0u) << size;
    EXPECT_EQ(reading.failed, size != 0 && size != first.size()) << size;
    if (reading.failed) {
      EXPECT_NE(reading.error.find("truncated at byte"), std::string::npos) << reading.error;
      EXPECT_LE(reading.offset, size);
    }
  }
}

TEST(FrameReaderTest, ErrorTextNamesFieldErrorAndByte) {
  const ByteBuffer good = send_of("hello");
  const Reading reading = read(good + unhex("96 10 c0"));
  EXPECT_EQ(reading.envelopes.size(), 1u);
  EXPECT_EQ(reading.offset, good.size() + 2);
  EXPECT_EQ(reading.error, "to: wrong type at byte " + std::to_string(good.size() + 2));
}

TEST(FrameReaderTest, NothingIsReadInsideOrAfterABadEnvelope) {
  // What stands at the offset of the failure looks like an envelope itself.
  const ByteBuffer good = send_of(std::string(100, 'x'));
  const Reading reading = read(unhex("96 10 a0 a0 01 80") + good + good);
  EXPECT_TRUE(reading.envelopes.empty());
  EXPECT_EQ(reading.error, "body: wrong type at byte 6");
}

TEST(FrameReaderTest, ALengthOfFourBillionIsTruncatedNotAllocated) {
  const std::string_view before_body = "96 10 a3626f62 a5616c696365 01 80 ";
  const ByteBuffer padding = repeated("00", 200);
  for (const char* tag : {"c6ffffffff", "dbffffffff"}) {
    const Reading reading = read(unhex(std::string(before_body) + tag) + padding);
    EXPECT_EQ(reading.error, "body: truncated at byte 14");
  }
}

TEST(FrameReaderTest, ARouteRepeatsOnlyThatOfTheEnvelopeJustBefore) {
  const std::string body(100, 'x');
  const auto send = [&body](std::string_view to, std::string_view from, Kind kind) {
    return encoded({.kind = kind, .to = to, .from = from, .id = 1, .body = as_bytes(body)});
  };
  const ByteBuffer bob = send("bob", "alice", Kind::kSend);
  const ByteBuffer longest = send(std::string(31, 't'), std::string(31, 'f'), Kind::kSend);
  const ByteBuffer odd = unhex("dc0006 10 a3626f62 a5616c696365 01 80 c400");
  // Each differs from bob's, or from its neighbour, in one thing only.
  const ByteBuffer frame = bob + bob + send("bob", "alice", Kind::kReply) +
                           send("bob", "alicf", Kind::kReply) + send("bo", "balice", Kind::kSend) +
                           bob + odd + bob + longest + longest + bob;
  std::vector<bool> repeats;
  for (const EnvelopeView& view : read(frame).envelopes) {
    // The last envelopes of a frame may be read the slow way, which never says so.
    repeats.push_back(view.repeats_route);
  }
  const std::vector<bool> expected = {false, true,  false, false, false, false,
                                      false, false, false, true,  false};
  EXPECT_EQ(repeats, expected);
}

TEST(FrameReaderTest, ABodyMayEndExactlyWithTheFrame) {
  for (const std::size_t size :
       {0UL, 1UL, 60UL, 61UL, 62UL, 80UL, 255UL, 256UL, 65'535UL, 65'536UL}) {
    const Reading reading = read(send_of(std::string(size, 'x')));
    ASSERT_EQ(reading.envelopes.size(), 1u) << size;
    EXPECT_EQ(reading.envelopes[0].body.size(), size);
    EXPECT_FALSE(reading.failed);
  }
}

TEST(FrameReaderTest, WorkForNestedMetaIsBoundedByTheObjectsAllowed) {
  // A frame of such envelopes would be void at the first; this one is 1 MB of brackets.
  const ByteBuffer frame = unhex("96 10 a0 a0 01 81 14") + repeated("91", 1'000'000);
  EXPECT_EQ(read(frame).error, "meta: too deep at byte 15");
  const ByteBuffer wide = unhex("96 10 a0 a0 01 81 14 dd000f4240") + repeated("01", 1'000'000);
  EXPECT_EQ(read(wide).error, "meta: too many at byte 7");
}

TEST(FrameReaderTest, MetaKeysAreUniqueAcrossSmallAndLargeOnes) {
  ByteBuffer map = unhex("de0020");
  MsgpackWriter writer(map);
  for (std::uint64_t key = 48; key < 79; ++key) writer.uint(key).uint(0);
  const ByteBuffer before = unhex("96 10 a0 a0 01");
  const ByteBuffer after = unhex("c400");
  ByteBuffer unique = map;
  MsgpackWriter(unique).uint(79).uint(0);
  EXPECT_FALSE(read(before + unique + after).failed);
  for (const std::uint64_t twice : {48UL, 63UL, 64UL, 78UL}) {
    ByteBuffer repeats = map;
    MsgpackWriter(repeats).uint(twice).uint(0);
    EXPECT_NE(read(before + repeats + after).error.find("meta: duplicate key"), std::string::npos);
  }
}

TEST(FrameReaderTest, NameTagsOfOtherTypesAreRefusedWhateverTheirLowBits) {
  const ByteBuffer padding = repeated("00", 200);
  for (unsigned tag = 0; tag < 256; ++tag) {
    const bool is_str = (tag >= 0xa0 && tag <= 0xbf) || (tag >= 0xd9 && tag <= 0xdb);
    if (is_str) continue;
    const ByteBuffer byte = {static_cast<std::byte>(tag)};
    EXPECT_EQ(read(unhex("96 10") + byte + padding).offset, 2u) << tag;
    EXPECT_EQ(read(unhex("96 10 a0") + byte + padding).offset, 3u) << tag;
  }
}

// One generator makes what the fast and the general path of the reader must agree on.
rc::Gen<std::string> any_name() {
  return rc::gen::mapcat(rc::gen::inRange(0, 65), [](int size) {
    return rc::gen::container<std::string>(static_cast<std::size_t>(size),
                                           rc::gen::inRange('a', static_cast<char>('z' + 1)));
  });
}

RC_GTEST_PROP(FrameReaderProperty, ReadsWhatWasWritten, ()) {
  const auto kind = *rc::gen::inRange(0, 128);
  const auto to = *any_name();
  const auto from = *any_name();
  const auto id = *rc::gen::arbitrary<std::uint64_t>() >> *rc::gen::inRange(0, 64);
  const auto body = *rc::gen::arbitrary<std::string>();
  const bool text = *rc::gen::arbitrary<bool>();
  const auto count = *rc::gen::inRange(1, 8);
  const EnvelopeFields fields{.kind = static_cast<Kind>(kind),
                              .to = to,
                              .from = from,
                              .id = id,
                              .body = as_bytes(body),
                              .body_is_text = text};
  ByteBuffer frame;
  for (int i = 0; i < count; ++i) append_envelope(frame, fields);
  const Reading reading = read(frame);
  RC_ASSERT(!reading.failed);
  RC_ASSERT(reading.envelopes.size() == static_cast<std::size_t>(count));
  for (const EnvelopeView& view : reading.envelopes) {
    RC_ASSERT(view.kind_number == kind);
    RC_ASSERT(view.to == to);
    RC_ASSERT(view.from == from);
    RC_ASSERT(view.id == id);
    RC_ASSERT(view.body_is_text == text);
    RC_ASSERT(as_text(view.body) == body);
    RC_ASSERT(!view.has_meta());
    RC_ASSERT(view.bytes.size() == encoded(fields).size());
  }
}

RC_GTEST_PROP(FrameReaderProperty, WhatFollowsAnEnvelopeDoesNotChangeIt, ()) {
  // Alone at the end of a frame an envelope takes the general path; before others, the fast one.
  auto bytes = send_of(std::string(*rc::gen::inRange<std::size_t>(0, 40), 'x'));
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
  const ByteBuffer followed = bytes + repeated("c1", 100);
  const Reading alone = read(bytes);
  const Reading first = read(followed);
  if (alone.envelopes.empty()) {
    // More bytes can only complete what was cut short.
    const bool cut = alone.error.find("truncated") != std::string::npos;
    RC_ASSERT(cut || (first.envelopes.empty() && first.error == alone.error));
    return;
  }
  RC_ASSERT(!first.envelopes.empty());
  const EnvelopeView& a = alone.envelopes[0];
  const EnvelopeView& b = first.envelopes[0];
  RC_ASSERT(a.kind_number == b.kind_number);
  RC_ASSERT(a.to == b.to);
  RC_ASSERT(a.from == b.from);
  RC_ASSERT(a.id == b.id);
  RC_ASSERT(a.body_is_text == b.body_is_text);
  RC_ASSERT(hex(a.meta) == hex(b.meta));
  RC_ASSERT(hex(a.body) == hex(b.body));
  RC_ASSERT(hex(a.bytes) == hex(b.bytes));
}

RC_GTEST_PROP(FrameReaderProperty, AnyBytesEndInBoundedWork,
              (const std::vector<std::uint8_t>& bytes)) {
  const Reading reading = read(std::as_bytes(std::span(bytes)));
  // The least envelope has eight bytes: array, kind, two names, id, meta, bin tag and length; a str
  // body makes it seven.
  RC_ASSERT(reading.envelopes.size() * 7 <= bytes.size());
  RC_ASSERT(!reading.failed || reading.offset <= bytes.size());
}

}  // namespace
}  // namespace zpost
