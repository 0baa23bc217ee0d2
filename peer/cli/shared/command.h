// A child process that gets a body on standard input and answers on standard output.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zpost/protocol/result.h"

namespace zpost::cli {

using SteadyTime = std::chrono::steady_clock::time_point;

struct CommandSpec {
  std::vector<std::string> arguments;    // The program is looked for in PATH.
  std::vector<std::string> environment;  // "KEY=value", besides our own.
  std::string input;
  std::size_t output_limit = 0;  // Bytes of standard output; beyond it the child is killed.
  SteadyTime deadline = SteadyTime::max();  // Then it is killed.
};

/// How a command ended.
struct CommandEnd {
  enum class Kind {
    kExited,
    kSignalled,
    kTimedOut,
    kTooMuchOutput,
    kCancelled,
    kStopped,
    kUnknown
  };
  Kind kind = Kind::kExited;
  int status = 0;  // Exit status or signal; kUnknown: it was not to be had.
  std::string output;
  std::string errors;  // The last few KiB of standard error.

  [[nodiscard]] bool succeeded() const { return kind == Kind::kExited && status == 0; }
};

/// Why a failed command's request is rejected: what happened and the last line of its standard
/// error. UTF-8.
[[nodiscard]] std::string rejection_text(const std::string& program, const CommandEnd& end);

/// The full path of `program`, or nothing if PATH has none.
[[nodiscard]] std::optional<std::string> find_program(const std::string& program);

/// Runs in a process group of its own. Never blocks. Thread: one. Destroyed before its end, it
/// kills the group and waits for it.
class Command {
 public:
  /// Error: why it cannot be started.
  [[nodiscard]] static Result<Command> start(CommandSpec spec);

  Command(Command&& other) noexcept;
  Command& operator=(Command&&) = delete;
  ~Command();

  /// Appends what to poll for.
  void add_descriptors(std::vector<pollfd>& descriptors) const;

  /// Moves bytes, looks at the child and the time. Call after any poll, and on SIGCHLD. Nothing: it
  /// still runs.
  [[nodiscard]] std::optional<CommandEnd> advance(SteadyTime now);

  /// What it wrote by now, which is not in the end's output then; `output_limit` is for what is
  /// left here.
  [[nodiscard]] std::string take_output() { return std::exchange(end_.output, {}); }

  /// While held, its output is not read, so that it waits when it writes more.
  void hold_output(bool held) { held_ = held; }

  /// When advance should be called at the latest.
  [[nodiscard]] SteadyTime wake_at() const;

  /// Asks it to end: SIGTERM, a second later SIGKILL.
  void stop(CommandEnd::Kind why, SteadyTime now);

 private:
  Command() = default;

  void feed();
  void drain();
  void read_output();
  void read_errors();

  CommandSpec spec_;
  std::array<int, 3> pipes_{-1, -1, -1};  // Its standard input, output, error.
  pid_t pid_ = -1;
  std::size_t fed_ = 0;
  std::optional<CommandEnd::Kind> stopped_;
  bool killed_ = false;
  bool held_ = false;
  CommandEnd end_;
};

}  // namespace zpost::cli
