#include "tools/inspect/protobuf_decoder.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tools/inspect/protobuf_options.h"
#include "tools/inspect/tail_json.h"

namespace zpost::inspect {
namespace {

using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using Rows = std::vector<std::string>;

void add_field(google::protobuf::DescriptorProto& message, const char* name,
               FieldDescriptorProto::Type type, const char* type_name = nullptr,
               FieldDescriptorProto::Label label = FieldDescriptorProto::LABEL_OPTIONAL) {
  FieldDescriptorProto& field = *message.add_field();
  field.set_name(name);
  field.set_number(message.field_size());
  field.set_type(type);
  field.set_label(label);
  if (type_name != nullptr) field.set_type_name(type_name);
}

/// lab.proto: Reading {temp, sensor, count, inner, other} in proto3 or proto2.
FileDescriptorProto lab_file() {
  FileDescriptorProto file;
  file.set_name("lab.proto");
  file.set_package("lab");
  file.set_syntax("proto3");
  file.add_dependency("google/protobuf/any.proto");
  google::protobuf::DescriptorProto& reading = *file.add_message_type();
  reading.set_name("Reading");
  add_field(reading, "temp", FieldDescriptorProto::TYPE_DOUBLE);
  add_field(reading, "sensor_name", FieldDescriptorProto::TYPE_STRING);
  add_field(reading, "counts", FieldDescriptorProto::TYPE_INT32, nullptr,
            FieldDescriptorProto::LABEL_REPEATED);
  add_field(reading, "inner", FieldDescriptorProto::TYPE_MESSAGE, ".lab.Reading");
  add_field(reading, "other", FieldDescriptorProto::TYPE_MESSAGE, ".google.protobuf.Any");
  return file;
}

FileDescriptorSet lab_set() {
  FileDescriptorSet set;
  google::protobuf::Any::descriptor()->file()->CopyTo(set.add_file());
  *set.add_file() = lab_file();
  return set;
}

/// A field of length-delimited type.
std::string delimited(char tag, std::string_view bytes) {
  std::string text(1, tag);
  std::size_t left = bytes.size();
  for (; left > 127; left >>= 7) text += static_cast<char>((left & 127) | 128);
  text += static_cast<char>(left);
  return text.append(bytes);
}

constexpr char kSensor = 0x12;
constexpr char kCounts = 0x1a;
constexpr char kInner = 0x22;
constexpr char kOther = 0x2a;
constexpr std::string_view kTemp{"\x09\0\0\0\0\0\x80\x3f\x40", 9};  // 31.5

class ProtobufDecoderTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(decoder_.add_descriptors(lab_set().SerializeAsString(), "lab.desc"));
  }

  static ShownEnvelope body(std::string_view bytes, std::string_view type = kReading) {
    return {.content_type = type, .body = as_bytes(bytes)};
  }

  [[nodiscard]] ProtobufBody decoded(std::string_view bytes) const {
    return decoder_.decode(body(bytes), "bob").value_or(ProtobufBody{.fault = "not taken"});
  }

  static constexpr std::string_view kReading = "application/x-protobuf; messageType=lab.Reading";

  ProtobufDecoder decoder_;
};

TEST_F(ProtobufDecoderTest, AContentTypeMayNameItsMessageInSeveralWays) {
  EXPECT_EQ(protobuf_message_of("application/x-protobuf; messageType=lab.Reading"), "lab.Reading");
  EXPECT_EQ(protobuf_message_of("application/protobuf;a=b; TYPE = \".lab.Reading\""),
            "lab.Reading");
  EXPECT_EQ(protobuf_message_of("application/vnd.google.protobuf; proto=lab.Reading; v=1"),
            "lab.Reading");
  EXPECT_EQ(protobuf_message_of("x/y+protobuf; type=type.googleapis.com/lab.Reading"),
            "lab.Reading");
  EXPECT_EQ(protobuf_message_of("application/x-protobuf; messageType"), "");
  EXPECT_EQ(protobuf_message_of("application/x-protobuf"), "");
  EXPECT_EQ(protobuf_message_of("application/json; type=lab.Reading"), std::nullopt);
  EXPECT_EQ(protobuf_message_of(""), std::nullopt);
}

