#include "peer/cli/files/file_messages.h"

#include <gmock/gmock.h>

namespace zpost::cli {
namespace {

const std::string kTransfer = "0123456789abcdef0123456789abcdef";

TEST(FileMessagesTest, WhatIsWrittenIsRead) {
  FileOffer offer{kTransfer, "ü.txt", 1ULL << 40, 5, true};
  const auto read = read_offer(encode(offer));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, offer.name);
  EXPECT_EQ(read->size, offer.size);
  EXPECT_EQ(read->modified_ns, 5U);
  EXPECT_TRUE(read->anew);

  const Digest digest = digest_of(as_bytes("x"));
  EXPECT_EQ(read_done(encode(FileDone{kTransfer, 1, digest}))->sha256, digest);
  EXPECT_EQ(read_answer(encode(FileAnswer{.offset = 0, .sha256 = digest}))->offset, 0U);
  EXPECT_EQ(read_answer(encode(FileAnswer{.wait_ms = 7}))->wait_ms, 7U);
  EXPECT_EQ(read_answer(encode(FileAnswer{.name = "a"}))->name, "a");
  EXPECT_TRUE(read_stop(encode(FileStop{kTransfer, "no", true, false}))->again);
  EXPECT_TRUE(read_stop(encode(FileStop{kTransfer, "no", false, true}))->discard);
}

TEST(FileMessagesTest, AChunkIsItsHeadAndItsBytesAndTheHeadIsShort) {
  ByteBuffer body;
  encode_chunk_head(body, kTransfer, 1ULL << 60, 3);
  EXPECT_LE(body.size(), kChunkOverhead);
  const Bytes bytes = as_bytes("abc");
  body.insert(body.end(), bytes.begin(), bytes.end());
  const auto chunk = read_chunk(body);
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->transfer, kTransfer);
  EXPECT_EQ(chunk->offset, 1ULL << 60);
  EXPECT_EQ(as_text(chunk->bytes), "abc");
}

TEST(FileMessagesTest, UnknownKeysAreSkipped) {
  ByteBuffer body;
  MsgpackWriter writer(body);
  writer.map(4).str("future").array(2).uint(1).str("x").str("transfer").str(kTransfer);
  writer.str("size").uint(3).str("name").str("a");
  EXPECT_TRUE(read_offer(body));
}

TEST(FileMessagesTest, WhatIsCutOrLacksSomethingIsNotRead) {
  const ByteBuffer whole = encode(FileOffer{kTransfer, "a", 3, 0, false});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_offer(Bytes(whole).first(size))) << size;
  }
  ByteBuffer more = whole;
  more.push_back(std::byte{0});
  EXPECT_FALSE(read_offer(more));
  EXPECT_FALSE(read_done(whole));
  EXPECT_FALSE(read_answer(encode(FileDone{kTransfer, 3, Digest()})));
  EXPECT_FALSE(read_chunk(whole));
}

TEST(FileMessagesTest, ATransferIs32HexadecimalDigits) {
  for (const std::string& bad :
       {std::string(32, '.'), std::string(31, 'a'), std::string(33, 'a'), std::string(32, 'A'),
        std::string("../../../../../../../etc/passwd0")}) {
    EXPECT_FALSE(read_offer(encode(FileOffer{bad, "a", 3, 0, false}))) << bad;
    EXPECT_FALSE(read_stop(encode(FileStop{bad, "", false, false}))) << bad;
  }
}

TEST(ChecksumTest, IsWhatSha256sumSays) {
  EXPECT_EQ(hexadecimal(digest_of(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ChecksumTest, GoesOnAfterADigestAndCopiesGoTheirOwnWay) {
  Checksum sum;
  sum.update(as_bytes("a"));
  EXPECT_EQ(sum.digest(), digest_of(as_bytes("a")));
  Checksum other = sum;
  sum.update(as_bytes("bc"));
  other.update(as_bytes("x"));
  EXPECT_EQ(sum.digest(), digest_of(as_bytes("abc")));
  EXPECT_EQ(other.digest(), digest_of(as_bytes("ax")));
}

}  // namespace
}  // namespace zpost::cli
