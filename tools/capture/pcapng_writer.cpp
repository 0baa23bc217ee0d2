#include "tools/capture/pcapng_writer.h"

#include <algorithm>
#include <cstring>

#include "tools/capture/pcapng_format.h"

namespace zpost::capture {
namespace {

template <typename Number>
void put(ByteBuffer& buffer, Number number) {
  const Bytes bytes = std::as_bytes(std::span(&number, 1));
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
}

void put_padded(ByteBuffer& buffer, Bytes bytes) {
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  buffer.resize(buffer.size() + (4 - bytes.size() % 4) % 4);
}

void put_option(ByteBuffer& buffer, std::uint16_t code, Bytes value) {
  value = value.first(std::min<std::size_t>(value.size(), UINT16_MAX));
  put(buffer, code);
  put(buffer, static_cast<std::uint16_t>(value.size()));
  put_padded(buffer, value);
}

void put_text(ByteBuffer& buffer, std::uint16_t code, std::string_view text) {
  if (!text.empty()) put_option(buffer, code, as_bytes(text));
}

void put_count(ByteBuffer& buffer, std::uint16_t code, std::uint64_t count) {
  put_option(buffer, code, std::as_bytes(std::span(&count, 1)));
}

void put_time(ByteBuffer& buffer, std::uint64_t time_ns) {
  put(buffer, static_cast<std::uint32_t>(time_ns >> 32));
  put(buffer, static_cast<std::uint32_t>(time_ns));
}

/// Where a block begins; end_block() completes it.
std::size_t begin_block(ByteBuffer& buffer, std::uint32_t type) {
  const std::size_t begin = buffer.size();
  put(buffer, type);
  put(buffer, std::uint32_t{0});
  return begin;
}

void end_block(ByteBuffer& buffer, std::size_t begin) {
  const auto length = static_cast<std::uint32_t>(buffer.size() + 4 - begin);
  put(buffer, length);
  std::memcpy(buffer.data() + begin + 4, &length, sizeof length);
}

void put_end_option(ByteBuffer& buffer) {
  put(buffer, kEndOption);
  put(buffer, std::uint16_t{0});
}

void append_interface(ByteBuffer& buffer, std::string_view source) {
  constexpr std::byte kNanoseconds{9};
  const std::size_t begin = begin_block(buffer, kInterfaceBlock);
  put(buffer, kExportedPdu);
  put(buffer, std::uint16_t{0});
  put(buffer, std::uint32_t{0});  // No snap length: records are whole.
  put_text(buffer, kNameOption, "zpost");
  put_text(buffer, kDescriptionOption, source);
  put_option(buffer, kResolutionOption, Bytes(&kNanoseconds, 1));
  put_end_option(buffer);
  end_block(buffer, begin);
}

}  // namespace

void append_section(ByteBuffer& buffer, const SectionText& text) {
  const std::size_t begin = begin_block(buffer, kSectionBlock);
  put(buffer, kByteOrder);
  put(buffer, std::uint16_t{1});  // The format's version, 1.0.
  put(buffer, std::uint16_t{0});
  put(buffer, UINT64_MAX);  // The section's length: not said, as it is still being written.
  put_text(buffer, kProgramOption, text.program);
  for (const std::string_view comment : text.comments) put_text(buffer, kCommentOption, comment);
  put_end_option(buffer);
  end_block(buffer, begin);
  append_interface(buffer, text.source);
}

void append_packet(ByteBuffer& buffer, std::uint64_t time_ns, Bytes data, std::uint64_t missed,
                   std::string_view comment) {
  const std::size_t begin = begin_block(buffer, kPacketBlock);
  put(buffer, std::uint32_t{0});
  put_time(buffer, time_ns);
  put(buffer, static_cast<std::uint32_t>(data.size()));
  put(buffer, static_cast<std::uint32_t>(data.size()));
  put_padded(buffer, data);
  if (missed > 0) put_count(buffer, kPacketDropsOption, missed);
  put_text(buffer, kCommentOption, comment);
  if (missed > 0 || !comment.empty()) put_end_option(buffer);
  end_block(buffer, begin);
}

void append_statistics(ByteBuffer& buffer, std::uint64_t time_ns, const Totals& totals,
                       std::string_view comment) {
  const std::size_t begin = begin_block(buffer, kStatisticsBlock);
  put(buffer, std::uint32_t{0});
  put_time(buffer, time_ns);
  // The format counts what is lost among what was received.
  put_count(buffer, kReceivedOption, totals.records + totals.missed);
  put_count(buffer, kDroppedOption, totals.missed);
  put_text(buffer, kCommentOption, comment);
  put_end_option(buffer);
  end_block(buffer, begin);
}

}  // namespace zpost::capture
