#include "tools/capture/compressors.h"

#include <gtest/gtest.h>

#include <string>

namespace zpost::capture {
namespace {

std::string text_of(std::size_t lines) {
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  return text;
}

std::string unpack(Bytes packed, std::string* trouble = nullptr) {
  MemorySource source(packed);
  const auto unpacking = make_unpacking_source(source);
  std::string text;
  std::byte room[1000];
  while (const std::size_t got = unpacking->read(room)) text += as_text(Bytes(room).first(got));
  if (trouble != nullptr) *trouble = unpacking->trouble();
  return text;
}

class CompressionTest : public testing::TestWithParam<Compression> {
 protected:
  std::unique_ptr<Compressor> compressor_ = make_compressor(GetParam());
  ByteBuffer packed_;
  std::string trouble_;
};

INSTANTIATE_TEST_SUITE_P(Both, CompressionTest,
                         testing::Values(Compression::kGzip, Compression::kZstd));

TEST_P(CompressionTest, WhatWasPackedIsUnpacked) {
  const std::string text = text_of(50'000);
  compressor_->compress(as_bytes(text), Compressor::Mode::kGoOn, packed_);
  compressor_->compress({}, Compressor::Mode::kEnd, packed_);
  EXPECT_LT(packed_.size(), text.size() / 2);
  EXPECT_EQ(unpack(packed_, &trouble_), text);
  EXPECT_EQ(trouble_, "");
}

TEST_P(CompressionTest, WhatWasFlushedIsReadableWithoutTheEnd) {
  const std::string text = text_of(1000);
  compressor_->compress(as_bytes(text), Compressor::Mode::kGoOn, packed_);
  compressor_->compress({}, Compressor::Mode::kFlush, packed_);
  const std::size_t flushed = packed_.size();
  compressor_->compress(as_bytes("lost"), Compressor::Mode::kGoOn, packed_);
  EXPECT_EQ(unpack(Bytes(packed_).first(flushed), &trouble_), text);
  EXPECT_EQ(trouble_, "");
}

TEST_P(CompressionTest, DamageIsTrouble) {
  compressor_->compress(as_bytes(text_of(1000)), Compressor::Mode::kEnd, packed_);
  for (std::size_t i = packed_.size() - 4; i < packed_.size(); ++i) packed_[i] ^= std::byte{0x55};
  (void)unpack(packed_, &trouble_);
  EXPECT_EQ(trouble_, "the compressed bytes are damaged");
}

TEST_P(CompressionTest, FilesJoinedEndToEndAreOne) {
  compressor_->compress(as_bytes("first,"), Compressor::Mode::kEnd, packed_);
  make_compressor(GetParam())->compress(as_bytes("second"), Compressor::Mode::kEnd, packed_);
  EXPECT_EQ(unpack(packed_), "first,second");
}

TEST(UnpackingTest, PlainBytesPassAsTheyAre) {
  EXPECT_EQ(unpack(as_bytes("")), "");
  EXPECT_EQ(unpack(as_bytes("abc")), "abc");
  EXPECT_EQ(unpack(as_bytes(text_of(1000))), text_of(1000));
}

TEST(UnpackingTest, TheEndingOfANameTellsHowToPack) {
  EXPECT_EQ(compression_of("a.pcapng.gz"), Compression::kGzip);
  EXPECT_EQ(compression_of("a.pcapng.zst"), Compression::kZstd);
  EXPECT_EQ(compression_of("a.pcapng"), Compression::kNone);
}

}  // namespace
}  // namespace zpost::capture
