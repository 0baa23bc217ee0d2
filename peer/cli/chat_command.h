// What a typed line asks for. Pure.
#pragma once

#include <string>
#include <string_view>

namespace zpost::cli {

struct ChatCommand {
  enum class Kind { kNothing, kSay, kHelp, kWho, kTo, kRetry, kQuit, kUnknown };
  Kind kind = Kind::kNothing;
  std::string text;  // kSay: what; kTo: whom, possibly empty; kUnknown: the word.
};

/// `/word …` is a command, `//text` says `/text`, the rest is said as it is.
[[nodiscard]] ChatCommand parse_chat_command(std::string_view line);

/// What /help shows.
[[nodiscard]] std::string chat_help();

}  // namespace zpost::cli
