// The log: lines of text or JSON, written by a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "zpost/protocol/result.h"

namespace spdlog {
class logger;

namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace zpost::app {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };

struct LogSettings {
  LogLevel level = LogLevel::kInfo;
  bool json = false;
  std::string file = {};  // Empty: standard error.
};

/// Never waits: when kQueue lines wait to be written, or more than kPerSecond came within a second
/// after a burst, the newest is dropped, and the next line that is not tells how many were.
/// Thread: any.
class Log {
 public:
  static constexpr std::size_t kQueue = 8'192;
  static constexpr std::uint64_t kPerSecond = 2'000;
  static constexpr std::uint64_t kBurst = 10'000;

  /// Error: the file cannot be written.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(const LogSettings& settings);

  /// Writes out what waits.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// A line: `event name=value …`, never payload and never a token. Written as log_text() makes it.
  void write(LogLevel level, std::string_view text);

  [[nodiscard]] bool shows(LogLevel level) const { return level >= level_; }

 private:
  Log(const LogSettings& settings, std::shared_ptr<spdlog::details::thread_pool> pool,
      std::shared_ptr<spdlog::logger> logger);
  [[nodiscard]] bool has_room();

  const LogLevel level_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::logger> logger_;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> tokens_{kBurst};
  std::atomic<std::int64_t> filled_at_{0};  // Steady seconds.
};

/// REQUIRES: one of the choices of log.level.
[[nodiscard]] LogLevel log_level(std::string_view name);

}  // namespace zpost::app
