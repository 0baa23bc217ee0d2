// One look back into the flight recorder, told to the peer that asked for it.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/core/tap_filter.h"
#include "broker/tap/listener.h"
#include "broker/tap/recorder.h"

namespace zpost::tap {

/// Goes through the recorder block by block, and packs what is wanted. What is overwritten
/// meanwhile is told as missed. Thread: the tap's.
class Recall {
 public:
  /// From the oldest record to the latest there is now.
  /// `program` is what the text of the wish's filter says.
  Recall(core::RecallWish wish, Recorder& recorder,
         std::optional<filter::Filter> program = std::nullopt);

  /// Looks at some blocks, unless what was found still waits: then it returns false.
  [[nodiscard]] bool go_on(const Recorder& recorder);

  /// Whether the end of it is in next_body(), or went before.
  [[nodiscard]] bool over() const { return over_; }

  [[nodiscard]] Bytes next_body() const { return packer_.next_body(); }

  void pop_body() { packer_.pop_body(); }

 private:
  // A few milliseconds' work.
  static constexpr int kBlocksAtOnce = 64;

  [[nodiscard]] bool is_of_interest(const Recorder& recorder, std::uint64_t serial) const;
  void seek(const Recorder& recorder);
  void read(const Recorder& recorder, std::uint64_t serial);
  [[nodiscard]] bool before_latest(const TapRecord& record);
  void finish(const Recorder& recorder);

  core::RecallWish wish_;
  std::optional<filter::Filter> program_;
  filter::LatencyMemory latencies_;
  Listener packer_;
  std::uint64_t seek_ = 0;   // While it looks for the latest: the block after the next to look at.
  std::uint64_t found_ = 0;  // Of the latest, from there on.
  bool seeking_ = false;
  bool begun_ = false;      // The first of the latest was told.
  std::uint64_t skip_ = 0;  // So many of those go before what is wanted.
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t position_ = 0;  // Records before `next_`, of all there ever were.
  std::uint64_t end_position_ = 0;
  std::uint64_t told_ = 0;
  bool over_ = false;
};

}  // namespace zpost::tap
