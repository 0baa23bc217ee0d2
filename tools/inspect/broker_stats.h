// The broker's own numbers, as it answers `stats`. SPEC.md, section 11. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::inspect {

/// Times are ns since 1970 by the broker's clock. What an older broker does not say stays 0.
struct BrokerStats {
  std::uint64_t time_ns = 0;
  std::uint64_t started_ns = 0;
  std::uint64_t peers = 0;
  std::uint64_t inspectors = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t retained = 0;
  std::uint64_t held = 0;
  std::uint64_t received = 0;
  std::uint64_t delivered = 0;
  std::uint64_t unconfirmed = 0;
  std::uint64_t failed = 0;
  std::map<std::string, std::uint64_t> failed_by;  // By the outcome's name.
  std::uint64_t memory = 0;                        // Bytes, without the recorder's.
  std::uint64_t recorder_bytes = 0;
  std::uint64_t recorder_limit = 0;
  std::uint64_t recorder_oldest_ns = 0;         // 0: nothing is recorded.
  std::map<std::string, std::uint64_t> limits;  // By configuration key, without `limits.`.
};

/// The body of the request to the broker.
[[nodiscard]] ByteBuffer stats_question();

[[nodiscard]] BrokerStats stats_from(Bytes body);

}  // namespace zpost::inspect
