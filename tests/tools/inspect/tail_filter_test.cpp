#include "tools/inspect/tail_filter.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace zpost::inspect {
namespace {

TailFilter filter_of(const std::string& text) {
  auto filter = filter::Filter::compile(text);
  EXPECT_TRUE(filter.has_value()) << text;
  return TailFilter({}, false, *std::move(filter));
}

TailLine line_of(TapEvent event, std::uint64_t id, std::uint64_t time_ns) {
  return {.event = event,
          .time_ns = time_ns,
          .from = "alice",
          .to = "bob",
          .kind_number = 16,
          .first_id = id,
          .last_id = id,
          .count = 1,
          .bytes = 50};
}

TEST(TailFilterTest, OfARunOnlyTheEnvelopesThatAreWantedAreShown) {
  TailFilter filter = filter_of("id = 8");
  TailLine seven = line_of(TapEvent::kReceived, 7, 1);
  TailLine eight = line_of(TapEvent::kReceived, 8, 1);
  EXPECT_FALSE(filter.wants(seven));
  EXPECT_TRUE(filter.wants(eight));
}

TEST(TailFilterTest, ABodyTheBrokerLookedIntoNeedNotBeHereWhole) {
  TailFilter filter = filter_of("body.temp > 30");
  TailLine headers = line_of(TapEvent::kReceived, 7, 1);
  EXPECT_TRUE(filter.wants(headers));
  TailLine cut = headers;
  cut.envelope = ShownEnvelope{.body = as_bytes("{\"te"), .cut = true};
  EXPECT_TRUE(filter.wants(cut));
  TailLine whole = headers;
  whole.envelope = ShownEnvelope{.body = as_bytes("{\"temp\": 1}")};
  EXPECT_FALSE(filter.wants(whole));
  TailLine forwarded = line_of(TapEvent::kForwarded, 7, 1);
  EXPECT_FALSE(filter.wants(forwarded));
}

TEST(TailFilterTest, ALatencyIsThatSinceTheEnvelopeWasReceived) {
  TailFilter filter = filter_of("latency > 20us");
  TailLine received = line_of(TapEvent::kReceived, 7, 1'000);
  TailLine slow = line_of(TapEvent::kDelivered, 7, 30'000);
  TailLine fast = line_of(TapEvent::kDelivered, 7, 20'000);
  EXPECT_FALSE(filter.wants(received));
  EXPECT_TRUE(filter.wants(slow));
  EXPECT_EQ(slow.latency_ns, 29'000U);
  EXPECT_FALSE(filter.wants(fast));
}

TEST(TailFilterTest, WhatWasMissedIsAlwaysTold) {
  TailFilter filter = filter_of("from = nobody");
  TailLine missed{.event = TapEvent::kMissed, .missed = 3};
  EXPECT_TRUE(filter.wants(missed));
}

TEST(TailFilterTest, TheWordsOfTheLanguageAreThoseOfTheOutput) {
  const auto compiles = [](const std::string& text) {
    return filter::Filter::compile(text).has_value();
  };
  for (int number = 1; number < 256; ++number) {
    const auto event = static_cast<TapEvent>(number);
    if (event_name(event) == "unknown" || !is_asked_for(event)) continue;
    EXPECT_TRUE(compiles("event = " + std::string(event_name(event)))) << event_name(event);
  }
  for (std::uint16_t number = 1; number < 100; ++number) {
    const std::string held(held_name(static_cast<HeldWhy>(number)));
    const std::string change(change_name(static_cast<SessionChange>(number)));
    EXPECT_TRUE(held == "unknown" || compiles("held = " + held)) << held;
    EXPECT_TRUE(change == "unknown" || compiles("change = " + change)) << change;
  }
}

TEST(FilterPageTest, EveryExampleOfThePageCompiles) {
  std::ifstream page(ZPOST_DOCS_DIR "/filter.md");
  std::string line;
  while (std::getline(page, line) && line != "## Examples") {
  }
  std::size_t examples = 0;
  while (std::getline(page, line) && !line.starts_with("## ")) {
    if (!line.starts_with("    ")) continue;
    const std::string text = line.substr(4);
    const auto filter = filter::Filter::compile(text);
    EXPECT_TRUE(filter.has_value()) << filter.error().with_caret(text);
    ++examples;
  }
  EXPECT_GE(examples, 15U);
}

}  // namespace
}  // namespace zpost::inspect
