#include "peer/src/topic_prefixes.h"

#include <gtest/gtest.h>

#include <string>

namespace zpost::peer {
namespace {

/// The topic of an envelope that begins with `prefix`.
std::string topic_in(const EnvelopePrefix& prefix) {
  ByteBuffer bytes(prefix.encoded_size(1, 0));
  (void)prefix.write(bytes.data(), 1, {});
  FrameReader reader(bytes);
  EnvelopeView view;
  return reader.next(view) ? std::string(view.to) : std::string();
}

std::string topic(int number) {
  return "lab/" + std::to_string(number);
}

TEST(TopicPrefixesTest, APrefixIsOfItsTopicHoweverManyThereAre) {
  TopicPrefixes prefixes("alice");
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(topic_in(prefixes.get(topic(i))), topic(i));
  }
}

TEST(TopicPrefixesTest, HundredsOfTopicsKeepTheirPlacesWhileTheTableGrows) {
  TopicPrefixes prefixes("alice");
  for (int i = 0; i < 250; ++i) (void)prefixes.get(topic(i));
  int found = 0;
  for (int i = 0; i < 250; ++i) {
    const EnvelopePrefix* const known = prefixes.find(topic(i));
    if (known == nullptr) continue;  // Another took its place.
    EXPECT_EQ(topic_in(*known), topic(i));
    ++found;
  }
  EXPECT_GT(found, 240);
}

TEST(TopicPrefixesTest, WhatWasNotPutIsNotThere) {
  TopicPrefixes prefixes("alice");
  EXPECT_EQ(prefixes.find("lab"), nullptr);
  (void)prefixes.get("lab");
  EXPECT_EQ(prefixes.find("lab/x"), nullptr);
  EXPECT_NE(prefixes.find("lab"), nullptr);
}

}  // namespace
}  // namespace zpost::peer
