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

std::optional<std::uint64_t> ns_of_utc_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000000000Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !is_digit : text[i] != kForm[i]) return std::nullopt;
  }
  const auto number = [text](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
    return value;
  };
  std::tm parts = {};
  parts.tm_year = number(0, 4) - 1900;
  parts.tm_mon = number(5, 2) - 1;
  parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2);
  parts.tm_min = number(14, 2);
  parts.tm_sec = number(17, 2);
  const std::time_t seconds = ::timegm(&parts);
  if (seconds < 0) return std::nullopt;
  const std::uint64_t ns =
      static_cast<std::uint64_t>(seconds) * kSecond + static_cast<std::uint64_t>(number(20, 9));
  // timegm() takes the 31st of February for a day in March.
  if (utc_time(ns) != text) return std::nullopt;
  return ns;
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
