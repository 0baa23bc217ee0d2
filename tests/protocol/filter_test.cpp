#include "protocol/filter/filter.h"

#include <gtest/gtest.h>

#include <string>

#include "zpost/protocol/kinds.h"

namespace zpost::filter {
namespace {

class FilterTest : public testing::Test {
 protected:
  FilterTest() {
    subject_.from = "lab-1";
    subject_.to = "bob";
    subject_.kind_number = static_cast<std::uint8_t>(Kind::kSend);
    subject_.first_id = subject_.last_id = 7;
    subject_.count = 1;
    subject_.bytes = 100;
  }

  [[nodiscard]] Truth truth(const std::string& text) const {
    const auto filter = Filter::compile(text);
    if (!filter) {
      ADD_FAILURE() << text << ": " << filter.error().with_caret(text);
      return Truth::unknown();
    }
    return filter->evaluate(subject_);
  }

  [[nodiscard]] bool wants(const std::string& text) const { return truth(text).may_be_yes(); }

  void set_body(Bytes body, std::string_view type = "") {
    envelope_.body = body;
    envelope_.content_type = type;
    envelope_.size = 100;
    subject_.envelope = &envelope_;
  }

  Subject subject_;
  ShownEnvelope envelope_;
};

TEST_F(FilterTest, NamesAreComparedWithPatterns) {
  EXPECT_TRUE(wants("from = lab-1"));
  EXPECT_TRUE(wants("from = \"lab-*\""));
  EXPECT_TRUE(wants("from = lab-*"));
  EXPECT_TRUE(wants("from = '*b-*'"));
  EXPECT_FALSE(wants("from = lab"));
  EXPECT_FALSE(wants("from = 'lab-\\*'"));
  EXPECT_TRUE(wants("from != bob"));
  EXPECT_TRUE(wants("from ~ ab"));
  EXPECT_TRUE(wants("peer = bob and peer = lab-1"));
  EXPECT_FALSE(wants("peer != bob"));
  EXPECT_TRUE(wants("from in (alice, lab-*)"));
}

TEST_F(FilterTest, AndBindsBeforeOrAndNotBeforeBoth) {
  EXPECT_TRUE(wants("from = lab-1 or from = x and to = y"));
  EXPECT_FALSE(wants("(from = lab-1 or from = x) and to = y"));
  EXPECT_TRUE(wants("not from = x and to = bob"));
  EXPECT_FALSE(wants("not (from = x or to = bob)"));
  EXPECT_TRUE(wants("not not from = lab-1"));
  EXPECT_TRUE(wants("!from = x && to = bob || to = z"));
  EXPECT_TRUE(wants("NOT from = x AND to = bob"));
}

TEST_F(FilterTest, WordsAreThoseOfTheProgramsOutput) {
  EXPECT_TRUE(wants("kind = send"));
  EXPECT_TRUE(wants("kind in (request, send)"));
  EXPECT_FALSE(wants("kind != send"));
  EXPECT_TRUE(wants("event = received and not kind = ack"));
  subject_.event = TapEvent::kFailed;
  subject_.outcome = Outcome::kNoPeer;
  EXPECT_TRUE(wants("outcome = no-peer"));
  subject_.event = TapEvent::kHeld;
  subject_.held = HeldWhy::kAway;
  EXPECT_TRUE(wants("held = away"));
  EXPECT_TRUE(wants("held"));
}

TEST_F(FilterTest, WhatIsNotThereIsNeitherEqualNorDifferent) {
  EXPECT_FALSE(wants("outcome = delivered"));
  EXPECT_FALSE(wants("outcome != delivered"));
  EXPECT_TRUE(wants("not outcome = delivered"));
  EXPECT_FALSE(wants("outcome"));
}

TEST_F(FilterTest, NumbersHaveUnits) {
  EXPECT_TRUE(wants("id = 7 and id >= 7 and id <= 7 and id < 8 and id > 6 and id != 8"));
  EXPECT_TRUE(wants("size = 100 and size < 4KiB and size > 0.05kB"));
  EXPECT_FALSE(wants("size > 100"));
  subject_.event = TapEvent::kDelivered;
  subject_.latency_ns = 20'000'000;
  EXPECT_TRUE(wants("latency = 20ms and latency > 19.5ms and latency < 1s and latency > 3us"));
  EXPECT_FALSE(wants("latency > 1m"));
}

TEST_F(FilterTest, TopicsAreThoseOfPublishesAndServicesThoseOfCalls) {
  subject_.to = "lab/2/temp";
  EXPECT_FALSE(wants("topic = lab/*/temp"));
  subject_.kind_number = static_cast<std::uint8_t>(Kind::kPublish);
  EXPECT_TRUE(wants("topic = lab/*/temp"));
  EXPECT_TRUE(wants("topic = lab/**"));
  EXPECT_FALSE(wants("topic = lab/*"));
  EXPECT_TRUE(wants("topic != lab/*"));
  EXPECT_FALSE(wants("service = lab/2/temp"));
}

TEST_F(FilterTest, AServiceIsNamedWithOrWithoutItsMark) {
  subject_.kind_number = static_cast<std::uint8_t>(Kind::kCall);
  subject_.to = "@translate";
  EXPECT_TRUE(wants("service = translate and service = @translate and service = trans*"));
  EXPECT_TRUE(wants("to = translate and to = @translate and to ~ slate"));
  EXPECT_TRUE(wants("service in (oracle, translate)"));
  EXPECT_FALSE(wants("service = oracle or service != translate or to != @translate"));
  EXPECT_TRUE(wants("service != oracle and to != oracle and service"));
}

TEST_F(FilterTest, OnceAWorkerHasACallTheRecordNamesNoService) {
  subject_.kind_number = static_cast<std::uint8_t>(Kind::kCall);
  subject_.to = "worker-1";
  EXPECT_FALSE(wants("service = worker-1 or service != translate or service"));
  EXPECT_TRUE(wants("to = worker-1"));
}

TEST_F(FilterTest, OfARunItIsEnoughThatOneEnvelopeIsWanted) {
  subject_.last_id = 9;
  subject_.count = 3;
  subject_.bytes = 300;
  EXPECT_TRUE(wants("id = 8"));
  EXPECT_TRUE(wants("not id = 8"));
  EXPECT_FALSE(wants("id = 10"));
  EXPECT_FALSE(wants("not id < 10"));
  EXPECT_TRUE(wants("size = 100 and bytes = 300 and count = 3"));
  subject_.unfolds_elsewhere = true;
  EXPECT_TRUE(wants("size > 200"));
  EXPECT_FALSE(wants("size > 300"));
}

TEST_F(FilterTest, BodiesOfJsonAreLookedInto) {
  const std::string body =
      R"({"temp": 30.5, "ok": true, "none": null, "name": "lab one", "items": [{"name": "x"}, {"name": "y"}], "n": -3, "a key": 1, "temp": 1})";
  set_body(as_bytes(body));
  EXPECT_TRUE(wants("body.temp > 30 and body.temp < 31"));
  EXPECT_TRUE(wants("body.ok = true and body.ok != false and body.none = null"));
  EXPECT_TRUE(wants("body.name = 'lab *' and body.name ~ one"));
  EXPECT_TRUE(wants("body.items[0].name = x and body.items[1].name = \"y\""));
  EXPECT_TRUE(wants("body.n = -3 and body.n < 0 and body.\"a key\" = 1 and body[\"a key\"] = 1"));
  EXPECT_TRUE(wants("body.items and body.items[1] and not body.items[2]"));
  EXPECT_TRUE(wants("body ~ '\"temp\"'"));
}

TEST_F(FilterTest, AnAbsentValueIsNeitherEqualNorDifferentAndOneOfAnotherTypeDiffers) {
  set_body(as_bytes(R"({"temp": "warm"})"));
  EXPECT_FALSE(wants("body.hum = 1 or body.hum != 1 or body.hum < 1 or body.temp.x = 1"));
  EXPECT_TRUE(wants("not body.hum = 1"));
  EXPECT_TRUE(wants("body.temp != 30"));
  EXPECT_FALSE(wants("body.temp > 30 or body.temp < 30 or body.temp = 30 or body.temp = null"));
}

TEST_F(FilterTest, BodiesOfMessagePackAreLookedInto) {
  // {"temp": 31, "items": [-1, {"name": "x"}], 5: 1, "f": 1.5}
  constexpr char kPacked[] =
      "\x84\xa4temp\x1f\xa5items\x92\xff\x81\xa4name\xa1x\x05\x01\xa1"
      "f\xcb\x3f\xf8\0\0\0\0\0\0";
  const std::string body(kPacked, sizeof kPacked - 1);
  set_body(as_bytes(body));
  EXPECT_TRUE(wants("body.temp > 30"));
  EXPECT_TRUE(wants("body.items[0] = -1 and body.items[1].name = x and body.f = 1.5"));
  EXPECT_FALSE(wants("body.items[2] or body.name"));
  set_body(as_bytes(body), "application/msgpack");
  EXPECT_TRUE(wants("body.temp = 31"));
  set_body(as_bytes(body), "application/octet-stream");
  EXPECT_FALSE(wants("body.temp = 31"));
}

TEST_F(FilterTest, AKeyThatIsAnArrayHidesNothingBehindIt) {
  // {["temp", {"temp": 1}]: 2, "temp": 3}
  const std::string body("\x82\x92\xa4temp\x81\xa4temp\x01\x02\xa4temp\x03", 21);
  set_body(as_bytes(body));
  EXPECT_TRUE(wants("body.temp = 3"));
}

TEST_F(FilterTest, ABodyThatIsOneNumberIsThatNumber) {
  set_body(as_bytes("23.5\n"));
  EXPECT_TRUE(wants("body > 23 and body < 24"));
  set_body(as_bytes("hello bob"));
  EXPECT_FALSE(wants("body > 23"));
  EXPECT_TRUE(wants("body = 'hello *' and body ~ 'lo b' and body"));
  set_body(as_bytes("\"text\""), "application/json");
  EXPECT_TRUE(wants("body = text"));
  set_body({});
  EXPECT_FALSE(wants("body"));
}

TEST_F(FilterTest, WholeNumbersAreComparedExactly) {
  set_body(as_bytes(R"({"n": 18446744073709551615, "m": 9007199254740993})"));
  EXPECT_TRUE(wants("body.n = 18446744073709551615 and body.n > -1"));
  EXPECT_FALSE(wants("body.n = 18446744073709551614"));
  EXPECT_FALSE(wants("body.m = 9007199254740992"));
}

TEST_F(FilterTest, ABodyThatIsNotThereIsUnknownAndSoIsItsOpposite) {
  EXPECT_EQ(truth("body.temp > 30"), Truth::unknown());
  EXPECT_EQ(truth("not body.temp > 30"), Truth::unknown());
  EXPECT_EQ(truth("body.temp > 30 or from = lab-1"), Truth::yes());
  EXPECT_EQ(truth("body.temp > 30 and from = x"), Truth::no());
  subject_.envelope_elsewhere = true;
  EXPECT_EQ(truth("not body.temp > 30"), Truth::maybe());
}

TEST_F(FilterTest, ABodyThatIsCutTellsWhatStandsBeforeTheCut) {
  set_body(as_bytes(R"({"temp": 31, "na)"));
  envelope_.cut = true;
  EXPECT_EQ(truth("body.temp > 30"), Truth::yes());
  EXPECT_EQ(truth("body.name = x"), Truth::unknown());
  EXPECT_EQ(truth("body ~ temp"), Truth::yes());
  EXPECT_EQ(truth("body ~ name"), Truth::unknown());
}

TEST_F(FilterTest, DeepAndBrokenBodiesHaveNothingInThem) {
  const std::string deep(100'000, '[');
  set_body(as_bytes(deep));
  EXPECT_EQ(truth("body[0][0] = 1"), Truth::no());
  const std::string packed(100'000, '\x91');
  set_body(as_bytes(packed), "application/msgpack");
  EXPECT_EQ(truth("body.a = 1"), Truth::no());
  set_body(as_bytes("{\"a\" 1}"));
  EXPECT_EQ(truth("body.a = 1"), Truth::no());
  set_body(as_bytes("\xc1\xff"), "application/msgpack");
  EXPECT_EQ(truth("body.a = 1"), Truth::no());
}

TEST_F(FilterTest, SessionsHaveAChangeAndNoEnvelopes) {
  subject_ = {.event = TapEvent::kSession, .from = "bob", .change = SessionChange::kOver};
  EXPECT_TRUE(wants("from = bob and change = over and not kind = send and not body"));
  EXPECT_FALSE(wants("kind = send or to = bob or id = 0 or kind != send"));
  EXPECT_TRUE(wants("peer = bob"));
}

TEST_F(FilterTest, LatencyIsLeftToWhoKnowsIt) {
  subject_.event = TapEvent::kDelivered;
  EXPECT_EQ(truth("latency > 1ms"), Truth::unknown());
  subject_.latency_elsewhere = true;
  EXPECT_EQ(truth("latency > 1ms"), Truth::maybe());
}

TEST_F(FilterTest, TheDeepestFilterThatIsReadCanBeEvaluated) {
  std::string text = "from = lab-1";
  for (std::size_t i = 0; i < kMaxFilterNesting; ++i) {
    text = "to=x or to=bob and (" + text + ")";
  }
  EXPECT_TRUE(wants(text));
  const auto deeper = Filter::compile("(" + text + ")");
  ASSERT_FALSE(deeper.has_value());
  EXPECT_EQ(deeper.error().text, "nested too deep: at most 16 parentheses");
}

struct BadFilter {
  std::string text;
  std::string error;
};

class FilterErrorTest : public testing::TestWithParam<BadFilter> {};

TEST_P(FilterErrorTest, SaysWhereAndWhatWasExpected) {
  const auto filter = Filter::compile(GetParam().text);
  ASSERT_FALSE(filter.has_value()) << GetParam().text;
  EXPECT_EQ(filter.error().on_one_line(GetParam().text), GetParam().error);
}

constexpr const char* kTestExpected = "expected a test, such as from = alice or size > 4KiB";
constexpr const char* kValueExpected =
    "expected a value, such as alice, lab-*, 30, 20ms, 4KiB or \"some text\"";

INSTANTIATE_TEST_SUITE_P(
    Filters, FilterErrorTest,
    testing::Values(
        BadFilter{"", std::string("column 1: ") + kTestExpected},
        BadFilter{"and", std::string("column 1: ") + kTestExpected},
        BadFilter{"from = a and", std::string("column 13: ") + kTestExpected},
        BadFilter{"not", std::string("column 4: ") + kTestExpected},
        BadFilter{"from =", std::string("column 7: ") + kValueExpected},
        BadFilter{"from = )", std::string("column 8: ") + kValueExpected},
        BadFilter{"from = a to = b", "column 10: expected \"and\", \"or\" or the end"},
        BadFilter{"from alice",
                  "column 6: expected a comparison (= != < <= > >= ~ in), \"and\", \"or\" or the "
                  "end"},
        BadFilter{"(from = a", "column 10: expected \"and\", \"or\" or the missing \")\""},
        BadFilter{"from = a)", "column 9: expected \"and\", \"or\" or the end"},
        BadFilter{"from = \"a", "column 10: expected the closing quote (\")"},
        BadFilter{"from = 'a", "column 10: expected the closing quote (')"},
        BadFilter{"kind in send", "column 9: expected a list, such as (send, request)"},
        BadFilter{"kind in (send", "column 14: expected \",\" or \")\" in this list"},
        BadFilter{"body. = 3", "column 6: expected a key, such as temp or \"a key\""},
        BadFilter{"body[x] = 3",
                  "column 6: expected the place in an array, such as 0, or a key in quotes"},
        BadFilter{"body[1 = 3", "column 7: expected \"]\""},
        BadFilter{"frm = alice", "column 1: there is no field \"frm\"; did you mean from?"},
        BadFilter{"content-type = x",
                  "column 1: there is no field \"content-type\"; did you mean content_type?"},
        BadFilter{"x = 1 and wobble = 2", "column 1: there is no field \"x\""},
        BadFilter{"to = é and frm = a", "column 12: there is no field \"frm\"; did you mean from?"},
        BadFilter{"from.x = 1", "column 6: from has nothing in it: only body has"},
        BadFilter{"kind = sned", "column 8: kind is never \"sned\"; did you mean send?"},
        BadFilter{"outcome = no-per",
                  "column 11: outcome is never \"no-per\"; did you mean no-peer?"},
        BadFilter{"held = wobble",
                  "column 8: held is never \"wobble\"; there are window-full, away, not-there-yet, "
                  "pipe-full, "
                  "no-demand, no-free-worker, worker-gone"},
        BadFilter{"kind < send", "column 8: kind cannot be compared with <: it takes = != and in"},
        BadFilter{"id ~ 3",
                  "column 6: id cannot be compared with ~: it takes = != < <= > >= and in"},
        BadFilter{
            "rejected = true",
            "column 12: rejected cannot be compared with =: it takes no comparison: it stands "
            "alone"},
        BadFilter{"id = bob", "column 6: id takes a whole number, not \"bob\""},
        BadFilter{"size > 4KB",
                  "column 8: size takes a size such as 512, 4KiB, 4kB or 1.5MB, not \"4KB\""},
        BadFilter{"latency > 20",
                  "column 11: latency takes a duration with its unit such as 250us, 20ms, 1.5s or "
                  "2m, not \"20\""},
        BadFilter{"body.temp > warm", "column 13: > takes a number, not \"warm\""},
        BadFilter{
            "topic = lab-*/x",
            "column 9: \"lab-*/x\" is no pattern of topics: there * stands for a whole segment "
            "and ** for the rest; within segments use to = \"…\""},
        BadFilter{"body[99999999999999999999] = 1",
                  "column 6: this place in an array is too large"}));

TEST(FilterErrorTextTest, ACaretStandsBelowThePlace) {
  const std::string text = "to = \"é\" and frm = a";
  const auto filter = Filter::compile(text);
  ASSERT_FALSE(filter.has_value());
  EXPECT_EQ(filter.error().with_caret(text),
            "column 14: there is no field \"frm\"; did you mean from?\n"
            "  to = \"é\" and frm = a\n"
            "               ^");
}

TEST(FilterErrorTextTest, ControlCharactersAreShownAsSpaces) {
  const std::string text = "\tfrom\x1b[2J";
  const auto filter = Filter::compile(text);
  ASSERT_FALSE(filter.has_value());
  EXPECT_EQ(filter.error().with_caret(text).substr(filter.error().with_caret(text).find('\n')),
            "\n   from [2J\n       ^");
}

TEST(FilterErrorTextTest, WhatIsTooLongIsNotRead) {
  const std::string text(kMaxFilterBytes + 1, 'x');
  const auto filter = Filter::compile(text);
  ASSERT_FALSE(filter.has_value());
  EXPECT_EQ(filter.error().text, "the filter has 1025 bytes; at most 1024 are read");
}

TEST(TextPatternTest, AsterisksStandForAnything) {
  EXPECT_TRUE(TextPattern("a*b*c").matches("aXbbYc"));
  EXPECT_FALSE(TextPattern("a*b*c").matches("ac"));
  EXPECT_FALSE(TextPattern("ab*ba").matches("aba"));
  EXPECT_TRUE(TextPattern("*").matches(""));
  EXPECT_TRUE(TextPattern("**").matches("x"));
  EXPECT_TRUE(TextPattern("a\\*").matches("a*"));
  EXPECT_FALSE(TextPattern("a\\*").matches("ab"));
}

}  // namespace
}  // namespace zpost::filter
