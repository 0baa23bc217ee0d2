// Lines of `tail` for people. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "peer/cli/shared/palette.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

/// Why an envelope is held, in words.
[[nodiscard]] std::string held_text(const TailLine& line);

/// The envelope's meta and body on one line, safe for a terminal: as decoded, or by what it is.
[[nodiscard]] std::string envelope_text(const TailLine& line);

/// One row of at most about `columns`, with a line feed: time, event, from → to, kind, size, id,
/// body or reason.
[[nodiscard]] std::string tail_text(const TailLine& line, const cli::Palette& palette,
                                    std::size_t columns);

}  // namespace zpost::inspect
