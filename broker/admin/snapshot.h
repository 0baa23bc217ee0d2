// What the routing thread tells the admin's.
#pragma once

#include <cstdint>

#include "broker/core/metrics.h"

namespace zpost::admin {

/// Plain numbers, all of one moment between two turns. docs/metrics.md explains each.
struct Snapshot {
  enum class Phase : std::uint8_t { kRunning, kStopping };

  Phase phase = Phase::kRunning;
  std::uint64_t turns = 0;  // Of the routing loop, since the start.

  // On the wire, since the start.
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_sent = 0;

  // The flight recorder and the tap.
  std::uint64_t recorder_limit = 0;  // Bytes.
  std::uint64_t recorder_bytes = 0;
  std::uint64_t recorder_records = 0;
  std::uint64_t recorder_reach_ns = 0;  // How far back it goes; 0: it is empty.
  std::uint64_t missed_records = 0;     // Since the start.

  core::Metrics core;
};

}  // namespace zpost::admin
