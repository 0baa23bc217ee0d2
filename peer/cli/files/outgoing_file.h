// Decides what the sender of a file says next. docs/files.md is the agreement.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "peer/cli/files/file_messages.h"
#include "zpost/protocol/outcomes.h"

namespace zpost::cli {

using SteadyTime = std::chrono::steady_clock::time_point;

/// One file on its way to one recipient. Pure: whoever drives it asks for the next step, does it,
/// and tells what came of it. Time must not decrease between calls. Thread: one.
class OutgoingFile {
 public:
  enum class Step {
    kOffer,   // Send offer() as a request, then say offered().
    kFinish,  // Send a done as a request, then say finishing().
    kAwait,   // For the answer to either.
    kPause,   // Until resume_at().
    kCheck,   // Compare the first position() bytes with expected(), then say checked().
    kSend,    // The next chunk, from position(), then say sent().
    kEnd,     // See end().
  };

  /// How it ended.
  struct End {
    Outcome outcome = Outcome::kNone;  // kDelivered, or why not.
    std::string text;                  // Why not, in the words of whoever knows; may be empty.
    std::string saved_as;              // The recipient's name for it.
  };

  /// `offer` as the file is. After `patience` without progress it gives up.
  OutgoingFile(FileOffer offer, std::chrono::milliseconds patience, SteadyTime now);

  [[nodiscard]] Step next(SteadyTime now);

  [[nodiscard]] const FileOffer& offer() const { return offer_; }

  [[nodiscard]] std::uint64_t position() const { return position_; }

  [[nodiscard]] const Digest& expected() const { return expected_; }

  [[nodiscard]] SteadyTime resume_at() const { return resume_at_; }

  [[nodiscard]] bool has_ended() const { return end_.has_value(); }

  /// REQUIRES: has_ended().
  [[nodiscard]] const End& end() const { return *end_; }

  /// The recipient accepted it at least once: from then on a lost recipient is waited for.
  [[nodiscard]] bool begun() const { return begun_; }

  // --- What the driver did -----------------------------------------------------------------------

  void offered();
  void finishing();
  void checked(bool same, SteadyTime now);
  void sent(std::uint64_t id, std::size_t bytes);

  // --- What came of it ---------------------------------------------------------------------------

  void answered(const FileAnswer& answer, SteadyTime now);
  /// The request failed: the recipient's no, or another outcome.
  void request_failed(Outcome outcome, std::string text, SteadyTime now);
  void chunk_failed(std::uint64_t id, Outcome outcome, std::string text, SteadyTime now);
  void stopped(const FileStop& stop, SteadyTime now);

  /// The recipient took something.
  void progressed(SteadyTime now) { progress_ = now; }

  /// The driver cannot go on.
  void fail(Outcome outcome, std::string text);

 private:
  enum class State { kToOffer, kOffered, kToCheck, kSending, kToFinish, kFinishing };

  void offer_again_at(SteadyTime when);
  void go_on(const FileAnswer& answer);

  FileOffer offer_;
  std::chrono::milliseconds patience_;
  State state_ = State::kToOffer;
  SteadyTime progress_;
  SteadyTime resume_at_;
  std::uint64_t position_ = 0;
  Digest expected_{};
  bool begun_ = false;
  std::uint64_t last_id_ = 0;      // Of the chunks sent.
  std::uint64_t outdated_id_ = 0;  // The last chunk before the latest offer: no longer of interest.
  Outcome trouble_ = Outcome::kTimedOut;  // The latest, for when patience runs out.
  std::string trouble_text_;
  std::optional<End> end_;
};

}  // namespace zpost::cli
