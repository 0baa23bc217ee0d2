// A chat's lines for programs. Pure.
#pragma once

#include <string>

#include "peer/cli/chat_line.h"

namespace zpost::cli {

/// One object with a line feed.
[[nodiscard]] std::string chat_json(const ChatLine& line);

}  // namespace zpost::cli
