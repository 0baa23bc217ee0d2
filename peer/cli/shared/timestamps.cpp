#include "peer/cli/shared/timestamps.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

namespace zpost::cli {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::tm local(std::uint64_t ns) {
  const auto seconds = static_cast<std::time_t>(ns / kSecond);
  std::tm parts = {};
  ::localtime_r(&seconds, &parts);
  return parts;
}

std::string clock_time(const std::tm& parts) {
  return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string date(const std::tm& parts) {
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

}  // namespace

std::uint64_t wall_clock_ns() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

std::string local_time(std::uint64_t ns, std::uint64_t now_ns) {
  const std::tm then = local(ns);
  const std::tm now = local(now_ns);
  if (then.tm_year == now.tm_year && then.tm_yday == now.tm_yday) return clock_time(then);
  return date(then) + " " + clock_time(then);
}

std::string local_time_ms(std::uint64_t ns) {
  return fmt::format("{}.{:03}", clock_time(local(ns)), ns / 1'000'000 % 1000);
}

std::string local_time_us(std::uint64_t ns) {
  return fmt::format("{}.{:06}", clock_time(local(ns)), ns / 1000 % 1'000'000);
}

std::string utc_time(std::uint64_t ns) {
  const auto seconds = static_cast<std::time_t>(ns / kSecond);
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}T{}.{:09}Z", date(parts), clock_time(parts), ns % kSecond);
}

std::string age(std::uint64_t ns, std::uint64_t now_ns) {
  const std::uint64_t seconds = now_ns > ns ? (now_ns - ns) / kSecond : 0;
  if (seconds == 0) return "now";
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7'200) return fmt::format("{} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86'400);
}

}  // namespace zpost::cli
