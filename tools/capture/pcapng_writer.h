// Writes the blocks of a pcapng file. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "zpost/protocol/msgpack_writer.h"

namespace zpost::capture {

struct SectionText {
  std::string_view program = {};
  std::vector<std::string_view> comments = {};
  std::string_view source = {};  // Where the records come from: a broker's endpoint, or files.
};

/// What was written and what was not, as counts of records.
struct Totals {
  std::uint64_t records = 0;
  std::uint64_t missed = 0;
};

/// Comments are cut at 65,535 bytes, the most an option can be.
void append_section(ByteBuffer& buffer, const SectionText& text);

/// One packet, of the only interface of append_section(). `missed`: records lost since the packet
/// before; 0: none. `comment`: empty for none.
void append_packet(ByteBuffer& buffer, std::uint64_t time_ns, Bytes data, std::uint64_t missed,
                   std::string_view comment);

void append_statistics(ByteBuffer& buffer, std::uint64_t time_ns, const Totals& totals,
                       std::string_view comment);

}  // namespace zpost::capture
