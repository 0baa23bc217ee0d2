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

BodyRules ignoring(const std::vector<std::string>& texts) {
  BodyRules rules;
  for (const std::string& text : texts) EXPECT_TRUE(rules.ignore(text)) << text;
  return rules;
}

BodyDifference compared(const Side& first, const Side& second,
                        const std::vector<std::string>& ignored = {}) {
  const ShownEnvelope a = shown(first.body, first.cut);
  const ShownEnvelope b = shown(second.body, second.cut);
  const BodyRules rules = ignoring(ignored);
  const BodyDifference difference =
      compare_bodies({a, first.redacted}, {b, second.redacted}, rules);
  const auto print_a = body_fingerprint({a, first.redacted}, rules);
  const auto print_b = body_fingerprint({b, second.redacted}, rules);
  if (print_a && print_b) {
    EXPECT_EQ(*print_a == *print_b, difference.match == BodyMatch::kSame)
        << first.body << " and " << second.body;
  }
  return difference;
}

std::string place_of(const Side& first, const Side& second) {
  const BodyDifference difference = compared(first, second);
  return difference.places.empty() ? "" : difference.places[0].where;
}

TEST(BodyMatchTest, TheFirstPlaceThatDiffersIsNamed) {
  const auto difference =
      compared({R"({"a": [1, {"b": 2}], "c": 3})"}, {R"({"a": [1, {"b": 5}], "c": 4})"});
  EXPECT_EQ(difference.match, BodyMatch::kDifferent);
  ASSERT_EQ(difference.places.size(), 1U);
  EXPECT_EQ(difference.places[0].where, "body.a[1].b");
  EXPECT_EQ(difference.places[0].first, "2");
  EXPECT_EQ(difference.places[0].second, "5");
}

TEST(BodyMatchTest, TheOrderOfKeysAndTheEncodingAreNoDifference) {
  EXPECT_EQ(compared({R"({"a": 1, "b": 2})"}, {R"({ "b":2, "a":1 })"}).match, BodyMatch::kSame);
  EXPECT_EQ(compared({R"({"n": 5})"}, {"\x81\xa1n\x05"}).match, BodyMatch::kSame);
  EXPECT_EQ(compared({R"({"n": 5.0})"}, {"\x81\xa1n\x05"}).match, BodyMatch::kSame);
}

TEST(BodyMatchTest, WhatIsMissingOrMoreIsADifference) {
  EXPECT_EQ(place_of({R"({"a": 1})"}, {R"({"a": 1, "b": 2})"}), "body.b");
  EXPECT_EQ(place_of({R"({"a": 1, "b": 2})"}, {R"({"b": 2})"}), "body.a");
  EXPECT_EQ(place_of({"[1, 2]"}, {"[1]"}), "body[1]");
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
  ASSERT_EQ(difference.places.size(), 1U);
  EXPECT_EQ(difference.places[0].where, "body");
  EXPECT_EQ(difference.places[0].first, "\"hello\"");
}

TEST(BodyMatchTest, SoManyPlacesAreToldAsAreWanted) {
  const ShownEnvelope a = shown(R"({"a": [1, 2, 3], "b": 1, "c": 1})");
  const ShownEnvelope b = shown(R"({"a": [1, 5], "b": 2, "d": 1})");
  const auto found = compare_bodies({a}, {b}, {.most_places = 8}).places;
  std::vector<std::string> where;
  for (const BodyPlace& place : found) where.push_back(place.where);
  EXPECT_EQ(where,
            (std::vector<std::string>{"body.a[1]", "body.a[2]", "body.b", "body.c", "body.d"}));
  EXPECT_EQ(compare_bodies({a}, {b}, {.most_places = 2}).places.size(), 2U);
}

TEST(BodyMatchTest, AllOfABodyMayBeIgnored) {
  EXPECT_EQ(compared({"hello"}, {R"({"a": 1})"}, {"body"}).match, BodyMatch::kSame);
  EXPECT_FALSE(BodyRules().ignore("body."));
}

TEST(BodyMatchTest, AnotherEncodingIsADifferenceWhereBytesCount) {
  const ShownEnvelope a = shown(R"({"n": 5})");
  const ShownEnvelope b = shown(R"({"n":5})");
  const auto found = compare_bodies({a}, {b}, {.by_value = false});
  ASSERT_EQ(found.places.size(), 1U);
  EXPECT_EQ(found.places[0].second, "7 bytes of the same values, encoded differently");
}

TEST(BodyMatchTest, WhatIsRedactedIsToldFromWhatIsDifferent) {
  const Side plain{R"({"user": {"password": "x", "name": "ann"}})"};
  const Side hidden{R"({"user": {"password": "[redacted]", "name": "ann"}})", true};
  const Side other{R"({"user": {"password": "[redacted]", "name": "bea"}})", true};
  EXPECT_EQ(compared(plain, hidden).match, BodyMatch::kRedacted);
  EXPECT_EQ(compared(hidden, hidden).match, BodyMatch::kRedacted);
  EXPECT_EQ(place_of(plain, other), "body.user.name");
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
