// Requests with their replies, for people and for programs. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "peer/cli/shared/palette.h"
#include "tools/inspect/exchange_pairs.h"

namespace zpost::inspect {

/// The envelopes of an exchange, decoded as wanted; views into it.
struct ExchangeLines {
  std::optional<TailLine> request = {};
  std::optional<TailLine> reply = {};
};

/// How it ended, for the asker; no record has that of one that was answered. kNone: it has not, or
/// the reply was not seen, which may say no.
[[nodiscard]] Outcome outcome_of(const Exchange& exchange, const ExchangeLines& lines);

/// One row of at most about `columns`, with a line feed: time, round trip, from → to, kind, id, the
/// request's body, and the reply's or what became of it.
[[nodiscard]] std::string exchange_text(const Exchange& exchange, const ExchangeLines& lines,
                                        const cli::Palette& palette, std::size_t columns);

/// One object with a line feed.
[[nodiscard]] std::string exchange_json(const Exchange& exchange, const ExchangeLines& lines);

}  // namespace zpost::inspect
