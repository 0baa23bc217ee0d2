#include "broker/app/log.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker/app/log_text.h"

namespace zpost::app {

namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v";

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

/// One JSON object a line.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t time;
    time_.format(message, time);
    const nlohmann::json line{
        {"time", std::string(time.data(), time.size())},
        {"level", std::string(spdlog::level::to_string_view(message.level).data())},
        {"text", std::string(message.payload.data(), message.payload.size())}};
    const auto replace = nlohmann::json::error_handler_t::replace;
    const std::string text = line.dump(-1, ' ', false, replace) + '\n';
    out.append(text.data(), text.data() + text.size());
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }

 private:
  spdlog::pattern_formatter time_{"%Y-%m-%dT%H:%M:%S.%eZ", spdlog::pattern_time_type::utc, ""};
};

std::shared_ptr<spdlog::sinks::sink> make_sink(const std::string& file) {
  if (!file.empty()) return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  const char* const no_color = std::getenv("NO_COLOR");
  const bool plain = no_color != nullptr && no_color[0] != '\0';
  return std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
}

}  // namespace

LogLevel log_level(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  return name == "error" ? LogLevel::kError : LogLevel::kOff;
}

Result<std::unique_ptr<Log>> Log::open(const LogSettings& settings) {
  try {
    auto sink = make_sink(settings.file);
    auto pool = std::make_shared<spdlog::details::thread_pool>(kQueue, 1);
    // has_room() drops the newest before the queue would drop the oldest.
    auto logger = std::make_shared<spdlog::async_logger>(
        "zpost-broker", sink, pool, spdlog::async_overflow_policy::overrun_oldest);
    if (settings.json) {
      logger->set_formatter(std::make_unique<JsonFormatter>());
    } else {
      logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
          kTextPattern, spdlog::pattern_time_type::utc));
    }
    logger->set_level(to_spdlog(settings.level));
    logger->flush_on(spdlog::level::debug);
    return std::unique_ptr<Log>(new Log(settings, std::move(pool), std::move(logger)));
  } catch (const spdlog::spdlog_ex& error) {
    return Error{Outcome::kNone, error.what()};
  }
}

Log::Log(const LogSettings& settings, std::shared_ptr<spdlog::details::thread_pool> pool,
         std::shared_ptr<spdlog::logger> logger)
    : level_(settings.level), pool_(std::move(pool)), logger_(std::move(logger)) {}

Log::~Log() {
  if (const std::uint64_t dropped = dropped_.load(); dropped > 0) {
    logger_->warn("log_dropped lines={}", dropped);
  }
  logger_.reset();
  pool_.reset();  // Joins its thread after the last line.
}

void Log::write(LogLevel level, std::string_view text) {
  if (!shows(level)) return;
  if (!has_room()) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (const std::uint64_t dropped = dropped_.exchange(0, std::memory_order_relaxed); dropped > 0) {
    logger_->warn("log_dropped lines={}", dropped);
  }
  const std::string line = log_text(text);
  logger_->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

bool Log::has_room() {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t second = duration_cast<seconds>(now).count();
  const std::int64_t last = filled_at_.exchange(second, std::memory_order_relaxed);
  std::uint64_t tokens = tokens_.load(std::memory_order_relaxed);
  if (second > last) {
    const auto passed = static_cast<std::uint64_t>(second - last);
    tokens = passed > kBurst ? kBurst : std::min(kBurst, tokens + passed * kPerSecond);
  }
  if (tokens == 0 || pool_->queue_size() >= kQueue / 2) {
    tokens_.store(tokens, std::memory_order_relaxed);
    return false;
  }
  tokens_.store(tokens - 1, std::memory_order_relaxed);
  return true;
}

}  // namespace zpost::app
