// Where bytes come from.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "zpost/protocol/msgpack_reader.h"

namespace zpost::capture {

class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills the beginning of `room`, which is not empty. Returns how many bytes; 0: the end.
  [[nodiscard]] virtual std::size_t read(std::span<std::byte> room) = 0;

  /// Why read() came to its end before the bytes did; empty: it did not.
  [[nodiscard]] virtual std::string trouble() const { return ""; }
};

/// Bytes in memory, which must outlive it.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t read(std::span<std::byte> room) override {
    const std::size_t taken = room.size() < bytes_.size() ? room.size() : bytes_.size();
    std::copy_n(bytes_.begin(), taken, room.begin());
    bytes_ = bytes_.subspan(taken);
    return taken;
  }

 private:
  Bytes bytes_;
};

}  // namespace zpost::capture
