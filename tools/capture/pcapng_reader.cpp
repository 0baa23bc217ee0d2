#include "tools/capture/pcapng_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tools/capture/pcapng_format.h"

namespace zpost::capture {
namespace {

constexpr std::size_t kReadAtOnce = 256 << 10;
constexpr std::size_t kMostComments = 64;
constexpr std::size_t kPacketHeader = 20;

template <typename Number>
Number load(Bytes bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

std::size_t padded(std::size_t bytes) {
  return (bytes + 3) / 4 * 4;
}

/// `ticks` of an interface as nanoseconds. Times beyond 64 bits become the last there is.
std::uint64_t nanoseconds(std::uint64_t ticks, std::uint8_t resolution) {
  constexpr std::uint8_t kBinary = 0x80;
  constexpr int kDecimals = 9;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  if ((resolution & kBinary) != 0) {
    const int shift = resolution & 0x7f;
    const std::uint64_t seconds = shift < 64 ? ticks >> shift : 0;
    if (seconds >= UINT64_MAX / kSecond) return UINT64_MAX;
    const std::uint64_t rest = shift < 64 ? ticks - (seconds << shift) : ticks;
    const double fraction = std::ldexp(static_cast<double>(rest), -shift);
    return seconds * kSecond + static_cast<std::uint64_t>(fraction * kSecond);
  }
  std::uint64_t value = ticks;
  for (int digit = resolution; digit < kDecimals; ++digit) {
    if (value > UINT64_MAX / 10) return UINT64_MAX;
    value *= 10;
  }
  for (int digit = kDecimals; digit < resolution && value > 0; ++digit) value /= 10;
  return value;
}

bool is_known(std::uint32_t type) {
  return type == kSectionBlock || type == kInterfaceBlock || type == kSimplePacketBlock ||
         type == kNameBlock || type == kStatisticsBlock || type == kPacketBlock;
}

}  // namespace

Result<bool> PcapngReader::next(Packet& packet) {
  Block block;
  while (true) {
    const Result<bool> more = next_block(block);
    if (!more || !*more) return more;
    const Result<bool> taken = take(block, packet);
    if (!taken || *taken) return taken;
  }
}

bool PcapngReader::resume() {
  // What is wrong inside a block says nothing against the next one.
  pass(consumed_ > 0 ? std::exchange(consumed_, 0) : std::min<std::size_t>(1, waiting().size()));
  while (fill(1)) {
    if (looks_whole()) return true;
    pass(1);
  }
  return false;
}

/// Whether a block of a known type with two equal lengths stands at the front.
bool PcapngReader::looks_whole() {
  if (!fill(kLeastBlock)) return false;
  std::uint32_t type = u32(waiting(), 0);
  if (type == kSectionBlock) {
    if (!read_order()) return false;
  } else if (!in_section_ || !is_known(type)) {
    return false;
  }
  const std::size_t length = u32(waiting(), 4);
  if (length < kLeastBlock || length > kMostBlock || length % 4 != 0) return false;
  return fill(length) && u32(waiting(), length - 4) == length;
}

bool PcapngReader::fill(std::size_t bytes) {
  while (waiting().size() < bytes) {
    if (ended_) return false;
    if (begin_ > 0) {
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = 0;
    }
    const std::size_t there = buffer_.size();
    buffer_.resize(std::max(bytes, there + kReadAtOnce));
    const std::size_t got = source_.read(std::span(buffer_).subspan(there));
    buffer_.resize(there + got);
    ended_ = got == 0;
  }
  return true;
}

void PcapngReader::pass(std::size_t bytes) {
  begin_ += bytes;
  offset_ += bytes;
}

Result<bool> PcapngReader::next_block(Block& block) {
  pass(std::exchange(consumed_, 0));
  if (!fill(1)) {
    if (const std::string trouble = source_.trouble(); !trouble.empty()) return damage(trouble);
    if (!in_section_) return damage("there is nothing in it");
    return false;
  }
  if (!fill(kLeastBlock)) return cut();
  block.type = u32(waiting(), 0);
  if (block.type == kSectionBlock) {
    if (const auto order = read_order(); !order) return order.error();
  } else if (!in_section_) {
    return damage("this is no pcapng file");
  }
  const std::size_t length = u32(waiting(), 4);
  if (length < kLeastBlock || length % 4 != 0) return damage("a block's length is wrong");
  if (length > kMostBlock) {
    return damage(fmt::format("a block of {} bytes, the most is {}", length, kMostBlock));
  }
  if (!fill(length)) return cut();
  if (u32(waiting(), length - 4) != length) return damage("a block's two lengths differ");
  block.body = waiting().subspan(8, length - kLeastBlock);
  consumed_ = length;
  return true;
}

/// A section says by its first number how all others are written.
Result<void> PcapngReader::read_order() {
  const auto order = load<std::uint32_t>(waiting(), 8);
  if (order != kByteOrder && order != __builtin_bswap32(kByteOrder)) {
    return damage("a section without a byte order");
  }
  swapped_ = order != kByteOrder;
  return {};
}

Result<bool> PcapngReader::take(const Block& block, Packet& packet) {
  Result<void> taken;
  switch (block.type) {
    case kSectionBlock:
      taken = take_section(block.body);
      break;
    case kInterfaceBlock:
      taken = take_interface(block.body);
      break;
    case kPacketBlock:
      taken = take_packet(block.body, packet);
      break;
    case kStatisticsBlock:
      take_statistics(block.body);
      break;
    default:
      break;
  }
  if (!taken) return taken.error();
  return block.type == kPacketBlock;
}

Result<void> PcapngReader::take_section(Bytes body) {
  constexpr std::size_t kHeader = 16;
  if (body.size() < kHeader) return damage("a section's header is too short");
  if (u16(body, 4) != 1) return damage(fmt::format("pcapng version {}", u16(body, 4)));
  in_section_ = true;
  interfaces_.clear();
  each_option(body.subspan(kHeader), [this](std::uint16_t code, Bytes value) {
    if (code == kCommentOption && comments_.size() < kMostComments) {
      comments_.emplace_back(as_text(value));
    }
  });
  return {};
}

Result<void> PcapngReader::take_interface(Bytes body) {
  constexpr std::size_t kHeader = 8;
  if (body.size() < kHeader) return damage("an interface is too short");
  if (interfaces_.size() >= kMostInterfaces) {
    return damage(fmt::format("more than {} interfaces", kMostInterfaces));
  }
  Interface& interface = interfaces_.emplace_back();
  interface.link_type = u16(body, 0);
  each_option(body.subspan(kHeader), [&interface](std::uint16_t code, Bytes value) {
    if (code == kResolutionOption && value.size() == 1) {
      interface.resolution = std::to_integer<std::uint8_t>(value[0]);
    }
  });
  return {};
}

Result<void> PcapngReader::take_packet(Bytes body, Packet& packet) {
  if (body.size() < kPacketHeader) return damage("a packet is too short");
  const std::uint32_t number = u32(body, 0);
  if (number >= interfaces_.size()) {
    return damage(
        fmt::format("a packet of interface {}, there are {}", number, interfaces_.size()));
  }
  const std::size_t length = u32(body, 12);
  if (length > body.size() - kPacketHeader) return damage("a packet is longer than its block");
  const std::uint64_t ticks = std::uint64_t{u32(body, 4)} << 32 | u32(body, 8);
  packet = {.link_type = interfaces_[number].link_type,
            .time_ns = nanoseconds(ticks, interfaces_[number].resolution),
            .data = body.subspan(kPacketHeader, length)};
  const std::size_t options = kPacketHeader + padded(length);
  if (options >= body.size()) return {};
  each_option(body.subspan(options), [this, &packet](std::uint16_t code, Bytes value) {
    if (code == kCommentOption) packet.comment = as_text(value);
    if (code == kPacketDropsOption && value.size() == 8) packet.missed = u64(value, 0);
  });
  return {};
}

void PcapngReader::take_statistics(Bytes body) {
  constexpr std::size_t kHeader = 12;
  if (body.size() < kHeader) return;
  std::uint64_t received = 0;
  std::uint64_t missed = 0;
  each_option(body.subspan(kHeader), [&, this](std::uint16_t code, Bytes value) {
    if (value.size() != 8) return;
    if (code == kReceivedOption) received = u64(value, 0);
    if (code == kDroppedOption) missed = u64(value, 0);
  });
  Totals& totals = totals_ ? *totals_ : totals_.emplace();
  totals.missed += missed;
  totals.records += received - std::min(received, missed);
}

template <typename Visit>
void PcapngReader::each_option(Bytes bytes, Visit visit) const {
  while (bytes.size() >= 4) {
    const std::uint16_t code = u16(bytes, 0);
    const std::size_t length = u16(bytes, 2);
    if (code == kEndOption || length > bytes.size() - 4) return;
    visit(code, bytes.subspan(4, length));
    bytes = bytes.subspan(std::min(bytes.size(), 4 + padded(length)));
  }
}

std::uint16_t PcapngReader::u16(Bytes bytes, std::size_t at) const {
  const auto number = load<std::uint16_t>(bytes, at);
  return swapped_ ? __builtin_bswap16(number) : number;
}

std::uint32_t PcapngReader::u32(Bytes bytes, std::size_t at) const {
  const auto number = load<std::uint32_t>(bytes, at);
  return swapped_ ? __builtin_bswap32(number) : number;
}

std::uint64_t PcapngReader::u64(Bytes bytes, std::size_t at) const {
  const auto number = load<std::uint64_t>(bytes, at);
  return swapped_ ? __builtin_bswap64(number) : number;
}

Error PcapngReader::cut() const {
  const std::string trouble = source_.trouble();
  return damage(trouble.empty() ? "it is cut: the last block is not whole" : trouble);
}

Error PcapngReader::damage(std::string_view what) const {
  return {Outcome::kMalformed, fmt::format("byte {}: {}", offset_, what)};
}

}  // namespace zpost::capture
