// How `top` looks: lines of text with colours, as wide as the terminal. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "peer/cli/shared/palette.h"
#include "tools/inspect/top_model.h"
#include "tools/inspect/top_state.h"

namespace zpost::inspect {

inline constexpr std::size_t kLeastColumns = 80;
inline constexpr std::size_t kLeastLines = 24;

struct TopSpan {
  std::string text;  // Visible: it moves no cursor.
  cli::Ink ink = cli::Ink::kPlain;
  bool marked = false;  // The cursor's line, titles: with colours exchanged.
};

using TopLine = std::vector<TopSpan>;

struct TopPicture {
  const TopModel& model;
  const TopState& state;
  const TopShown& shown;
  std::string broker = {};  // Its name; empty: it has none.
  std::string endpoint = {};
  bool taps = true;          // The broker's tap is open: what passes is counted.
  std::string message = {};  // What there is to say now; empty: nothing.
  std::size_t columns = kLeastColumns;
  std::size_t lines = kLeastLines;  // 0: as many as it takes, without cursor and keys.
};

/// Exactly picture.lines of them if that is not 0, none wider than picture.columns.
[[nodiscard]] std::vector<TopLine> draw(const TopPicture& picture);

/// How many rows, envelopes or lines of a story such a terminal shows.
[[nodiscard]] std::size_t page_of(std::size_t lines);

/// Without colours, and without spaces at the ends of lines.
[[nodiscard]] std::string plain_text(const std::vector<TopLine>& lines);

/// All of it for programs: one object with a line feed.
[[nodiscard]] std::string top_json(const TopPicture& picture);

}  // namespace zpost::inspect
