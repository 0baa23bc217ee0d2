// Many peers in a ring, each of which sends to the next: who they are, and what they can do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace zpost::bench {

/// One peer's place in the ring. Sits in a client process together with many others.
struct RingSeat {
  std::uint16_t port = 0;    // Of the server, on 127.0.0.1.
  std::uint32_t number = 0;  // From 0.
  std::uint32_t peers = 2;   // In the ring.

  /// The number of whom this peer sends to.
  [[nodiscard]] std::uint32_t next() const { return (number + 1) % peers; }

  /// The number of whom this peer receives from.
  [[nodiscard]] std::uint32_t previous() const { return (number + peers - 1) % peers; }
};

/// How long a peer waits for what it should receive.
inline constexpr int kRingPatienceMilliseconds = 20'000;

/// A connected peer that the server knows. All functions throw std::exception to fail the run.
/// Thread: one.
class RingPeer {
 public:
  virtual ~RingPeer() = default;

  /// Sends one payload to the next peer. May hand what arrives meanwhile to the sink.
  virtual void send(std::span<const std::byte> payload) = 0;

  /// Waits for something to arrive and hands it to the sink. Throws if nothing does within
  /// kRingPatienceMilliseconds.
  virtual void receive() = 0;

  /// Called a few times a second while there is nothing to do: answers what the server asks.
  /// Never blocks.
  virtual void attend() = 0;
};

}  // namespace zpost::bench
