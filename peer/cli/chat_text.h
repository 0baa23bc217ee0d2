// A chat's lines for a terminal. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "peer/cli/chat_line.h"
#include "peer/cli/shared/palette.h"

namespace zpost::cli {

/// One or more rows, each with a line feed.
[[nodiscard]] std::string chat_text(const ChatLine& line, const Palette& palette,
                                    std::uint64_t now_ns);

}  // namespace zpost::cli