TEST_F(ProtobufDecoderTest, ABodyIsShownWithTheNamesOfItsFields) {
  const std::string inner = delimited(kSensor, "a<b");
  const ProtobufBody shown =
      decoded(std::string(kTemp) + delimited(kCounts, "\1\2") + delimited(kInner, inner));
  EXPECT_EQ(shown.fault, "");
  EXPECT_EQ(shown.message, "lab.Reading");
  EXPECT_EQ(shown.json, R"({"temp":31.5,"counts":[1,2],"inner":{"sensor_name":"a<b"}})");
  EXPECT_EQ(shown.remark, "");
}

TEST_F(ProtobufDecoderTest, ARuleSaysWhatBodiesWithoutATellingTypeAre) {
  ASSERT_TRUE(decoder_.add_rule("lab/*/temp=lab.Reading"));
  ASSERT_TRUE(decoder_.add_rule("srv*=google.protobuf.Any"));
  const auto message = [&](std::string_view to, std::string_view type) {
    return decoder_.decode(body(kTemp, type), to).value_or(ProtobufBody{}).message;
  };
  EXPECT_EQ(message("lab/1/temp", ""), "lab.Reading");
  EXPECT_EQ(message("lab/1/temp", "application/octet-stream"), "lab.Reading");
  EXPECT_EQ(message("lab/1/temp", "application/x-protobuf"), "lab.Reading");
  EXPECT_EQ(message("lab/1/temp", "application/json"), "");
  EXPECT_EQ(message("lab/1/rain", ""), "");
  EXPECT_EQ(message("srv-2", ""), "google.protobuf.Any");
  EXPECT_EQ(message("@srv-2", ""), "google.protobuf.Any");
  EXPECT_EQ(message("srv-2", kReading), "lab.Reading");
}

TEST_F(ProtobufDecoderTest, WhatCannotBeReadIsSaidInWords) {
  EXPECT_EQ(decoded("\x09\1").fault, "not lab.Reading");
  EXPECT_EQ(decoded(delimited(kSensor, "\xff")).fault, "not lab.Reading");
  ShownEnvelope cut = body(kTemp);
  cut.cut = true;
  EXPECT_EQ(decoder_.decode(cut, "bob")->fault, "lab.Reading, cut (see --snap)");
  EXPECT_EQ(decoder_.decode(body(kTemp, "application/x-protobuf; type=lab.Rain"), "bob")->fault,
            "protobuf of lab.Rain, which no descriptor set has");
  EXPECT_EQ(decoder_.decode(body(kTemp, "application/x-protobuf"), "bob")->fault,
            "protobuf of an unnamed message (see --proto-type)");
  EXPECT_FALSE(ProtobufDecoder().decode(body(kTemp), "bob").has_value());
}

TEST_F(ProtobufDecoderTest, WhatIsOddAboutABodyIsSaidBesidesIt) {
  const ProtobufBody shown = decoded("\x78\1" + delimited(kInner, "\x78\2"));
  EXPECT_EQ(shown.json, R"({"inner":{}})");
  EXPECT_EQ(shown.remark, "2 unknown fields");

  FileDescriptorSet set;
  FileDescriptorProto& old = *set.add_file();
  old.set_name("old.proto");
  add_field(*old.add_message_type(), "id", FieldDescriptorProto::TYPE_INT32, nullptr,
            FieldDescriptorProto::LABEL_REQUIRED);
  old.mutable_message_type(0)->set_name("Old");
  ASSERT_TRUE(decoder_.add_descriptors(set.SerializeAsString(), "old.desc"));
  EXPECT_EQ(decoder_.decode(body("", "application/protobuf; type=Old"), "bob")->remark, "lacks id");
}

TEST_F(ProtobufDecoderTest, NestingIsFollowedToABound) {
  std::string deep;
  for (int i = 1; i < ProtobufDecoder::kMaxDepth; ++i) deep = delimited(kInner, deep);
  EXPECT_EQ(decoded(deep).fault, "");
  EXPECT_EQ(decoded(delimited(kInner, delimited(kInner, deep))).fault, "not lab.Reading");
}

