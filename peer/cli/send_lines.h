// Sends a stream line by line, as fast as it comes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "peer/cli/send_report.h"
#include "peer/cli/shared/exit_code.h"
#include "peer/cli/shared/units.h"
#include "zpost/peer/peer.h"

namespace zpost::cli {

/// What publish asks for besides.
struct PublishTask {
  bool retain = false;
  bool count = false;
  bool need_subscriber = false;
};

struct SendTask {
  std::string to;                      // A peer's name; a topic if `publish` says how.
  std::optional<PublishTask> publish;  // Else it is sent.
  std::string content_type;
  std::string trace;
  milliseconds timeout{10'000};  // Without credit, or without any outcome.
};

/// Sends bodies and keeps the report up to date. Errors were said when a call returns another code
/// than kAsWanted.
class LineSender {
 public:
  using Stopped = std::function<bool()>;

  LineSender(peer::Peer& peer, const SendTask& task, SendReport& report, Stopped stopped)
      : peer_(peer), task_(task), report_(report), stopped_(std::move(stopped)) {}

  /// Until the end of `descriptor`, or a signal. A line that is too large is reported and left out.
  [[nodiscard]] ExitCode send_stream(int descriptor);

  /// One body, reported if it is too large; it is text if it is UTF-8 and `may_be_text`.
  [[nodiscard]] ExitCode send_one(std::string_view body, bool may_be_text);

  /// What was read and not sent when a signal came.
  [[nodiscard]] std::uint64_t unsent() const { return unsent_; }

  /// Passes on the outcomes that are known by now.
  void pass_on_outcomes();

 private:
  [[nodiscard]] ExitCode send_lines(const std::vector<std::string_view>& lines);
  [[nodiscard]] ExitCode send_span(std::span<const Bytes> bodies, bool text);
  [[nodiscard]] peer::Answer<peer::SentSpan> send_now(std::span<const Bytes> bodies, bool text,
                                                      milliseconds timeout);
  [[nodiscard]] ExitCode give_up() const;

  peer::Peer& peer_;
  const SendTask& task_;
  SendReport& report_;
  Stopped stopped_;
  std::uint64_t next_line_ = 1;
  std::uint64_t unsent_ = 0;
};

}  // namespace zpost::cli
