#include "tools/inspect/shown_envelopes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "zpost/protocol/envelope.h"

namespace zpost::inspect {
namespace {

ByteBuffer frame_of(std::initializer_list<std::string_view> bodies, bool text = false) {
  ByteBuffer frame;
  std::uint64_t id = 100;
  for (const std::string_view body : bodies) {
    EnvelopeFields fields;
    fields.to = "bob";
    fields.from = "alice";
    fields.id = id++;
    fields.meta.content_type = "text/plain";
    fields.body = as_bytes(body);
    fields.body_is_text = text;
    append_envelope(frame, fields);
  }
  return frame;
}

TEST(ShownEnvelopesTest, WholeEnvelopesComeWithTheirBodies) {
  const ByteBuffer frame = frame_of({"one", "three"}, true);
  const auto shown = shown_envelopes(frame);
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[0].id, 100u);
  EXPECT_EQ(as_text(shown[0].body), "one");
  EXPECT_TRUE(shown[0].body_is_text);
  EXPECT_FALSE(shown[0].cut);
  EXPECT_EQ(shown[1].content_type, "text/plain");
  EXPECT_EQ(shown[0].size + shown[1].size, frame.size());
}

TEST(ShownEnvelopesTest, ABodyThatIsCutKeepsItsBeginningAndItsWholeSize) {
  for (const std::size_t length : {20U, 1000U, 100'000U}) {
    const std::string body(length, 'x');
    const ByteBuffer frame = frame_of({body}, true);
    const auto shown = shown_envelopes(Bytes(frame).first(frame.size() - 5));
    ASSERT_EQ(shown.size(), 1u) << length;
    EXPECT_TRUE(shown[0].cut);
    EXPECT_EQ(shown[0].body.size(), length - 5);
    EXPECT_EQ(shown[0].size, frame.size());
    EXPECT_EQ(shown[0].content_type, "text/plain");
  }
}

TEST(ShownEnvelopesTest, AHeaderThatIsCutIsLeftOut) {
  const ByteBuffer frame = frame_of({"one", "two"});
  const std::size_t half = frame.size() / 2;
  EXPECT_EQ(shown_envelopes(Bytes(frame).first(half + 6)).size(), 1u);
  EXPECT_EQ(shown_envelopes(Bytes(frame).first(6)).size(), 0u);
  EXPECT_EQ(shown_envelopes({}).size(), 0u);
}

RC_GTEST_PROP(ShownEnvelopesTest, AnyCutAndAnyBytesDoNoHarm,
              (const std::vector<std::uint8_t>& tail)) {
  ByteBuffer frame = frame_of({"one", "two"});
  frame.resize(*rc::gen::inRange<std::size_t>(0, frame.size() + 1));
  for (const std::uint8_t byte : tail) frame.push_back(std::byte{byte});
  (void)shown_envelopes(frame);
}

}  // namespace
}  // namespace zpost::inspect
