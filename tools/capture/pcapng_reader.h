// Reads pcapng files, whole or cut, from any program. Pure but for its source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/capture/byte_source.h"
#include "tools/capture/pcapng_writer.h"
#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/result.h"

namespace zpost::capture {

struct Packet {
  std::uint16_t link_type = 0;
  std::uint64_t time_ns = 0;
  Bytes data = {};           // Borrowed until the next call.
  std::string comment = {};  // The last one.
  std::uint64_t missed = 0;  // As the file says: lost since the packet before.
};

/// Bounded: a block of more than 16 MiB is an error. Thread: one.
class PcapngReader {
 public:
  explicit PcapngReader(ByteSource& source) : source_(source) {}

  /// Reads the next packet; other blocks are passed over. False: the end. Error: the file is
  /// damaged or cut where offset() is; the packets before it stand.
  [[nodiscard]] Result<bool> next(Packet& packet);

  /// After an error: looks for the next block that is whole. False: there is none.
  [[nodiscard]] bool resume();

  /// Of the block that next() read last or failed at, in bytes of the file as it is uncompressed.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  /// Where there is nothing more, once next() or resume() said so.
  [[nodiscard]] std::uint64_t bytes_read() const { return offset_ + waiting().size(); }

  /// Comments of sections so far.
  [[nodiscard]] const std::vector<std::string>& comments() const { return comments_; }

  /// Summed over the statistics so far.
  [[nodiscard]] const std::optional<Totals>& totals() const { return totals_; }

 private:
  struct Interface {
    std::uint16_t link_type = 0;
    std::uint8_t resolution = 6;  // As the option has it; 6: microseconds.
  };

  struct Block {
    std::uint32_t type = 0;
    Bytes body = {};
  };

  [[nodiscard]] Bytes waiting() const { return Bytes(buffer_).subspan(begin_); }

  [[nodiscard]] bool fill(std::size_t bytes);
  void pass(std::size_t bytes);
  [[nodiscard]] Result<bool> next_block(Block& block);
  [[nodiscard]] Result<void> read_order();
  [[nodiscard]] Result<bool> take(const Block& block, Packet& packet);
  [[nodiscard]] Result<void> take_section(Bytes body);
  [[nodiscard]] Result<void> take_interface(Bytes body);
  [[nodiscard]] Result<void> take_packet(Bytes body, Packet& packet);
  void take_statistics(Bytes body);
  [[nodiscard]] bool looks_whole();
  [[nodiscard]] std::uint16_t u16(Bytes bytes, std::size_t at) const;
  [[nodiscard]] std::uint32_t u32(Bytes bytes, std::size_t at) const;
  [[nodiscard]] std::uint64_t u64(Bytes bytes, std::size_t at) const;
  [[nodiscard]] Error cut() const;
  [[nodiscard]] Error damage(std::string_view what) const;
  template <typename Visit>
  void each_option(Bytes bytes, Visit visit) const;

  ByteSource& source_;
  ByteBuffer buffer_;
  std::size_t begin_ = 0;     // Of what waits in `buffer_`.
  std::size_t consumed_ = 0;  // The block last read, still in front of what waits.
  std::uint64_t offset_ = 0;
  bool swapped_ = false;  // The file is big endian.
  bool in_section_ = false;
  bool ended_ = false;  // The source has no more.
  std::vector<Interface> interfaces_;
  std::vector<std::string> comments_;
  std::optional<Totals> totals_;
};

}  // namespace zpost::capture
