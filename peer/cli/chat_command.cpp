#include "peer/cli/chat_command.h"

#include <array>

namespace zpost::cli {
namespace {

using Kind = ChatCommand::Kind;

struct Word {
  std::string_view word;
  Kind kind;
};

constexpr std::array kWords{Word{"/help", Kind::kHelp}, Word{"/who", Kind::kWho},
                            Word{"/to", Kind::kTo}, Word{"/retry", Kind::kRetry},
                            Word{"/quit", Kind::kQuit}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

ChatCommand parse_chat_command(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.empty()) return {};
  if (text.starts_with("//")) return {Kind::kSay, std::string(text.substr(1))};
  if (!text.starts_with('/')) return {Kind::kSay, std::string(line)};
  const std::size_t end = text.find_first_of(" \t");
  const std::string_view word = text.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? "" : trimmed(text.substr(end));
  for (const Word& known : kWords) {
    if (known.word == word) return {known.kind, std::string(rest)};
  }
  return {Kind::kUnknown, std::string(word)};
}

std::string chat_help() {
  return "/to NAME   talk with NAME from now on\n"
         "/who       who is here\n"
         "/retry     send again what was not delivered\n"
         "/quit      leave (or Ctrl-D)\n"
         "//text     say /text\n"
         "✓ delivered: the other's program showed it.  … on its way.  ✗ not delivered.";
}

}  // namespace zpost::cli
