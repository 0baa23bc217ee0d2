#include "broker/core/question_map.h"

#include <gtest/gtest.h>

#include <string>

#include "zpost/protocol/msgpack_writer.h"

namespace zpost::core {
namespace {

/// What is said of a map whose only known key is `size`, a number below 10; empty: it is good.
std::string complaint(Bytes body) {
  const auto read = read_question_map(
      body, [](MsgpackReader& reader, std::string_view key) -> std::optional<bool> {
        std::uint64_t size = 0;
        if (key == "size") return reader.read_uint(size) && size < 10;
        return std::nullopt;
      });
  return read ? "" : read.error().text;
}

TEST(QuestionMapTest, UnknownKeysArePassedOver) {
  ByteBuffer body;
  MsgpackWriter(body).map(3).str("x").str("y").str("size").uint(9).str("z").array(1).uint(2);
  EXPECT_EQ(complaint(body), "");
}

TEST(QuestionMapTest, AWrongValueIsNamedByItsKeyAndPlace) {
  ByteBuffer type;
  MsgpackWriter(type).map(1).str("size").str("9");
  EXPECT_EQ(complaint(type), "bad value of key \"size\": wrong type at byte 6");
  ByteBuffer large;
  MsgpackWriter(large).map(1).str("size").uint(10);
  EXPECT_EQ(complaint(large), "bad value of key \"size\"");
  ByteBuffer cut;
  MsgpackWriter(cut).map(2).str("size").uint(9).str("size");
  EXPECT_EQ(complaint(cut), "bad value of key \"size\": truncated at byte 12");
}

TEST(QuestionMapTest, AKeyThatNobodyKnowsIsNotRepeated) {
  ByteBuffer body;
  MsgpackWriter(body).map(1).str("x\nleft");
  EXPECT_EQ(complaint(body), "bad value of an unknown key: truncated at byte 8");
  ByteBuffer number;
  MsgpackWriter(number).map(1).uint(7).uint(7);
  EXPECT_EQ(complaint(number), "a key is not text: wrong type at byte 1");
}

TEST(QuestionMapTest, WhatIsNoMapOrTooLargeAMapIsRefused) {
  EXPECT_EQ(complaint({}), "the body must be a msgpack map with the key op");
  ByteBuffer text;
  MsgpackWriter(text).str("who");
  EXPECT_EQ(complaint(text), "the body must be a msgpack map with the key op");
  ByteBuffer large;
  MsgpackWriter(large).map(kMaxMetaEntries + 1);
  EXPECT_EQ(complaint(large),
            "the body has more than " + std::to_string(kMaxMetaEntries) + " keys");
}

}  // namespace
}  // namespace zpost::core
