#include "zpost/protocol/control.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "tests/protocol/bytes.h"
#include "zpost/protocol/names.h"

namespace zpost {
namespace {

using test::operator+;
using test::repeated;
using test::unhex;

const std::string any_instance(32, 'a');

template <typename T>
T decoded(const Result<T>& result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().text);
  return result ? *result : T{};
}

/// Every prefix of `body` must be refused, except the whole.
template <typename Decode>
void expect_every_cut_is_refused(const ByteBuffer& body, Decode decode) {
  EXPECT_TRUE(decode(body));
  for (std::size_t size = 1; size < body.size(); ++size) {
    const ByteBuffer cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    const auto result = decode(cut);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, Outcome::kMalformed);
    EXPECT_NE(result.error().text.find("truncated"), std::string::npos) << result.error().text;
  }
}

Hello full_hello() {
  return {.instance = any_instance,
          .versions = {1, 2},
          .software = "test",
          .acks = true,
          .pong = true,
          .window_bytes = 1 << 20,
          .run = any_instance,
          .epoch = 3,
          .metadata = {{"display", "Alice"}}};
}

TEST(ControlTest, AHelloOfDefaultsAndAnInstanceSurvivesARoundTrip) {
  const Hello hello{.instance = any_instance};
  EXPECT_EQ(decoded(decode_hello(encode(hello))), hello);
}

