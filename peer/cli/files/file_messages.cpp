#include "peer/cli/files/file_messages.h"

#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr std::size_t kMostKeys = 32;
constexpr std::size_t kTransferDigits = 32;

bool is_transfer(std::string_view text) {
  return text.size() == kTransferDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// Calls `read_value(key, reader)` for each key; it reads the value, or false. A key it does not
/// know it must skip. False: no map, or something after it.
template <typename ReadValue>
bool read_map(Bytes body, ReadValue read_value) {
  MsgpackReader reader(body);
  std::size_t count = 0;
  if (!reader.read_map(count, kMostKeys)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view key;
    if (!reader.read_str(key) || !read_value(key, reader)) return false;
  }
  return reader.at_end();
}

bool read_text(MsgpackReader& reader, std::string& value) {
  std::string_view text;
  if (!reader.read_str(text) || !is_utf8(text)) return false;
  value = text;
  return true;
}

bool read_transfer(MsgpackReader& reader, std::string& value) {
  return read_text(reader, value) && is_transfer(value);
}

bool read_bytes(MsgpackReader& reader, Bytes& bytes) {
  bool is_text = false;
  return reader.read_body(bytes, is_text) && !is_text;
}

bool read_digest(MsgpackReader& reader, Digest& digest) {
  Bytes bytes;
  if (!read_bytes(reader, bytes) || bytes.size() != digest.size()) return false;
  std::ranges::copy(bytes, digest.begin());
  return true;
}

bool read_offset(MsgpackReader& reader, std::optional<std::uint64_t>& offset) {
  offset = 0;
  return reader.read_uint(*offset);
}

}  // namespace

bool is_file_type(std::string_view content_type) {
  for (const std::string_view each : {kOfferType, kChunkType, kDoneType, kStopType, kAnswerType}) {
    if (content_type == each) return true;
  }
  return false;
}

ByteBuffer encode(const FileOffer& offer) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.map(3U + (offer.modified_ns > 0 ? 1 : 0) + (offer.anew ? 1 : 0));
  writer.str("transfer").str(offer.transfer).str("name").str(offer.name);
  writer.str("size").uint(offer.size);
  if (offer.modified_ns > 0) writer.str("modified").uint(offer.modified_ns);
  if (offer.anew) writer.str("anew").boolean(true);
  return buffer;
}

ByteBuffer encode(const FileDone& done) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.map(3).str("transfer").str(done.transfer).str("size").uint(done.size);
  writer.str("sha256").bin(done.sha256);
  return buffer;
}

ByteBuffer encode(const FileAnswer& answer) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  if (answer.offset) {
    writer.map(2).str("offset").uint(*answer.offset).str("sha256").bin(answer.sha256);
  } else if (!answer.name.empty()) {
    writer.map(1).str("name").str(answer.name);
  } else {
    writer.map(1).str("wait").uint(answer.wait_ms);
  }
  return buffer;
}

ByteBuffer encode(const FileStop& stop) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.map(2U + (stop.again ? 1 : 0) + (stop.discard ? 1 : 0));
  writer.str("transfer").str(stop.transfer).str("text").str(stop.text);
  if (stop.again) writer.str("again").boolean(true);
  if (stop.discard) writer.str("discard").boolean(true);
  return buffer;
}

void encode_chunk_head(ByteBuffer& buffer, std::string_view transfer, std::uint64_t offset,
                       std::size_t count) {
  buffer.clear();
  MsgpackWriter writer(buffer);
  writer.map(3).str("transfer").str(transfer).str("offset").uint(offset).str("bytes");
  std::byte tag[kMaxLengthBytes];
  writer.raw({tag, put_bin_tag(tag, count)});
}

std::optional<FileOffer> read_offer(Bytes body) {
  FileOffer offer;
  bool sized = false;
  const bool read = read_map(body, [&](std::string_view key, MsgpackReader& reader) {
    if (key == "transfer") return read_transfer(reader, offer.transfer);
    // The name is for the recipient to judge, and to refuse in words.
    if (key == "name") return read_text(reader, offer.name);
    if (key == "size") return sized = reader.read_uint(offer.size);
    if (key == "modified") return reader.read_uint(offer.modified_ns);
    if (key == "anew") return reader.read_bool(offer.anew);
    return reader.skip();
  });
  if (!read || offer.transfer.empty() || !sized) return std::nullopt;
  return offer;
}

std::optional<FileDone> read_done(Bytes body) {
  FileDone done;
  bool sized = false;
  bool summed = false;
  const bool read = read_map(body, [&](std::string_view key, MsgpackReader& reader) {
    if (key == "transfer") return read_transfer(reader, done.transfer);
    if (key == "size") return sized = reader.read_uint(done.size);
    if (key == "sha256") return summed = read_digest(reader, done.sha256);
    return reader.skip();
  });
  if (!read || done.transfer.empty() || !sized || !summed) return std::nullopt;
  return done;
}

std::optional<FileAnswer> read_answer(Bytes body) {
  FileAnswer answer;
  bool summed = false;
  bool waits = false;
  const bool read = read_map(body, [&](std::string_view key, MsgpackReader& reader) {
    if (key == "offset") return read_offset(reader, answer.offset);
    if (key == "sha256") return summed = read_digest(reader, answer.sha256);
    if (key == "wait") return waits = reader.read_uint(answer.wait_ms);
    if (key == "name") return read_text(reader, answer.name);
    return reader.skip();
  });
  const bool says_something = (answer.offset && summed) || waits || !answer.name.empty();
  if (!read || !says_something) return std::nullopt;
  return answer;
}

std::optional<FileChunk> read_chunk(Bytes body) {
  FileChunk chunk;
  std::optional<std::uint64_t> offset;
  bool filled = false;
  const bool read = read_map(body, [&](std::string_view key, MsgpackReader& reader) {
    if (key == "transfer") return reader.read_str(chunk.transfer) && is_transfer(chunk.transfer);
    if (key == "offset") return read_offset(reader, offset);
    if (key == "bytes") return filled = read_bytes(reader, chunk.bytes);
    return reader.skip();
  });
  if (!read || chunk.transfer.empty() || !offset || !filled) return std::nullopt;
  chunk.offset = *offset;
  return chunk;
}

std::optional<FileStop> read_stop(Bytes body) {
  FileStop stop;
  const bool read = read_map(body, [&](std::string_view key, MsgpackReader& reader) {
    if (key == "transfer") return read_transfer(reader, stop.transfer);
    if (key == "text") return read_text(reader, stop.text);
    if (key == "again") return reader.read_bool(stop.again);
    if (key == "discard") return reader.read_bool(stop.discard);
    return reader.skip();
  });
  if (!read || stop.transfer.empty()) return std::nullopt;
  return stop;
}

}  // namespace zpost::cli