TEST_F(ProtobufDecoderTest, AnAnyIsLookedIntoToTheSameBound) {
  const auto any_of = [](std::string_view type, std::string_view value) {
    return delimited(0x0a, "type.googleapis.com/" + std::string(type)) + delimited(0x12, value);
  };
  EXPECT_EQ(decoded(delimited(kOther, any_of("lab.Reading", kTemp))).json,
            R"({"other":{"@type":"type.googleapis.com/lab.Reading","temp":31.5}})");
  EXPECT_EQ(decoded(delimited(kOther, any_of("lab.Rain", kTemp))).fault,
            "lab.Reading that cannot be printed: Invalid type URL, unknown type: lab.Rain");
  std::string deep = any_of("lab.Reading", "");
  for (int i = 0; i < 1'000; ++i) deep = any_of("google.protobuf.Any", deep);
  EXPECT_EQ(decoded(delimited(kOther, deep)).fault, "lab.Reading nested deeper than 32");
}

TEST_F(ProtobufDecoderTest, WhatIsNoDescriptorSetIsRefused) {
  const auto refused = [](std::string_view bytes, const std::string& source) {
    ProtobufDecoder decoder;
    const Result<void> added = decoder.add_descriptors(bytes, source);
    return added ? "" : added.error().text;
  };
  EXPECT_EQ(refused("", "x.desc"),
            "x.desc is no descriptor set; protoc --include_imports --descriptor_set_out=x.desc "
            "makes one of .proto files");
  EXPECT_EQ(refused("syntax = \"proto3\";", "x.proto"),
            "x.proto is no descriptor set; protoc --include_imports "
            "--descriptor_set_out=FILE.desc makes one of .proto files");
  FileDescriptorSet alone;
  *alone.add_file() = lab_file();
  EXPECT_EQ(refused(alone.SerializeAsString(), "lab.desc"),
            "lab.desc lacks google/protobuf/any.proto, which lab.proto imports; protoc "
            "--include_imports puts it there");
  FileDescriptorSet wrong = lab_set();
  wrong.mutable_file(1)->mutable_message_type(0)->mutable_field(3)->set_type_name(".lab.Rain");
  EXPECT_EQ(refused(wrong.SerializeAsString(), "lab.desc"),
            "lab.desc contradicts itself: lab.proto: lab.Reading.inner: \".lab.Rain\" is not "
            "defined.");
}

TEST_F(ProtobufDecoderTest, SeveralSetsMayShareFilesThatAreTheSame) {
  EXPECT_TRUE(decoder_.add_descriptors(lab_set().SerializeAsString(), "again.desc"));
  FileDescriptorSet other = lab_set();
  other.mutable_file(1)->mutable_message_type(0)->mutable_field(0)->set_name("heat");
  const Result<void> added = decoder_.add_descriptors(other.SerializeAsString(), "other.desc");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().text, "other.desc has another lab.proto than a descriptor set before it");
}

TEST_F(ProtobufDecoderTest, ARuleThatMeansNothingIsRefused) {
  const auto refused = [this](std::string_view text) {
    const Result<void> added = decoder_.add_rule(text);
    return added ? "" : added.error().text;
  };
  for (const char* const text : {"", "x", "=x", "x="}) {
    EXPECT_EQ(refused(text), "\"" + std::string(text) +
                                 "\" is not PATTERN=MESSAGE, such as lab/*/temp=lab.Reading");
  }
  EXPECT_EQ(refused("lab=lab.Rain"),
            "no descriptor set has a message \"lab.Rain\"; there are lab.Reading");
  EXPECT_NE(refused("l b=lab.Reading"), "");
}

TEST_F(ProtobufDecoderTest, ALineShowsItInEveryShape) {
  TailLine line{.from = "alice", .to = "bob", .kind_number = 16, .first_id = 7, .count = 1};
  const std::string bytes = std::string(kTemp) + "\x78\1";
  line.envelope = body(bytes);
  ASSERT_TRUE(decode_protobuf(decoder_, BodyShape::kLine, line));
  EXPECT_EQ(line.decoded, R"(lab.Reading {"temp":31.5} (1 unknown field))");
  ASSERT_TRUE(decode_protobuf(decoder_, BodyShape::kTree, line));
  EXPECT_EQ(line.decoded, "lab.Reading (1 unknown field)");
  EXPECT_EQ(line.tree, Rows{"temp: 31.5"});
  line.decoded.reset();
  ASSERT_TRUE(decode_protobuf(decoder_, BodyShape::kJson, line));
  const auto json = nlohmann::json::parse(tail_json(line));
  EXPECT_EQ(json["protobuf_message"], "lab.Reading");
  EXPECT_EQ(json["body_protobuf"], nlohmann::json({{"temp", 31.5}}));

  line.envelope = body("\x09");
  ASSERT_TRUE(decode_protobuf(decoder_, BodyShape::kLine, line));
  EXPECT_EQ(line.decoded, "not lab.Reading: 1 B: 09");
  line.envelope = body("\x09", "text/plain");
  EXPECT_FALSE(decode_protobuf(decoder_, BodyShape::kLine, line));
}

}  // namespace
}  // namespace zpost::inspect
