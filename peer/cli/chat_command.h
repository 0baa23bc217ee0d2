// What a typed line asks for. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zpost::cli {

struct ChatCommand {
  enum class Kind {
    kNothing,
    kSay,
    kHelp,
    kWho,
    kTo,
    kMsg,
    kJoin,
    kLeave,
    kRooms,
    kRetry,
    kQuit,
    kUnknown,
  };
  Kind kind = Kind::kNothing;
  /// kSay and kMsg: what, of kMsg possibly empty; kTo, kWho, kJoin, kLeave: whom or where, possibly
  /// empty; kUnknown: the word.
  std::string text = {};
  std::string to = {};  // kMsg: to whom, possibly empty.
};

/// `/word …` is a command, `//text` says `/text`, the rest is said as it is.
[[nodiscard]] ChatCommand parse_chat_command(std::string_view line);

/// `/help` and the others.
[[nodiscard]] std::vector<std::string> chat_command_words();

/// What /help shows.
[[nodiscard]] std::string chat_help();

}  // namespace zpost::cli
