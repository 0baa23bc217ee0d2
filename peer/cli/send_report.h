// What became of what `send` sent: who is told, and the exit code. Pure but for its two sinks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "peer/cli/shared/options.h"
#include "zpost/peer/message.h"

namespace zpost::cli {

class SendReport {
 public:
  static constexpr std::uint64_t kNamedFailures = 5;

  struct Sinks {
    std::function<void(const std::string&)> data;     // A line of JSON, or a count of queues.
    std::function<void(const std::string&)> message;  // For people.
  };

  /// `numbered`: envelopes are lines of a stream, and are called so.
  SendReport(Format format, bool numbered, Sinks sinks);

  /// `count` envelopes with ids from `first` on were sent; the first is line `line`.
  void sent(std::uint64_t first, std::uint64_t count, std::uint64_t line);

  void settled(const peer::OutcomeReport& report);

  /// Line `line` was too large to be sent at all.
  void too_large(std::uint64_t line, const std::string& text);

  /// Ends the report of failures: how many were not named, by outcome. Call once.
  void finish();

  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  struct Span {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t line = 0;
  };

  [[nodiscard]] std::optional<std::uint64_t> line_of(std::uint64_t id) const;
  [[nodiscard]] std::string subject(std::optional<std::uint64_t> line) const;

  Format format_;
  bool numbered_;
  Sinks sinks_;
  std::vector<Span> spans_;  // Neighbours are merged, so that there are few.
  std::uint64_t failures_ = 0;
  std::map<Outcome, std::uint64_t> unnamed_;
};

}  // namespace zpost::cli
