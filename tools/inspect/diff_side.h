// The envelopes of one capture, to be compared with another's. docs/diff.md. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/body_match.h"
#include "tools/inspect/line_choice.h"
#include "tools/inspect/tail_line.h"
#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// What was received, and what became of it.
struct DiffEnvelope {
  std::uint64_t id = 0;
  std::uint64_t received_ns = 0;  // 0: its receipt is not in the capture.
  std::uint64_t in_reply_to = 0;
  // Until it was taken, or, of a request or call, answered.
  std::optional<std::uint64_t> latency_ns = {};
  std::uint32_t size = 0;            // 0: not known.
  Outcome outcome = Outcome::kNone;  // The last that was told.
  std::uint32_t queues = 0;          // Of a publish: that took it, as far as that was told.
  bool replied = false;              // Of a request or call.
  bool ended = false;                // The same: its end was told.
  bool has_body = false;
  bool body_is_text = false;
  bool cut = false;
  bool redacted = false;
  bool rejected = false;
  std::string content_type = {};
  std::string trace = {};
  ByteBuffer body = {};

  /// REQUIRES: has_body. Views into this.
  [[nodiscard]] ShownEnvelope shown() const;
};

/// Envelopes of one sender, recipient, topic or service, and kind.
struct DiffStream {
  std::string from = {};
  std::string to = {};
  std::uint8_t kind_number = 0;

  auto operator<=>(const DiffStream&) const = default;
};

/// Thread: one.
class DiffSide {
 public:
  static constexpr std::size_t kMaxEnvelopes = 500'000;
  static constexpr std::size_t kMaxBytes = 256 << 20;  // Of bodies and meta.

  explicit DiffSide(LineChoice choice) : choice_(std::move(choice)) {}

  /// To be given each record in its order. Error: more than the bounds.
  [[nodiscard]] Result<void> add(const TapEntry& entry, bool redacted);

  /// In the order in which they were received, or failed without.
  [[nodiscard]] const std::map<DiffStream, std::vector<DiffEnvelope>>& streams() const {
    return streams_;
  }

  [[nodiscard]] std::uint64_t envelopes() const { return envelopes_; }

  [[nodiscard]] std::uint64_t missed() const { return missed_; }  // Records.

 private:
  struct Place {
    std::vector<DiffEnvelope>* stream = nullptr;
    std::size_t index = 0;

    [[nodiscard]] DiffEnvelope& envelope() const { return (*stream)[index]; }
  };

  [[nodiscard]] Result<void> take(const TailLine& line, bool wanted);
  [[nodiscard]] Result<void> receive(const TailLine& line);
  [[nodiscard]] Result<void> put(const TailLine& line, std::uint64_t id);
  void settle(const TailLine& line);
  static void settle(const TailLine& line, DiffEnvelope& envelope);

  LineChoice choice_;
  std::map<DiffStream, std::vector<DiffEnvelope>> streams_;
  std::map<std::string, std::map<std::uint64_t, Place>, std::less<>> places_;  // By sender and id.
  std::vector<TailLine> lines_;
  std::uint64_t envelopes_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace zpost::inspect
