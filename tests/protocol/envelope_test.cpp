#include "zpost/protocol/envelope.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "tests/protocol/bytes.h"
#include "zpost/protocol/names.h"

namespace zpost {
namespace {

using test::operator+;
using test::encoded;
using test::hex;
using test::unhex;

/// The one envelope of `bytes`, which must outlive it.
EnvelopeView only(const ByteBuffer& bytes) {
  FrameReader reader(bytes);
  EnvelopeView view;
  EXPECT_TRUE(reader.next(view)) << reader.error_text();
  EXPECT_EQ(view.bytes.size(), bytes.size());
  return view;
}

ByteBuffer with_meta(std::string_view meta) {
  return unhex("96 10 a3626f62 a5616c696365 01") + unhex(meta) + unhex("c4026869");
}

std::string meta_error(std::string_view meta) {
  const ByteBuffer bytes = with_meta(meta);
  const Result<Meta> result = read_meta(only(bytes));
  if (result) return "none";
  EXPECT_EQ(result.error().code, Outcome::kMalformed);
  return result.error().text;
}

Error check_error(const ByteBuffer& bytes) {
  const Result<void> result = check_envelope(only(bytes));
  return result ? Error{Outcome::kNone, ""} : result.error();
}

TEST(EnvelopeTest, AnEnvelopeOfPlainFieldsTakesTheFewestBytes) {
  const ByteBuffer bytes = encoded({.to = "bob", .from = "alice", .id = 5, .body = as_bytes("hi")});
  EXPECT_EQ(hex(bytes), hex(unhex("96 10 a3626f62 a5616c696365 05 80 c4026869")));
}

TEST(EnvelopeTest, MetaIsWrittenByRisingKeyAndOnlyWhenSaid) {
  const Meta meta{.deadline_ns = 7, .content_type = "a/b", .rejected = true};
  const ByteBuffer bytes = encoded({.meta = meta});
  EXPECT_EQ(hex(only(bytes).meta), hex(unhex("83 03 07 05 a3612f62 0a c3")));
}

TEST(EnvelopeTest, OnlyAMetaThatSaysNothingIsEmpty) {
  EXPECT_TRUE(Meta{}.empty());
  EXPECT_FALSE(Meta{.deadline_ns = 1}.empty());
  EXPECT_FALSE(Meta{.in_reply_to = 0}.empty());
  EXPECT_FALSE(Meta{.content_type = "x"}.empty());
  EXPECT_FALSE(Meta{.retained = true}.empty());
}

TEST(EnvelopeTest, AppendingKeepsWhatWasThere) {
  ByteBuffer buffer = unhex("aa bb");
  append_envelope(buffer, {.to = "bob"});
  EXPECT_EQ(hex(Bytes(buffer).first(3)), "aabb96");
}

TEST(EnvelopeTest, ReadingAnEmptyMetaGivesAnEmptyMeta) {
  const ByteBuffer bytes = encoded({.to = "bob"});
  const Result<Meta> meta = read_meta(only(bytes));
  ASSERT_TRUE(meta);
  EXPECT_TRUE(meta->empty());
}

TEST(EnvelopeTest, MetaErrorsNameTheKey) {
  EXPECT_EQ(meta_error("81 04 a131"), "meta.in_reply_to: wrong type");
  EXPECT_EQ(meta_error("82 14 c0 05 c0"), "meta.content_type: wrong type");
  EXPECT_EQ(meta_error("81 14 c0"), "none");
}

TEST(EnvelopeTest, MetaTextsMayBeAsLongAsTheirLimits) {
  const std::string type(kMaxContentTypeBytes, 't');
  const std::string trace(kMaxTraceBytes, 'r');
  const ByteBuffer bytes = encoded({.meta = {.content_type = type, .trace = trace}});
  EXPECT_TRUE(read_meta(only(bytes)));
  const std::string longer = type + "t";
  const ByteBuffer beyond = encoded({.meta = {.content_type = longer}});
  EXPECT_EQ(read_meta(only(beyond)).error().text, "meta.content_type: too long");
}

TEST(EnvelopeTest, CheckingFindsWhatIsNotANameOrNotText) {
  EXPECT_EQ(check_error(encoded({.to = ".b"})).code, Outcome::kBadName);
  EXPECT_EQ(check_error(encoded({.to = ".b"})).text, "to: not a name");
  EXPECT_EQ(check_error(encoded({.to = "b", .from = "a b"})).text, "from: not a name");
  const Error body = check_error(encoded({.body = as_bytes("\xff"), .body_is_text = true}));
  EXPECT_EQ(body.code, Outcome::kMalformed);
  EXPECT_EQ(body.text, "body: not UTF-8");
  EXPECT_EQ(check_error(encoded({.body = as_bytes("\xff")})).code, Outcome::kNone);
  EXPECT_EQ(check_error(encoded({.meta = {.trace = "\xff"}})).text, "meta.trace: not UTF-8");
  EXPECT_EQ(check_error(with_meta("810201")).text, "meta.durable: wrong type");
}

TEST(EnvelopeTest, EmptyNamesMeanTheBrokerAndAreRight) {
  EXPECT_EQ(check_error(encoded({.to = "", .from = ""})).code, Outcome::kNone);
}

TEST(EnvelopePrefixTest, WritesWhatTheGeneralWriterWrites) {
  const std::string names[] = {"", "b", std::string(31, 'n'), std::string(32, 'n'),
                               std::string(kMaxNameBytes, 'n')};
  for (const std::string& to : names) {
    for (const std::string& from : names) {
      const EnvelopePrefix prefix(Kind::kRequest, to, from);
      for (const std::size_t size :
           {0UL, 1UL, 31UL, 32UL, 33UL, 64UL, 255UL, 256UL, 65'535UL, 65'536UL}) {
        const std::string body(size, 'x');
        for (const std::uint64_t id : {0ULL, 127ULL, 128ULL, 70'000ULL, ~0ULL}) {
          const ByteBuffer expected = encoded(
              {.kind = Kind::kRequest, .to = to, .from = from, .id = id, .body = as_bytes(body)});
          ASSERT_EQ(prefix.encoded_size(id, size), expected.size());
          ByteBuffer written(expected.size());  // Exactly: the sanitizer sees a byte too many.
          const std::byte* const end = prefix.write(written.data(), id, as_bytes(body));
          ASSERT_EQ(end, written.data() + written.size());
          ASSERT_EQ(written, expected);
        }
      }
    }
  }
}

TEST(EnvelopePrefixDeathTest, ANameTooLongEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string topic(kMaxTopicBytes + 1, 'n');
  const std::string name(kMaxNameBytes + 1, 'n');
  EXPECT_DEATH(EnvelopePrefix(Kind::kPublish, topic, "alice"), "");
  EXPECT_DEATH(EnvelopePrefix(Kind::kSend, "bob", name), "");
}

RC_GTEST_PROP(EnvelopeProperty, MetaSurvivesARoundTrip, ()) {
  const auto number = rc::gen::arbitrary<std::uint64_t>();
  const auto type = *rc::gen::arbitrary<std::string>();
  const auto trace = *rc::gen::arbitrary<std::string>();
  RC_PRE(type.size() <= kMaxContentTypeBytes && trace.size() <= kMaxTraceBytes);
  Meta meta{.wanted = *number,
            .durable = *rc::gen::arbitrary<bool>(),
            .deadline_ns = *number,
            .content_type = type,
            .sent_ns = *number,
            .trace = trace,
            .again = *number,
            .retained = *rc::gen::arbitrary<bool>(),
            .rejected = *rc::gen::arbitrary<bool>(),
            .idempotent = *rc::gen::arbitrary<bool>(),
            .retain = *rc::gen::arbitrary<bool>(),
            .more = *rc::gen::arbitrary<bool>(),
            .will = *rc::gen::arbitrary<bool>()};
  if (*rc::gen::arbitrary<bool>()) meta.in_reply_to = *number;
  const EnvelopeFields fields{.to = "bob", .from = "alice", .id = 1, .meta = meta};
  const ByteBuffer bytes = encoded(fields);
  RC_ASSERT(bytes.size() <= encoded_bound(fields));
  const Result<Meta> read = read_meta(only(bytes));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->wanted == meta.wanted);
  RC_ASSERT(read->durable == meta.durable);
  RC_ASSERT(read->deadline_ns == meta.deadline_ns);
  RC_ASSERT(read->in_reply_to == meta.in_reply_to);
  RC_ASSERT(read->content_type == type);
  RC_ASSERT(read->sent_ns == meta.sent_ns);
  RC_ASSERT(read->trace == trace);
  RC_ASSERT(read->again == meta.again);
  RC_ASSERT(read->retained == meta.retained);
  RC_ASSERT(read->rejected == meta.rejected);
  RC_ASSERT(read->idempotent == meta.idempotent);
  RC_ASSERT(read->retain == meta.retain);
  RC_ASSERT(read->more == meta.more);
  RC_ASSERT(read->will == meta.will);
}

TEST(EnvelopeTest, AMarkedCopyKeepsAllElse) {
  const ByteBuffer original = unhex("97 13 a3612f62 a5616c696365 05 82 18 2a 0c c3 c4026869 01");
  ByteBuffer retained;
  append_marked(retained, only(original), 0);
  EXPECT_EQ(hex(retained),
            hex(unhex("97 13 a3612f62 a5616c696365 05 83 18 2a 0c c3 09 c3 c4026869 01")));
  ByteBuffer again;
  append_marked(again, only(retained), 2);
  EXPECT_EQ(read_meta(only(again))->again, 2U);
  ByteBuffer once_more;
  append_marked(once_more, only(again), 3);
  EXPECT_EQ(read_meta(only(once_more))->again, 3U);
  EXPECT_EQ(meta_entries(only(once_more)), meta_entries(only(again)));
}

}  // namespace
}  // namespace zpost
