// What rows about envelopes have in common: who, from → to, kind, and how wide. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zpost::inspect {

inline constexpr std::size_t kWayColumns = 14;
inline constexpr std::size_t kKindColumns = 7;
inline constexpr std::size_t kLeastBodyColumns = 12;

/// A peer, topic or service, safe for a terminal; without a name the broker.
[[nodiscard]] std::string who(std::string_view name);

/// The same within a sentence: `the broker`.
[[nodiscard]] std::string who_in_words(std::string_view name);

/// `alice → bob`.
[[nodiscard]] std::string way_text(std::string_view from, std::string_view to);

/// The same in at most `columns`, and no less than kWayColumns: what is longer than its half
/// yields.
[[nodiscard]] std::string way_text(const std::string& from, const std::string& to,
                                   std::size_t columns);

/// `send`, `request`, …; empty: it is not known.
[[nodiscard]] std::string kind_text(std::uint8_t kind_number);

/// `12345678` or, where there is little room, its end.
[[nodiscard]] std::string short_id(std::uint64_t id, std::size_t columns);

}  // namespace zpost::inspect
