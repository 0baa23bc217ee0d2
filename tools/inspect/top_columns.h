// The columns of `top`'s tables: what they show, and how rows are ordered by them. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/inspect/top_model.h"

namespace zpost::inspect {

struct TopColumn {
  std::string_view title;
  std::string_view key;  // In JSON.
  std::size_t columns = 0;
  std::uint64_t (*number)(const TopRow& row) = nullptr;
  std::string (*text)(std::uint64_t number) = nullptr;
};

/// Without the name, which comes first, and the curves, which come last.
[[nodiscard]] std::span<const TopColumn> columns_of(TopTab tab);

/// "Peers", …
[[nodiscard]] std::string_view title_of(TopTab tab);

/// What a table is ordered by: 0 is the name, 1 the first of columns_of(). Numbers begin with the
/// largest, names with the first of the alphabet.
struct TopOrder {
  std::size_t column = 1;
  bool reversed = false;
};

/// The rows in this order; those that are equal by name. `quiet`: also those that nothing was seen
/// of but that the broker knows.
[[nodiscard]] std::vector<const TopRow*> ordered_rows(const TopModel& model, TopTab tab,
                                                      TopOrder order, bool quiet);

/// `9,999`, `12.3k`, `4.56M`: at most six columns.
[[nodiscard]] std::string short_count(std::uint64_t count);
/// `12 µs`, `3.4 ms`, `2.41 s`, `3 min`: at most seven columns; 0: nothing, `-`.
[[nodiscard]] std::string short_span(std::uint64_t ns);
/// One character for each value, as high as it is compared with the largest; 0 is a space.
[[nodiscard]] std::string curve(const std::vector<std::uint64_t>& values);

}  // namespace zpost::inspect
