#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "tests/protocol/bytes.h"
#include "zpost/protocol/limits.h"
#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost {
namespace {

using test::operator+;
using test::hex;
using test::repeated;
using test::unhex;

template <typename Write>
ByteBuffer written(Write write) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  write(writer);
  return buffer;
}

ReadError skip_error(const ByteBuffer& bytes) {
  MsgpackReader reader(bytes);
  if (!reader.skip()) return reader.error();
  EXPECT_TRUE(reader.at_end());
  return ReadError::kNone;
}

TEST(MsgpackWriterTest, IntegersTakeTheFewestBytes) {
  const auto bytes_of = [](std::uint64_t value) {
    return hex(written([value](MsgpackWriter& writer) { writer.uint(value); }));
  };
  EXPECT_EQ(bytes_of(0), "00");
  EXPECT_EQ(bytes_of(127), "7f");
  EXPECT_EQ(bytes_of(128), "cc80");
  EXPECT_EQ(bytes_of(255), "ccff");
  EXPECT_EQ(bytes_of(256), "cd0100");
  EXPECT_EQ(bytes_of(65'536), "ce00010000");
  EXPECT_EQ(bytes_of(1ULL << 32), "cf0000000100000000");
}

TEST(MsgpackWriterTest, LengthsTakeTheFewestBytes) {
  const auto tag_of = [](auto write, std::size_t size) {
    const ByteBuffer bytes = written([&](MsgpackWriter& writer) { write(writer, size); });
    return hex(Bytes(bytes).first(std::min<std::size_t>(bytes.size(), 5)));
  };
  const auto str = [](MsgpackWriter& w, std::size_t size) { w.str(std::string(size, 'x')); };
  const auto bin = [](MsgpackWriter& w, std::size_t size) { w.bin(ByteBuffer(size)); };
  const auto array = [](MsgpackWriter& w, std::size_t size) { w.array(size); };
  const auto map = [](MsgpackWriter& w, std::size_t size) { w.map(size); };
  EXPECT_EQ(tag_of(str, 31).substr(0, 2), "bf");
  EXPECT_EQ(tag_of(str, 32).substr(0, 4), "d920");
  EXPECT_EQ(tag_of(str, 256).substr(0, 6), "da0100");
  EXPECT_EQ(tag_of(str, 65'536), "db00010000");
  EXPECT_EQ(tag_of(bin, 255).substr(0, 4), "c4ff");
  EXPECT_EQ(tag_of(bin, 256).substr(0, 6), "c50100");
  EXPECT_EQ(tag_of(bin, 65'536), "c600010000");
  EXPECT_EQ(tag_of(array, 15), "9f");
  EXPECT_EQ(tag_of(array, 16), "dc0010");
  EXPECT_EQ(tag_of(array, 65'536), "dd00010000");
  EXPECT_EQ(tag_of(map, 15), "8f");
  EXPECT_EQ(tag_of(map, 16), "de0010");
  EXPECT_EQ(tag_of(map, 65'536), "df00010000");
}

TEST(MsgpackReaderTest, AReaderOfNothingIsAtItsEndAndTruncated) {
  MsgpackReader reader;
  std::uint64_t value = 0;
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.read_uint(value));
  EXPECT_EQ(reader.error(), ReadError::kTruncated);
  EXPECT_FALSE(reader.skip());
}

TEST(MsgpackReaderTest, AFailedReadStaysAtTheBadValue) {
  const ByteBuffer bytes = unhex("01 a0");
  MsgpackReader reader(bytes);
  std::uint64_t value = 0;
  EXPECT_TRUE(reader.read_uint(value));
  EXPECT_FALSE(reader.read_uint(value));
  EXPECT_EQ(reader.error(), ReadError::kWrongType);
  EXPECT_EQ(reader.position(), 1u);
}

TEST(MsgpackReaderTest, ArraysAndMapsBeyondTheirLimitAreTooMany) {
  std::size_t count = 0;
  for (const char* text : {"93", "dc0003", "dd00000003", "ddffffffff"}) {
    const ByteBuffer bytes = unhex(text);
    MsgpackReader reader(bytes);
    EXPECT_FALSE(reader.read_array(count, 2));
    EXPECT_EQ(reader.error(), ReadError::kTooMany);
  }
  for (const char* text : {"83", "de0003", "df00000003", "dfffffffff"}) {
    const ByteBuffer bytes = unhex(text);
    MsgpackReader reader(bytes);
    EXPECT_FALSE(reader.read_map(count, 2));
    EXPECT_EQ(reader.error(), ReadError::kTooMany);
  }
}

TEST(MsgpackReaderTest, SkipsOneValueOfEveryType) {
  for (const char* text : {"00",
                           "7f",
                           "ff",
                           "e0",
                           "c0",
                           "c2",
                           "c3",
                           "cc01",
                           "cd0001",
                           "ce00000001",
                           "cf0000000000000001",
                           "d001",
                           "d10001",
                           "d200000001",
                           "d30000000000000001",
                           "ca00000000",
                           "cb0000000000000000",
                           "a0",
                           "a161",
                           "d90161",
                           "da000161",
                           "db0000000161",
                           "c40161",
                           "c5000161",
                           "c60000000161",
                           "d40500",
                           "d5050000",
                           "d60500000000",
                           "d7050000000000000000",
                           "d80500000000000000000000000000000000",
                           "c7020500ff",
                           "c800020500ff",
                           "c9000000020500ff",
                           "90",
                           "9201a161",
                           "dc000101",
                           "dd0000000101",
                           "80",
                           "810102",
                           "de00010102",
                           "df000000010102"}) {
    EXPECT_EQ(skip_error(unhex(text)), ReadError::kNone) << text;
  }
}

TEST(MsgpackReaderTest, SkippingAValueCutAnywhereIsTruncated) {
  for (const char* text : {"cc01",
                           "cd0001",
                           "ce00000001",
                           "cf0000000000000001",
                           "d001",
                           "d10001",
                           "d200000001",
                           "d30000000000000001",
                           "ca00000000",
                           "cb0000000000000000",
                           "a161",
                           "d90161",
                           "da000161",
                           "db0000000161",
                           "c40161",
                           "c5000161",
                           "c60000000161",
                           "d40500",
                           "d5050000",
                           "d60500000000",
                           "d7050000000000000000",
                           "d80500000000000000000000000000000000",
                           "c7020500ff",
                           "c800020500ff",
                           "c9000000020500ff",
                           "9201a161",
                           "dc000101",
                           "dd0000000101",
                           "810102",
                           "de00010102",
                           "df000000010102"}) {
    const ByteBuffer whole = unhex(text);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const ByteBuffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(skip_error(cut), ReadError::kTruncated) << text << " " << size;
    }
  }
}

TEST(MsgpackReaderTest, SkippingIsBoundedInDepthAndObjects) {
  EXPECT_EQ(skip_error(repeated("91", kMaxNesting) + unhex("01")), ReadError::kNone);
  EXPECT_EQ(skip_error(repeated("91", kMaxNesting + 1) + unhex("01")), ReadError::kTooDeep);
  EXPECT_EQ(skip_error(repeated("8101", kMaxNesting + 1) + unhex("01")), ReadError::kTooDeep);
  EXPECT_EQ(skip_error(unhex("dc00ff") + repeated("01", 255)), ReadError::kNone);
  EXPECT_EQ(skip_error(unhex("dc0100") + repeated("01", 256)), ReadError::kTooMany);
  EXPECT_EQ(skip_error(unhex("de007f") + repeated("0101", 127)), ReadError::kNone);
  EXPECT_EQ(skip_error(unhex("de0080") + repeated("0101", 128)), ReadError::kTooMany);
  EXPECT_EQ(skip_error(unhex("c1")), ReadError::kReserved);
  EXPECT_EQ(skip_error(unhex("9201c1")), ReadError::kReserved);
}

TEST(MsgpackReaderTest, EveryErrorHasAName) {
  for (int error = 0; error <= static_cast<int>(ReadError::kNotText); ++error) {
    EXPECT_NE(read_error_name(static_cast<ReadError>(error)), "unknown");
  }
}

RC_GTEST_PROP(MsgpackProperty, ReadsWhatWasWritten,
              (std::uint64_t number, bool flag, const std::string& text)) {
  const ByteBuffer bytes = written([&](MsgpackWriter& writer) {
    writer.array(4).uint(number).boolean(flag).str(text).map(1).uint(1).bin(as_bytes(text));
  });
  MsgpackReader reader(bytes);
  std::size_t count = 0;
  std::uint64_t read_number = 0;
  bool read_flag = false;
  std::string_view read_text;
  Bytes body;
  bool is_text = true;
  RC_ASSERT(reader.read_array(count, 4) && count == 4u);
  RC_ASSERT(reader.read_uint(read_number) && read_number == number);
  RC_ASSERT(reader.read_bool(read_flag) && read_flag == flag);
  RC_ASSERT(reader.read_str(read_text) && read_text == text);
  RC_ASSERT(reader.read_map(count, 1) && count == 1u);
  RC_ASSERT(reader.read_uint(read_number) && read_number == 1u);
  RC_ASSERT(reader.read_body(body, is_text) && as_text(body) == text && !is_text);
  RC_ASSERT(reader.at_end());
  MsgpackReader skipper(bytes);
  RC_ASSERT(skipper.skip() && skipper.at_end());
}

}  // namespace
}  // namespace zpost
