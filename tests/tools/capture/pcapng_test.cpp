#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "tools/capture/pcapng_format.h"
#include "tools/capture/pcapng_reader.h"
#include "tools/capture/pcapng_writer.h"

namespace zpost::capture {
namespace {

constexpr std::uint64_t kTime = 1'767'225'600'123'456'789;

struct Seen {
  std::vector<std::string> packets = {};
  std::string error = {};
};

Seen read_all(PcapngReader& reader) {
  Seen seen;
  Packet packet;
  while (true) {
    const Result<bool> more = reader.next(packet);
    if (!more) seen.error = more.error().text;
    if (!more || !*more) return seen;
    seen.packets.emplace_back(as_text(packet.data));
  }
}

Seen read_all(Bytes file) {
  MemorySource source(file);
  PcapngReader reader(source);
  return read_all(reader);
}

/// A section with `count` packets "0", "1" …
ByteBuffer file_of(int count) {
  ByteBuffer file;
  append_section(file, {.program = "test", .comments = {"first", "second"}, .source = "here"});
  for (int i = 0; i < count; ++i) {
    const std::string text = std::to_string(i);
    append_packet(file, kTime + static_cast<std::uint64_t>(i), as_bytes(text), 0, "");
  }
  return file;
}

TEST(PcapngTest, WhatIsWrittenIsReadBack) {
  ByteBuffer file = file_of(0);
  append_packet(file, kTime, as_bytes("hello"), 12, "12 records missed");
  append_statistics(file, kTime, {.records = 1, .missed = 12}, "done");
  MemorySource source(file);
  PcapngReader reader(source);
  Packet packet;
  const Result<bool> more = reader.next(packet);
  ASSERT_TRUE(more && *more);
  EXPECT_EQ(as_text(packet.data), "hello");
  EXPECT_EQ(packet.time_ns, kTime);
  EXPECT_EQ(packet.link_type, kExportedPdu);
  EXPECT_EQ(packet.missed, 12u);
  EXPECT_EQ(packet.comment, "12 records missed");
  const Result<bool> end = reader.next(packet);
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_EQ(reader.comments(), (std::vector<std::string>{"first", "second"}));
  ASSERT_TRUE(reader.totals());
  EXPECT_EQ(reader.totals()->records, 1u);
  EXPECT_EQ(reader.totals()->missed, 12u);
}

TEST(PcapngTest, AFileIsReadUpToWhereverItIsCut) {
  const ByteBuffer file = file_of(3);
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Seen seen = read_all(Bytes(file).first(size));
    EXPECT_LE(seen.packets.size(), 3u);
    for (std::size_t i = 0; i < seen.packets.size(); ++i) {
      EXPECT_EQ(seen.packets[i], std::to_string(i));
    }
    EXPECT_TRUE(seen.error.empty() || seen.error.starts_with("byte ")) << seen.error;
  }
}

TEST(PcapngTest, AnEmptyFileAndOtherFilesAreRefusedInWords) {
  EXPECT_EQ(read_all(Bytes()).error, "byte 0: there is nothing in it");
  EXPECT_EQ(read_all(as_bytes("this is some text")).error, "byte 0: this is no pcapng file");
}

TEST(PcapngTest, ReadingGoesOnBehindDamage) {
  ByteBuffer file = file_of(5);
  const std::size_t two = file_of(2).size();
  std::memset(file.data() + two + 4, 0xff, 4);  // The length of packet 2.
  MemorySource source(file);
  PcapngReader reader(source);
  Seen seen = read_all(reader);
  EXPECT_EQ(seen.packets, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(seen.error, "byte " + std::to_string(two) + ": a block's length is wrong");
  ASSERT_TRUE(reader.resume());
  EXPECT_EQ(reader.offset(), file_of(3).size());
  seen = read_all(reader);
  EXPECT_EQ(seen.packets, (std::vector<std::string>{"3", "4"}));
  EXPECT_TRUE(seen.error.empty());
}

TEST(PcapngTest, BytesThatWentMissingAreNoReasonToLoseTheRest) {
  ByteBuffer file = file_of(5);
  const auto two = file.begin() + static_cast<std::ptrdiff_t>(file_of(2).size());
  file.erase(two + 10, two + 13);  // What follows stands at odd places.
  MemorySource source(file);
  PcapngReader reader(source);
  EXPECT_EQ(read_all(reader).packets.size(), 2u);
  ASSERT_TRUE(reader.resume());
  EXPECT_EQ(read_all(reader).packets, (std::vector<std::string>{"3", "4"}));
}

TEST(PcapngTest, WhatIsWrongInOneBlockDoesNotHideTheNext) {
  ByteBuffer file = file_of(2);
  const std::size_t begin = file_of(0).size();
  file[begin + 8] = std::byte{9};  // The number of packet 0's interface.
  MemorySource source(file);
  PcapngReader reader(source);
  EXPECT_NE(read_all(reader).error.find("a packet of interface 9, there are 1"), std::string::npos);
  ASSERT_TRUE(reader.resume());
  EXPECT_EQ(read_all(reader).packets, std::vector<std::string>{"1"});
}

TEST(PcapngTest, NothingToGoOnWithIsSaid) {
  const ByteBuffer file = file_of(2);
  MemorySource source(Bytes(file).first(file.size() - 3));
  PcapngReader reader(source);
  EXPECT_EQ(read_all(reader).packets.size(), 1u);
  EXPECT_FALSE(reader.resume());
  EXPECT_EQ(reader.bytes_read(), file.size() - 3);
}

void put32(ByteBuffer& file, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    file.push_back(static_cast<std::byte>(number >> shift & 0xff));
  }
}

/// As a big-endian machine writes it: a section, an interface of microseconds, a packet, and a
/// block nobody knows.
ByteBuffer big_endian_file() {
  ByteBuffer file;
  for (const std::uint32_t number :
       {kSectionBlock,   28u, kByteOrder,  0x00010000u, 0xffffffffu, 0xffffffffu, 28u,  //
        kInterfaceBlock, 20u, 0x00fc0000u, 0u,          20u,                            //
        0x0badu,         12u, 12u,                                                      //
        kPacketBlock,    36u, 0u,          0u,          1'000'000u,  4u,          4u,
        0x61626364u,     36u}) {
    put32(file, number);
  }
  return file;
}

TEST(PcapngTest, FilesOfTheOtherByteOrderAndUnknownBlocksAreRead) {
  const ByteBuffer file = big_endian_file();
  MemorySource source(file);
  PcapngReader reader(source);
  Packet packet;
  const Result<bool> more = reader.next(packet);
  ASSERT_TRUE(more && *more) << (more ? "" : more.error().text);
  EXPECT_EQ(as_text(packet.data), "abcd");
  EXPECT_EQ(packet.time_ns, 1'000'000'000u);
  EXPECT_EQ(packet.link_type, kExportedPdu);
}

TEST(PcapngTest, ABlockBeyondTheLimitIsRefusedBeforeItIsRead) {
  ByteBuffer file = file_of(0);
  const std::uint32_t length = kMostBlock + 4;
  const std::uint32_t head[] = {kPacketBlock, length, 0, 0};
  const Bytes bytes = std::as_bytes(std::span(head));
  file.insert(file.end(), bytes.begin(), bytes.end());
  EXPECT_NE(read_all(file).error.find("a block of 16777220 bytes, the most is 16777216"),
            std::string::npos);
}

TEST(PcapngTest, ALongCommentIsCutAtWhatAnOptionHolds) {
  const std::string comment(100'000, 'x');
  ByteBuffer file;
  append_section(file, {.program = "", .comments = {comment}, .source = ""});
  MemorySource source(file);
  PcapngReader reader(source);
  EXPECT_TRUE(read_all(reader).error.empty());
  ASSERT_EQ(reader.comments().size(), 1u);
  EXPECT_EQ(reader.comments()[0].size(), 65'535u);
}

}  // namespace
}  // namespace zpost::capture
