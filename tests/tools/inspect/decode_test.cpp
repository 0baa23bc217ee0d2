#include "tools/inspect/decode.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "peer/cli/shared/text.h"
#include "tools/inspect/external_decoder.h"
#include "tools/inspect/tail_json.h"
#include "tools/inspect/tail_text.h"

namespace zpost::inspect {
namespace {

using testing::Test;
using Rows = std::vector<std::string>;

class DecodeTest : public Test {
 protected:
  void SetUp() override { cli::use_utf8(); }

  static ShownEnvelope body(std::string_view bytes, std::string_view type = "") {
    return {.content_type = type, .body = as_bytes(bytes)};
  }

  // {"temp": 31, "tags": ["a", {"b": nil}], "none": []}
  static constexpr std::string_view kPacked{
      "\x83\xa4temp\x1f\xa4tags\x92\xa1"
      "a\x81\xa1"
      "b\xc0\xa4none\x90",
      25};
};

TEST_F(DecodeTest, AutoGoesByTheContentTypeAndThenByTheFirstBytes) {
  EXPECT_EQ(decoded_line(body(kPacked), Decoding::kAuto),
            R"({"temp":31,"tags":["a",{"b":null}],"none":[]})");
  EXPECT_EQ(decoded_line(body(R"({"a": [1, 2]})"), Decoding::kAuto), R"({"a":[1,2]})");
  EXPECT_EQ(decoded_line(body("3", "application/json"), Decoding::kAuto), "3");
  EXPECT_EQ(decoded_line(body("hello"), Decoding::kAuto), "\"hello\"");
  EXPECT_EQ(decoded_line(body("{hello"), Decoding::kAuto), "\"{hello\"");
  EXPECT_EQ(decoded_line(body({"\0\1\2", 3}), Decoding::kAuto), "3 B: 00 01 02");
  EXPECT_EQ(decoded_line(body("\x1f", "application/msgpack"), Decoding::kAuto), "31");
}

TEST_F(DecodeTest, WhatIsAskedForIsTriedWhateverTheContentTypeSays) {
  EXPECT_EQ(decoded_line(body("\x1f", "text/plain"), Decoding::kMsgpack), "31");
  EXPECT_EQ(decoded_line(body("1", "text/plain"), Decoding::kJson), "1");
  EXPECT_EQ(decoded_line(body("hi", "application/json"), Decoding::kHex), "2 B: 68 69");
  EXPECT_EQ(decoded_line(body("{}", "application/json"), Decoding::kText), "\"{}\"");
}

TEST_F(DecodeTest, WhatIsNotWhatItIsSaidToBeIsShownAsBytes) {
  EXPECT_EQ(decoded_line(body("\xc1"), Decoding::kMsgpack), "not MessagePack: 1 B: c1");
  EXPECT_EQ(decoded_line(body("{"), Decoding::kJson), "not JSON: 1 B: 7b");
  ShownEnvelope cut = body("{");
  cut.cut = true;
  EXPECT_EQ(decoded_line(cut, Decoding::kJson), "cut (see --snap): 1 B: 7b …");
  EXPECT_EQ(decoded_tree(body("{"), Decoding::kJson),
            (Rows{"not JSON", "0000  7b                                               {"}));
}

TEST_F(DecodeTest, NothingMovesTheCursorOfATerminal) {
  constexpr std::string_view kEvil("\x1b[2J\x9b\r\n\x07", 8);
  for (const char* const name : {"auto", "msgpack", "json", "text", "hex"}) {
    const Decoding decoding = *decoding_from_name(name);
    std::string shown = decoded_line(body(kEvil), decoding);
    for (const std::string& row : decoded_tree(body(kEvil), decoding)) shown += row;
    for (const char c : shown) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << name;
  }
  EXPECT_EQ(decoded_line(body(R"({"\u001b[2J": "\u009b"})"), Decoding::kJson),
            R"({"\u001b[2J":"\u{9b}"})");
}

TEST_F(DecodeTest, ATreeHasARowForEachValue) {
  EXPECT_EQ(decoded_tree(body(kPacked), Decoding::kAuto),
            (Rows{"temp: 31", "tags:", "  [0]: \"a\"", "  [1]:", "    b: null", "none: []"}));
  EXPECT_EQ(decoded_tree(body("[[1],{}]"), Decoding::kAuto), (Rows{"[0]:", "  [0]: 1", "[1]: {}"}));
  EXPECT_EQ(decoded_tree(body("7", "application/json"), Decoding::kAuto), Rows{"7"});
  EXPECT_EQ(decoded_tree(body("one\ntwo\x1b"), Decoding::kAuto), (Rows{"one", "two\\e"}));
  EXPECT_EQ(decoded_tree(body("hello, all of you"), Decoding::kHex),
            (Rows{"0000  68 65 6c 6c 6f 2c 20 61 6c 6c 20 6f 66 20 79 6f  hello, all of yo",
                  "0010  75                                               u"}));
}

TEST_F(DecodeTest, ALongTreeSaysHowManyRowsItLeavesOut) {
  const Rows rows = decoded_tree(body(std::string(1203, '\n')), Decoding::kText);
  ASSERT_EQ(rows.size(), kMaxTreeRows + 1);
  EXPECT_EQ(rows.back(), "… 1,003 rows more");
}

TEST_F(DecodeTest, DeepNestingIsNotFollowed) {
  const std::string json(100'000, '[');
  const std::string deep = std::string(33, '[') + std::string(33, ']');
  EXPECT_TRUE(decoded_line(body(json), Decoding::kJson).starts_with("not JSON: "));
  EXPECT_TRUE(decoded_line(body(deep), Decoding::kJson).starts_with("not JSON: "));
  EXPECT_EQ(decoded_line(body(deep.substr(1, 64)), Decoding::kJson), deep.substr(1, 64));
}

TEST_F(DecodeTest, ADecodedBodyTakesThePlaceOfTheUsualOneAndATreeStandsBelow) {
  TailLine line{
      .from = "alice", .to = "bob", .kind_number = 16, .first_id = 7, .count = 1, .bytes = 33};
  line.envelope = body("\1\2");
  line.decoded = decoded_line(*line.envelope, Decoding::kHex);
  line.tree = {"a: 1", std::string(200, 'x')};
  const std::string text = tail_text(line, cli::Palette(false), 80);
  EXPECT_NE(text.find("#7 2 B: 01 02\n               a: 1\n               xxx"), std::string::npos)
      << text;
  EXPECT_LE(cli::columns_of(text.substr(text.find("xxx"))), 66U);
  EXPECT_EQ(nlohmann::json::parse(tail_json(line))["decoded"], "2 B: 01 02");
}

TEST(ExternalDecodersTest, ACommandGetsTheBodyOfItsContentType) {
  ExternalDecoders decoders;
  ASSERT_TRUE(decoders.add("application/x-lab*=tr a-z A-Z; echo \" $ZPOST_CONTENT_TYPE\""));
  const ShownEnvelope lab{.content_type = "application/x-lab-1; v=2", .body = as_bytes("warm")};
  EXPECT_EQ(decoders.decode(lab), "WARM application/x-lab-1; v=2");
  const ShownEnvelope other{.content_type = "text/plain", .body = as_bytes("warm")};
  EXPECT_EQ(decoders.decode(other), std::nullopt);
}

TEST(ExternalDecodersTest, AFailureIsToldInsteadOfTheBody) {
  ExternalDecoders decoders;
  ASSERT_TRUE(decoders.add("bad=exit 3"));
  ASSERT_TRUE(decoders.add("endless=yes"));
  EXPECT_EQ(decoders.decode({.content_type = "bad"}), "(the decoder exited with status 3)");
  EXPECT_EQ(decoders.decode({.content_type = "endless"}),
            "(the decoder wrote more than fits in a reply)");
  EXPECT_EQ(decoders.decode({.content_type = "bad", .cut = true}),
            "(cut: no decoder gets a part; see --snap)");
}

TEST(ExternalDecodersTest, AnythingButTypeAndCommandIsRefused) {
  ExternalDecoders decoders;
  for (const char* const text : {"", "x", "=x", "x="}) {
    const Result<void> added = decoders.add(text);
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().text, "\"" + std::string(text) +
                                      "\" is not TYPE=COMMAND, such as "
                                      "application/x-lab=./decode-lab");
  }
}

}  // namespace
}  // namespace zpost::inspect
