// What came over a connection's wire against what could be read of it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace zpost::net {

/// The kernel counts all bytes that came in, we those of parts we read. Between the two are what
/// libzmq holds and what never becomes a part: handshake and heartbeats, in weeks any number. So
/// that nobody is blamed for those, this learns of them from looks at the kernel's count.
///
/// When the socket runs dry after a look, all whole messages from before it were read. What is
/// missing then belongs to one unfinished message at most, and to what never becomes a part; and
/// the next message to be read is the unfinished one. Peers must answer pings, so it comes.
/// `dries` is how often the socket ran dry so far.
class WireCount {
 public:
  /// What a part takes on the wire (ZMTP 3: flags, and a length of one byte or eight).
  [[nodiscard]] static std::uint64_t of_part(std::size_t size) {
    return size + (size > 255 ? 9 : 2);
  }

  /// A message of one part was read.
  void read_message(std::size_t size, std::uint64_t dries) {
    const std::uint64_t bytes = of_part(size);
    if (looked_ != 0 && dries != dries_at_look_) learn(bytes);
    read_ += bytes;
  }

  /// A part of a message of several was read: nothing is to be learnt from that one.
  void read_part(std::size_t size) {
    read_ += of_part(size);
    looked_ = 0;
  }

  /// So much had come in before `dries` was asked for.
  void look(std::uint64_t received, std::uint64_t dries) {
    looked_ = received;
    dries_at_look_ = dries;
  }

  /// Of `received` bytes, what may be with libzmq.
  [[nodiscard]] std::uint64_t unread(std::uint64_t received) const {
    const std::uint64_t explained = read_ + overhead_;
    return received > explained ? received - explained : 0;
  }

  /// Bytes of the last look that cannot be read, but for those of one part: 0 if the socket has not
  /// run dry since.
  [[nodiscard]] std::uint64_t stuck(std::uint64_t dries) const {
    return dries == dries_at_look_ ? 0 : unread(looked_);
  }

 private:
  void learn(std::uint64_t next_message) {
    const std::uint64_t explained = read_ + next_message;
    if (looked_ > explained) overhead_ = std::max(overhead_, looked_ - explained);
    looked_ = 0;
  }

  std::uint64_t read_ = 0;
  std::uint64_t overhead_ = 0;  // At least so much never became a part.
  std::uint64_t looked_ = 0;    // 0: there is no look to learn from.
  std::uint64_t dries_at_look_ = 0;
};

}  // namespace zpost::net
