// What one inspector is shown: records on their way to it, and how many it missed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/tap_filter.h"
#include "protocol/filter/filter.h"
#include "protocol/filter/latency_memory.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::tap {

/// A name as a record needs it.
struct NameUse {
  std::uint32_t number = 0;
  std::uint32_t version = 0;  // Differs when the number serves another name.
  std::string_view name = {};
};

/// Packs records for one listener into a bounded buffer. What does not fit is missed and counted.
/// Thread: the tap's.
class Listener {
 public:
  static constexpr std::size_t kMaxStaged = 256 << 10;
  /// Room for what many peers send at once, where each of it is to be shown.
  static constexpr std::size_t kMaxStagedEach = 8 << 20;
  static constexpr std::size_t kMaxBody = 64 << 10;
  /// Room for what a block of the recorder may have, however it is packed.
  static constexpr std::size_t kMaxRecalled = 4 << 20;

  /// What of a run a filter is shown that looks into its envelopes.
  static constexpr std::size_t kMaxLook = 64 << 10;
  /// What a record shows at most where a run is told in parts, for each of its envelopes.
  static constexpr std::size_t kMaxPart = 16 << 10;

  explicit Listener(core::TapFilter filter, std::size_t most = kMaxStaged)
      : Listener(std::move(filter), std::nullopt, most) {}

  /// `program` is what the filter's text says.
  Listener(core::TapFilter filter, std::optional<filter::Filter> program,
           std::size_t most = kMaxStaged)
      : filter_(std::move(filter)), program_(std::move(program)), most_(most) {}

  /// `shown` are the envelopes' bytes; empty if there are none to show. A filter that looks into
  /// envelopes makes of a received run a record for each that it wants; those it cannot look into
  /// any more are missed.
  void offer(const TapRecord& record, const NameUse& from, const NameUse& to, Bytes shown);

  /// `count` records were lost before they came here.
  void lose(std::uint64_t count) { missed_ += count; }

  /// Names are told anew: their numbers mean others from here on.
  void forget_names() { told_.clear(); }

  /// Bytes that wait.
  [[nodiscard]] std::size_t staged() const { return staged_.size() - sent_; }

  [[nodiscard]] std::uint32_t snap() const { return filter_.snap; }

  /// Says how many records were missed, if no record has done so.
  void tell_missed(std::uint64_t time_ns);

  /// Whole records for one body, oldest first; empty if there are none.
  [[nodiscard]] Bytes next_body() const { return Bytes(staged_).subspan(sent_, body_bytes_); }

  /// The body of next_body() is on its way.
  void pop_body();

 private:
  void pack_run(const TapRecord& record, const NameUse& from, const NameUse& to, Bytes shown);
  void pack_each(const TapRecord& record, const NameUse& from, const NameUse& to, Bytes shown);
  void pack(const TapRecord& record, const NameUse& from, const NameUse& to, Bytes extra);
  [[nodiscard]] Bytes cut(Bytes shown) const;
  void pack_wanted(const TapRecord& record, const NameUse& from, const NameUse& to, Bytes shown);
  [[nodiscard]] bool is_told(const NameUse& use) const;
  void tell(const NameUse& use, std::uint64_t time_ns);
  void put(TapRecord record, Bytes extra);
  void fill_body();

  core::TapFilter filter_;
  std::optional<filter::Filter> program_;
  filter::LatencyMemory latencies_;
  std::size_t most_;
  ByteBuffer staged_;
  std::size_t sent_ = 0;             // Of `staged_`.
  std::size_t body_bytes_ = 0;       // From there on: the next body.
  std::vector<std::uint32_t> told_;  // Version told, by number; 0: none.
  std::uint64_t next_sequence_ = 1;
  std::uint64_t missed_ = 0;
};

}  // namespace zpost::tap
