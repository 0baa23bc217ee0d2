#include "peer/cli/files/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

constexpr std::size_t kLongestBar = 30;
constexpr std::size_t kShortestBar = 8;
constexpr std::size_t kShortestName = 8;

double share_of(const FileProgress& progress) {
  if (progress.size == 0) return 1;
  return std::min(1.0, double(progress.position) / double(progress.size));
}

std::string bar(double share, std::size_t columns) {
  const auto full = static_cast<std::size_t>(share * double(columns));
  std::string text;
  for (std::size_t i = 0; i < columns; ++i) text += i < full ? "━" : "─";
  return text;
}

/// How long the rest takes; empty: nobody knows.
std::string rest_text(const FileProgress& progress) {
  if (progress.bytes_per_second < 1) return "";
  const double seconds = double(progress.size - std::min(progress.size, progress.position)) /
                         progress.bytes_per_second;
  constexpr double kTooLong = 100.0 * 3600;
  if (seconds > kTooLong) return "";
  const auto whole = std::chrono::seconds(std::lround(seconds));
  return whole.count() < 60 ? fmt::format("{} s", whole.count()) : took_text(whole);
}

}  // namespace

std::string progress_text(const FileProgress& progress, std::size_t columns) {
  const double share = share_of(progress);
  std::string end = fmt::format(" {:3.0f}%", share * 100);
  const auto room = [&](const std::string& more) {
    return columns_of(end) + columns_of(more) + kShortestName <= columns;
  };
  const std::string rest = rest_text(progress);
  for (const std::string& more :
       {"  " + rate_text(progress.bytes_per_second), rest.empty() ? rest : "  " + rest,
        fmt::format("  {} of {}", size_text(progress.position), size_text(progress.size))}) {
    if (room(more)) end += more;
  }
  const std::size_t name =
      std::min(columns_of(progress.what), columns - std::min(columns, columns_of(end)));
  const std::size_t left = columns - std::min(columns, columns_of(end) + name + 1);
  std::string text = shortened(progress.what, name);
  if (left >= kShortestBar) text += " " + bar(share, std::min(left, kLongestBar));
  return shortened(text + end, columns);
}

std::string rate_text(double bytes_per_second) {
  return size_text(static_cast<std::uint64_t>(bytes_per_second)) + "/s";
}

std::string took_text(std::chrono::milliseconds took) {
  const auto count = took.count();
  if (count < 60'000) return fmt::format("{}.{} s", count / 1000, count % 1000 / 100);
  const auto seconds = count / 1000;
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace zpost::cli
