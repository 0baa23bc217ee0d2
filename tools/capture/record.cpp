#include "tools/capture/record.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

namespace zpost::capture {
namespace {

// Wireshark's exported PDUs: tags of a big-endian number and length, values padded to 4 bytes.
constexpr std::uint16_t kEndTag = 0;
constexpr std::uint16_t kDissectorTag = 12;
constexpr std::string_view kDissector{"zpost\0\0\0", 8};
constexpr std::size_t kTagHeader = 4;

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kRedacted = 1;  // Of the flags.

struct Head {
  std::uint16_t bytes = 0;  // Before the names. Later versions may say more there.
  std::uint8_t version = kVersion;
  std::uint8_t flags = 0;
  std::uint32_t unused = 0;
  TapRecord record;
};

static_assert(sizeof(Head) == 72);

void append_tag(ByteBuffer& buffer, std::uint16_t tag, std::string_view value) {
  const auto length = static_cast<std::uint16_t>(value.size());
  for (const std::uint16_t number : {tag, length}) {
    buffer.push_back(static_cast<std::byte>(number >> 8));
    buffer.push_back(static_cast<std::byte>(number & 0xff));
  }
  const Bytes bytes = as_bytes(value);
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
}

std::uint16_t big_endian(Bytes bytes) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[0]) << 8 |
                                    std::to_integer<unsigned>(bytes[1]));
}

}  // namespace

void append_packet_data(ByteBuffer& buffer, const Record& record) {
  append_tag(buffer, kDissectorTag, kDissector);
  append_tag(buffer, kEndTag, "");
  Head head;
  head.bytes = sizeof head;
  head.flags = record.redacted ? kRedacted : 0;
  head.record = record.record;
  head.record.from = static_cast<std::uint32_t>(record.from.size());
  head.record.to = static_cast<std::uint32_t>(record.to.size());
  head.record.extra = static_cast<std::uint32_t>(record.shown.size());
  const Bytes bytes = std::as_bytes(std::span(&head, 1));
  for (const Bytes part : {bytes, as_bytes(record.from), as_bytes(record.to), record.shown}) {
    buffer.insert(buffer.end(), part.begin(), part.end());
  }
}

bool strip_tags(Bytes& data) {
  Bytes rest = data;
  bool named = false;
  while (rest.size() >= kTagHeader) {
    const std::uint16_t tag = big_endian(rest);
    const std::size_t length = big_endian(rest.subspan(2));
    rest = rest.subspan(kTagHeader);
    if (rest.size() < length) return false;
    if (tag == kEndTag) {
      data = rest.subspan(length);
      return named;
    }
    std::string_view value = as_text(rest.first(length));
    value = value.substr(0, value.find('\0'));
    if (tag == kDissectorTag) named = value == "zpost";
    rest = rest.subspan(length);
  }
  return false;
}

Result<Record> read_record(Bytes data) {
  Head head;
  if (data.size() < sizeof head) {
    return Error{Outcome::kMalformed,
                 fmt::format("a record of {} bytes, the least is {}", data.size(), sizeof head)};
  }
  std::memcpy(&head, data.data(), sizeof head);
  if (head.version != kVersion) {
    return Error{Outcome::kMalformed, fmt::format("a record of version {}, this program reads {}",
                                                  head.version, kVersion)};
  }
  // Sums of 32-bit lengths in 64 bits: none can wrap.
  const std::uint64_t named = std::uint64_t{head.bytes} + head.record.from + head.record.to;
  if (head.bytes < sizeof head || named + head.record.extra > data.size()) {
    return Error{Outcome::kMalformed, fmt::format("a record of {} bytes announces {}", data.size(),
                                                  named + head.record.extra)};
  }
  Record record;
  record.from = as_text(data.subspan(head.bytes, head.record.from));
  record.to = as_text(data.subspan(head.bytes + head.record.from, head.record.to));
  record.shown = data.subspan(named, head.record.extra);
  record.redacted = (head.flags & kRedacted) != 0;
  record.record = head.record;
  return record;
}

}  // namespace zpost::capture
