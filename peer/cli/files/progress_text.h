// A file under way, on one line of a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace zpost::cli {

struct FileProgress {
  std::string what;  // `big.iso to bob`; visible.
  std::uint64_t position = 0;
  std::uint64_t size = 0;
  double bytes_per_second = 0;
};

/// `big.iso to bob ━━━━━━━━────  43%  860 MiB of 2.0 GiB  480 MiB/s  2s`, at most `columns` wide:
/// what matters least goes first, the percentage last.
[[nodiscard]] std::string progress_text(const FileProgress& progress, std::size_t columns);

/// `480 MiB/s`.
[[nodiscard]] std::string rate_text(double bytes_per_second);

/// `0.3 s`, `12.5 s`, `3:05`, `1:02:03`.
[[nodiscard]] std::string took_text(std::chrono::milliseconds took);

}  // namespace zpost::cli
