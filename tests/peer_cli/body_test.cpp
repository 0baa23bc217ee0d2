#include "peer/cli/shared/body.h"

#include <gmock/gmock.h>

#include <string>

#include "peer/cli/shared/json.h"

namespace zpost::cli {
namespace {

using testing::HasSubstr;

constexpr std::string_view kMap{"\x82\xa1\x61\x01\xa1\x62\x92\xc0\xc3",
                                9};  // {"a": 1, "b": [null, true]}

TEST(BodyTest, TextIsText) {
  const ReadableBody body = readable({as_bytes("héllo"), true});
  EXPECT_EQ(body.form, BodyForm::kText);
  EXPECT_EQ(body.text, "héllo");
}

TEST(BodyTest, BytesThatReadAsTextAreShownAsText) {
  EXPECT_EQ(readable({as_bytes("hello\n")}).form, BodyForm::kText);
}

TEST(BodyTest, OtherBytesAreShownInHexadecimalWithTheirSize) {
  const std::string bytes(100, '\xfe');
  const ReadableBody body = readable({as_bytes(bytes)});
  EXPECT_EQ(body.form, BodyForm::kBinary);
  EXPECT_THAT(body.text, HasSubstr("100 B: fe fe"));
  EXPECT_THAT(body.text, HasSubstr("…"));
}

TEST(BodyTest, MsgpackIsShownAsJsonByContentTypeOrLooks) {
  for (const std::string_view type : {"application/msgpack", ""}) {
    const ReadableBody body = readable({as_bytes(kMap), false, type});
    EXPECT_EQ(body.form, BodyForm::kMsgpack) << type;
    EXPECT_EQ(body.text, R"({"a":1,"b":[null,true]})");
  }
}

TEST(BodyTest, WhatOnlyClaimsToBeMsgpackIsShownAsItIs) {
  EXPECT_EQ(readable({as_bytes("\xc1"), false, "application/msgpack"}).form, BodyForm::kBinary);
  EXPECT_EQ(readable({as_bytes("\xdd\xff\xff\xff\xff"), false, "application/msgpack"}).form,
            BodyForm::kBinary);
}

TEST(BodyTest, JsonIsKnownByItsContentType) {
  EXPECT_EQ(readable({as_bytes("{}"), false, "application/json; charset=utf-8"}).form,
            BodyForm::kJson);
}

TEST(BodyTest, InJsonTextIsTextAndBytesAreBase64) {
  Json object;
  put_body(object, {as_bytes("hi"), true});
  EXPECT_EQ(object["body"], "hi");

  Json other;
  put_body(other, {as_bytes("\xff\xfe\xfd")});
  EXPECT_EQ(other["body_base64"], "//79");
  EXPECT_FALSE(other.contains("body"));
}

}  // namespace
}  // namespace zpost::cli