TEST(ControlTest, EveryBodyCutAnywhereIsTruncated) {
  expect_every_cut_is_refused(encode(full_hello()), decode_hello);
  expect_every_cut_is_refused(encode(Welcome{.broker = "b", .run = any_instance}), decode_welcome);
  expect_every_cut_is_refused(encode(Refusal{Outcome::kFull, "text", true}), decode_refusal);
  expect_every_cut_is_refused(encode(Goodbye{300, 7}), decode_goodbye);
  expect_every_cut_is_refused(encode(Ack{300, 7, 70'000, 310}), decode_ack);
  expect_every_cut_is_refused(encode(Receipt{300, 7, {{"bob", 70'000, true}}}), decode_receipt);
  expect_every_cut_is_refused(encode(OutcomeNotice{Outcome::kLost, "bob", "why"}), decode_outcome);
  expect_every_cut_is_refused(encode(Presence{.event = "left", .peer = "bob"}), decode_presence);
  expect_every_cut_is_refused(encode(Watch{"bob*", false}), decode_watch);
}

TEST(ControlTest, ErrorsNameTheBodyAndTheKey) {
  const ByteBuffer body = unhex("81 a677696e646f77 a0");  // {"window": ""}
  const auto hello = decode_hello(body);
  ASSERT_FALSE(hello);
  EXPECT_EQ(hello.error().code, Outcome::kMalformed);
  EXPECT_EQ(hello.error().text, "hello.window: wrong type");
}

TEST(ControlTest, AStrangersKeyIsNotRepeatedInTheError) {
  const auto hello = decode_hello(unhex("82 a6 736563726574 01 a6 736563726574 01"));
  ASSERT_FALSE(hello);
  EXPECT_EQ(hello.error().text, "hello: duplicate key");
}

TEST(ControlTest, AnAckWithoutCreditHasTwoElements) {
  EXPECT_EQ(encode(Ack{1, 2, 0}), unhex("92 01 02"));
  EXPECT_EQ(encode(Ack{1, 2, 3}), unhex("93 01 02 03"));
  EXPECT_EQ(encode(Ack{1, 2, 3, 4}), unhex("94 01 02 03 04"));
}

TEST(ControlTest, AReceiptWithoutEntriesIsACredit) {
  EXPECT_EQ(encode(Receipt{1, 2, {}}), unhex("92 01 02"));
}

TEST(ControlTest, DoubtsAreRangesOfTheLane) {
  const Doubt doubt{{{7, 2}, {300, 1}}};
  EXPECT_EQ(encode(doubt), unhex("92 92 07 02 92 cd 01 2c 01"));
  EXPECT_EQ(decoded(decode_doubt(encode(doubt))), doubt);
  expect_every_cut_is_refused(encode(doubt), decode_doubt);
}

TEST(ControlTest, MoreDoubtsThanTheLimitAreRefused) {
  Doubt doubt;
  doubt.ranges.resize(kMaxDoubts, {1, 1});
  EXPECT_TRUE(decode_doubt(encode(doubt)));
  doubt.ranges.push_back({1, 1});
  EXPECT_FALSE(decode_doubt(encode(doubt)));
}

TEST(ControlTest, ReceiptsBorrowTheirRecipients) {
  const ByteBuffer body = encode(Receipt{1, 2, {{"bob", 3, false}}});
  const Receipt receipt = decoded(decode_receipt(body));
  ASSERT_EQ(receipt.entries.size(), 1u);
  const std::byte* const at = as_bytes(receipt.entries[0].recipient).data();
  EXPECT_TRUE(at > body.data() && at < body.data() + body.size());
}

TEST(ControlTest, AReceiptOfTenThousandEntriesIsRead) {
  Receipt receipt{1, 2, {}};
  for (std::uint64_t id = 0; id < 10'000; ++id) receipt.entries.push_back({"bob", id, false});
  EXPECT_EQ(decoded(decode_receipt(encode(receipt))), receipt);
}

TEST(ControlTest, DeclaredSizesAreNeverBelievedByAnyDecoder) {
  for (const char* tag : {"ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "c9ffffffff05"}) {
    const ByteBuffer body = unhex(tag) + repeated("00", 100);
    EXPECT_FALSE(decode_hello(body));
    EXPECT_FALSE(decode_welcome(body));
    EXPECT_FALSE(decode_refusal(body));
    EXPECT_FALSE(decode_goodbye(body));
    EXPECT_FALSE(decode_ack(body));
    EXPECT_FALSE(decode_receipt(body));
    EXPECT_FALSE(decode_outcome(body));
    EXPECT_FALSE(decode_presence(body));
    EXPECT_FALSE(decode_watch(body));
  }
}

rc::Gen<std::string> any_text() {
  return rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
}

RC_GTEST_PROP(ControlProperty, HelloSurvivesARoundTrip, ()) {
  const auto number = rc::gen::arbitrary<std::uint64_t>();
  Hello hello{.instance = any_instance};
  hello.versions = *rc::gen::arbitrary<std::vector<std::uint64_t>>();
  hello.software = *any_text();
  hello.acks = *rc::gen::arbitrary<bool>();
  hello.resume = *rc::gen::arbitrary<bool>();
  hello.pong = *rc::gen::arbitrary<bool>();
  hello.window_bytes = *number;
  hello.window_frames = *number;
  hello.epoch = *number;
  hello.taken = *number;
  hello.outcomes = *number;
  hello.metadata[*any_text()] = *any_text();
  RC_PRE(hello.versions.size() <= 32 && hello.software.size() <= kMaxSoftwareBytes);
  RC_ASSERT(decoded(decode_hello(encode(hello))) == hello);
}

RC_GTEST_PROP(ControlProperty, WelcomeSurvivesARoundTrip, ()) {
  const auto number = rc::gen::arbitrary<std::uint64_t>();
  const Welcome welcome{
      .version = *number,
      .broker = *any_text(),
      .run = any_instance,
      .epoch = *number,
      .resumed = *rc::gen::arbitrary<bool>(),
      .first_id = *number,
      .highest_id = *number,
      .received = *number,
      .credit = *number,
      .pair = *number,
      .taken = *number,
      .outcomes = *number,
      .window_bytes = *number,
      .max_envelope_bytes = *number,
      .max_frame_bytes = *number,
      .heartbeat_ms = *number,
      .silence_ms = *number,
      .resume_ms = *number,
      .time_ns = *number,
      .earlier_taken = *rc::gen::arbitrary<bool>() ? std::optional(*number) : std::nullopt};
  RC_ASSERT(decoded(decode_welcome(encode(welcome))) == welcome);
}

RC_GTEST_PROP(ControlProperty, ArraysSurviveARoundTrip,
              (std::uint64_t a, std::uint64_t b, std::uint64_t c, bool flag)) {
  RC_ASSERT(decoded(decode_ack(encode(Ack{a, b, c}))) == (Ack{a, b, c}));
  RC_ASSERT(decoded(decode_goodbye(encode(Goodbye{a, b}))) == (Goodbye{a, b}));
  const Receipt receipt{a, b, {{"bob", c, flag}, {"carol", a, !flag}}};
  RC_ASSERT(decoded(decode_receipt(encode(receipt))) == receipt);
  const std::string text = *any_text();
  const Outcome code = static_cast<Outcome>(*rc::gen::inRange(1, 65'536));
  const OutcomeNotice notice{code, "bob", text};
  const ByteBuffer body = encode(notice);
  RC_ASSERT(decoded(decode_outcome(body)) == notice);
  const Refusal refusal{code, text, flag};
  RC_ASSERT(decoded(decode_refusal(encode(refusal))) == refusal);
  const Presence presence{"joined", "bob", any_instance, text, {{"a", text}}};
  RC_PRE(text.size() < 1000);
  RC_ASSERT(decoded(decode_presence(encode(presence))) == presence);
}

RC_GTEST_PROP(ControlProperty, AnyChangedByteIsRefusedOrReadWithoutHarm, ()) {
  ByteBuffer body = encode(full_hello());
  const auto at = *rc::gen::inRange<std::size_t>(0, body.size());
  body[at] = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
  const auto hello = decode_hello(body);
  if (hello) {
    RC_ASSERT(is_hex(hello->instance, 32));
    RC_ASSERT(is_utf8(hello->software));
  } else {
    RC_ASSERT(hello.error().text.starts_with("hello"));
  }
}

}  // namespace
}  // namespace zpost
