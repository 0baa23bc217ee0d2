#include "tools/inspect/envelope_columns.h"

#include <algorithm>

#include "peer/cli/shared/text.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

constexpr std::size_t kNarrow = 110;  // Below it an id shows only its end.
constexpr std::size_t kEndOfId = 8;   // Digits: as nanoseconds, a tenth of a second.

}  // namespace

std::string who(std::string_view name) {
  return name.empty() ? "broker" : cli::visible_line(name);
}

std::string who_in_words(std::string_view name) {
  return name.empty() ? "the broker" : cli::visible_line(name);
}

std::string way_text(std::string_view from, std::string_view to) {
  return who(from) + " → " + who(to);
}

std::string way_text(const std::string& from, const std::string& to, std::size_t columns) {
  constexpr std::string_view kArrow = " → ";
  const std::size_t room = std::max(columns, kWayColumns) - cli::columns_of(kArrow);
  const std::size_t from_wants = cli::columns_of(from);
  const std::size_t to_wants = cli::columns_of(to);
  const std::size_t half = room / 2;
  const std::size_t from_gets =
      to_wants < half ? room - to_wants : std::min(from_wants, room - half);
  return cli::shortened(from, from_gets) + std::string(kArrow) +
         cli::shortened(to, room - std::min(from_wants, from_gets));
}

std::string kind_text(std::uint8_t kind_number) {
  return kind_number == 0 ? "" : std::string(kind_name(static_cast<Kind>(kind_number)));
}

std::string short_id(std::uint64_t id, std::size_t columns) {
  std::string text = std::to_string(id);
  if (columns < kNarrow && text.size() > kEndOfId) {
    text.replace(0, text.size() - kEndOfId, "…");
  }
  return text;
}

}  // namespace zpost::inspect
