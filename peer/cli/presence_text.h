// Somebody's coming and going, for people and for programs. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "peer/cli/shared/palette.h"
#include "zpost/peer/message.h"

namespace zpost::cli {

/// `12:31:04 bob left (silent)`, with a line feed.
[[nodiscard]] std::string presence_text(const peer::PresenceChange& change, const Palette& palette,
                                        std::uint64_t now_ns);

/// One object with a line feed.
[[nodiscard]] std::string presence_json(const peer::PresenceChange& change, std::uint64_t now_ns);

}  // namespace zpost::cli
