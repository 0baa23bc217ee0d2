// A chat's lines for a terminal. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "peer/cli/chat_line.h"
#include "peer/cli/shared/palette.h"

namespace zpost::cli {

/// How it is to look.
struct Look {
  Palette palette{false};
  std::size_t columns = 0;  // Of the terminal, whose rows do not cut words; 0: of no end.
};

/// One or more rows, each with a line feed.
[[nodiscard]] std::string chat_text(const ChatLine& line, const Look& look, std::uint64_t now_ns);

}  // namespace zpost::cli
