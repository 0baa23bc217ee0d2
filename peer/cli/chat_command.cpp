#include "peer/cli/chat_command.h"

#include <algorithm>
#include <array>

namespace zpost::cli {
namespace {

using CommandKind = ChatCommand::Kind;

struct Word {
  std::string_view word;
  CommandKind kind;
};

constexpr std::array kWords{
    Word{"/help", CommandKind::kHelp},   Word{"/join", CommandKind::kJoin},
    Word{"/leave", CommandKind::kLeave}, Word{"/msg", CommandKind::kMsg},
    Word{"/quit", CommandKind::kQuit},   Word{"/retry", CommandKind::kRetry},
    Word{"/rooms", CommandKind::kRooms}, Word{"/to", CommandKind::kTo},
    Word{"/who", CommandKind::kWho}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

ChatCommand parse_msg(std::string_view rest) {
  const std::size_t end = std::min(rest.size(), rest.find_first_of(" \t"));
  return {CommandKind::kMsg, std::string(trimmed(rest.substr(end))),
          std::string(rest.substr(0, end))};
}

}  // namespace

ChatCommand parse_chat_command(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.empty()) return {};
  if (text.starts_with("//")) return {CommandKind::kSay, std::string(text.substr(1))};
  if (!text.starts_with('/')) return {CommandKind::kSay, std::string(line)};
  const std::size_t end = text.find_first_of(" \t");
  const std::string_view word = text.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? "" : trimmed(text.substr(end));
  if (word == "/msg") return parse_msg(rest);
  for (const Word& known : kWords) {
    if (known.word == word) return {known.kind, std::string(rest)};
  }
  return {CommandKind::kUnknown, std::string(word)};
}

std::vector<std::string> chat_command_words() {
  std::vector<std::string> words;
  words.reserve(kWords.size());
  for (const Word& known : kWords) words.emplace_back(known.word);
  return words;
}

std::string chat_help() {
  return "/to NAME         talk with NAME from now on; /to #ROOM: in that room\n"
         "/msg NAME TEXT   say one line to NAME alone\n"
         "/join ROOM       be in a room, and talk there\n"
         "/leave [ROOM]    leave this room, or that one\n"
         "/rooms           your rooms, who is there, what is unread\n"
         "/who [#ROOM]     who is here, or in that room\n"
         "/retry           send again what was not delivered\n"
         "/quit            leave (or Ctrl-D)\n"
         "//text           say /text\n"
         "Tab completes commands, rooms and names; twice lists them.\n"
         "Ctrl-C clears what is typed, and leaves when nothing is.\n"
         "✓ delivered: the other's program showed it.  … on its way.  ✗ not delivered.\n"
         "✓3 in a room: three have it in their queues; who is away sees it later.\n"
         "✓1 of 3: only one of the three known to be in the room has it.\n"
         "[#ops 3]: unread there; 3!: one names you.";
}

}  // namespace zpost::cli
