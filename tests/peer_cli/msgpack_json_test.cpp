#include "peer/cli/shared/msgpack_json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <msgpack.hpp>
#include <string>
#include <vector>

namespace zpost::cli {
namespace {

std::string json_of(std::string_view bytes) {
  const auto json = json_from_msgpack(as_bytes(bytes));
  return json ? json->dump() : "nothing";
}

TEST(MsgpackJsonTest, ValuesBecomeWhatTheyMean) {
  msgpack::sbuffer buffer;
  msgpack::packer packer(buffer);
  packer.pack_map(3);
  packer.pack("list").pack(std::vector<int>{1, -2});
  packer.pack(7).pack(true);
  packer.pack("bytes").pack_bin(2).pack_bin_body("\xff\x00", 2);
  EXPECT_EQ(json_of({buffer.data(), buffer.size()}), R"({"list":[1,-2],"7":true,"bytes":"/wA="})");
}

TEST(MsgpackJsonTest, ExtensionsShowTypeAndData) {
  EXPECT_EQ(json_of("\xd4\x05\x01"), R"({"ext":5,"data":"AQ=="})");
}

TEST(MsgpackJsonTest, OnlyOneWholeValueCounts) {
  EXPECT_EQ(json_of(""), "nothing");
  EXPECT_EQ(json_of("\x01\x02"), "nothing");
  EXPECT_EQ(json_of("\x92\x01"), "nothing");
  EXPECT_EQ(json_of("\xc1"), "nothing");
}

TEST(MsgpackJsonTest, DeclaredSizesAreNotBelieved) {
  EXPECT_EQ(json_of("\xdd\xff\xff\xff\xff"), "nothing");
  EXPECT_EQ(json_of("\xdf\xff\xff\xff\xff"), "nothing");
  EXPECT_EQ(json_of("\xdb\xff\xff\xff\xff"), "nothing");
}

TEST(MsgpackJsonTest, DeepNestingIsRefused) {
  EXPECT_EQ(json_of(std::string(1 << 20, '\x91') + '\x01'), "nothing");
}

TEST(MsgpackJsonTest, AMapOfManyKeysTakesNoTime) {
  std::string bytes("\xde\xff\xff");
  for (int i = 0; i < 0xffff; ++i) bytes += "\xa1x\x01";
  const auto json = json_from_msgpack(as_bytes(bytes));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->size(), 0xffffu);
}

RC_GTEST_PROP(MsgpackJsonTest, AnyBytesDoNoHarm, (const std::string& bytes)) {
  const auto json = json_from_msgpack(as_bytes(bytes));
  if (json) (void)to_line(*json);
}

}  // namespace
}  // namespace zpost::cli
