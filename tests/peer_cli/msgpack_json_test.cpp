#include "peer/cli/shared/msgpack_json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <map>
#include <msgpack.hpp>
#include <string>
#include <vector>

#include "peer/cli/shared/json.h"

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

#ifndef ZPOST_SANITIZED  // Sanitizers need terabytes of addresses.
/// For a process of its own: exits with 0 if `bytes` are nothing without memory for them.
[[noreturn]] void read_without_memory(const std::string& bytes) {
  constexpr rlim_t kLittle = 64 << 20;
  const rlimit limit{kLittle, kLittle};
  ::setrlimit(RLIMIT_AS, &limit);
  std::_Exit(json_from_msgpack(as_bytes(bytes)) ? 1 : 0);
}

TEST(MsgpackJsonTest, WithoutMemoryForItNothingIsRead) {
  const std::string bytes = std::string("\xdd\x01\x00\x00\x00", 5) + std::string(1 << 24, '\xc0');
  EXPECT_EXIT(read_without_memory(bytes), testing::ExitedWithCode(0), "");
}
#endif

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
