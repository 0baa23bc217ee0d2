// Names of files that others chose.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zpost::cli {

/// The most bytes a name may have in a folder of any usual file system.
inline constexpr std::size_t kMaxFileNameBytes = 255;

/// Why a file must not get this name, for people; empty: it may. A name is refused rather than
/// changed, so that nobody wonders where a file went.
[[nodiscard]] std::string file_name_trouble(std::string_view name);

/// The last part of a path.
[[nodiscard]] std::string_view base_name(std::string_view path);

/// `report (2).pdf`. Shortened before the number if need be.
[[nodiscard]] std::string numbered_name(std::string_view name, unsigned number);

/// Where the bytes are until all are there: `.report.pdf.TRANSFER.part`.
[[nodiscard]] std::string part_name(std::string_view name, std::string_view transfer);

}  // namespace zpost::cli
