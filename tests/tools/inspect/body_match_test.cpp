#include "tools/inspect/body_match.h"

#include <gtest/gtest.h>

namespace zpost::inspect {
namespace {

ShownEnvelope shown(std::string_view body, bool cut = false) {
  return {.body = as_bytes(body), .cut = cut};
}

struct Side {
  std::string_view body;
  bool redacted = false;
  bool cut = false;
};

std::vector<FieldPath> paths(const std::vector<std::string>& texts) {
  std::vector<FieldPath> all;
  for (const std::string& text : texts) all.push_back(*parse_ignored_field(text));
  return all;
}

BodyDifference compared(const Side& first, const Side& second,
                        const std::vector<std::string>& ignored = {}) {
  const ShownEnvelope a = shown(first.body, first.cut);
  const ShownEnvelope b = shown(second.body, second.cut);
  const auto fields = paths(ignored);
  const BodyDifference difference =
      compare_bodies({a, first.redacted}, {b, second.redacted}, fields);
  const auto print_a = body_fingerprint({a, first.redacted}, fields);
  const auto print_b = body_fingerprint({b, second.redacted}, fields);
  if (print_a && print_b) {
    EXPECT_EQ(*print_a == *print_b, difference.match == BodyMatch::kSame)
        << first.body << " and " << second.body;
  }
  return difference;
}

TEST(BodyMatchTest, TheFirstPlaceThatDiffersIsNamed) {
  const auto difference =
      compared({R"({"a": [1, {"b": 2}], "c": 3})"}, {R"({"a": [1, {"b": 5}], "c": 4})"});
  EXPECT_EQ(difference.match, BodyMatch::kDifferent);
  EXPECT_EQ(difference.where, "body.a[1].b");
  EXPECT_EQ(difference.first, "2");
  EXPECT_EQ(difference.second, "5");
}

TEST(BodyMatchTest, TheOrderOfKeysAndTheEncodingAreNoDifference) {
  EXPECT_EQ(compared({R"({"a": 1, "b": 2})"}, {R"({ "b":2, "a":1 })"}).match, BodyMatch::kSame);
  EXPECT_EQ(compared({R"({"n": 5})"}, {"\x81\xa1n\x05"}).match, BodyMatch::kSame);
  EXPECT_EQ(compared({R"({"n": 5.0})"}, {"\x81\xa1n\x05"}).match, BodyMatch::kSame);
}

TEST(BodyMatchTest, WhatIsMissingOrMoreIsADifference) {
  EXPECT_EQ(compared({R"({"a": 1})"}, {R"({"a": 1, "b": 2})"}).where, "body.b");
  EXPECT_EQ(compared({R"({"a": 1, "b": 2})"}, {R"({"b": 2})"}).where, "body.a");
  EXPECT_EQ(compared({"[1, 2]"}, {"[1]"}).where, "body[1]");
}

TEST(BodyMatchTest, IgnoredFieldsMayDifferAndBeMissing) {
  const Side first{R"({"time": 1, "items": [{"id": 1, "n": 2}], "x": {"id": 3}})"};
  const Side second{R"({"items": [{"id": 8, "n": 2}], "x": {"id": 9}})"};
  EXPECT_EQ(compared(first, second).match, BodyMatch::kDifferent);
  EXPECT_EQ(compared(first, second, {"body.time", "items.id", "x.id"}).match, BodyMatch::kSame);
  EXPECT_EQ(compared(first, second, {"body.time", "*.id"}).match, BodyMatch::kSame);
  EXPECT_EQ(compared(first, second, {"body.time", "items.n"}).match, BodyMatch::kDifferent);
}

TEST(BodyMatchTest, OtherBodiesAreComparedByTheirBytes) {
  EXPECT_EQ(compared({"hello"}, {"hello"}).match, BodyMatch::kSame);
  const auto difference = compared({"hello"}, {"hellO"});
  EXPECT_EQ(difference.where, "body");
  EXPECT_EQ(difference.first, "\"hello\"");
}

TEST(BodyMatchTest, WhatIsRedactedIsToldFromWhatIsDifferent) {
  const Side plain{R"({"user": {"password": "x", "name": "ann"}})"};
  const Side hidden{R"({"user": {"password": "[redacted]", "name": "ann"}})", true};
  const Side other{R"({"user": {"password": "[redacted]", "name": "bea"}})", true};
  EXPECT_EQ(compared(plain, hidden).match, BodyMatch::kRedacted);
  EXPECT_EQ(compared(hidden, hidden).match, BodyMatch::kRedacted);
  EXPECT_EQ(compared(plain, other).where, "body.user.name");
  EXPECT_EQ(compared(plain, {"[redacted]", true}).match, BodyMatch::kRedacted);
  EXPECT_EQ(compared(plain, {"[redacted]"}).match, BodyMatch::kDifferent);
}

TEST(BodyMatchTest, WhatIsCutIsComparedAsFarAsItIsThere) {
  EXPECT_EQ(compared({"hello b", false, true}, {"hello bob"}).match, BodyMatch::kCut);
  EXPECT_EQ(compared({"hello x", false, true}, {"hello bob"}).match, BodyMatch::kDifferent);
  EXPECT_EQ(compared({"hello bob and", false, true}, {"hello bob"}).match, BodyMatch::kDifferent);
  // It may be the ignored field that differs.
  EXPECT_EQ(compared({R"({"t": 1, "x)", false, true}, {R"({"t": 2, "x": 1})"}, {"t"}).match,
            BodyMatch::kCut);
}

}  // namespace
}  // namespace zpost::inspect
