#include "peer/cli/chat_completion.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/room_names.h"
#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kBlank = " \t";
constexpr std::size_t kMaxListed = 200;

Words marked(char mark, const Words& words) {
  Words out;
  out.reserve(words.size());
  for (const std::string& word : words) out.push_back(mark + word);
  return out;
}

Words both(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// A room may be written with its mark or without.
Words rooms_as(std::string_view word, const Words& rooms) {
  return is_room(word) ? marked(kRoomMark, rooms) : rooms;
}

/// What may stand as the first word behind a command.
Words arguments_of(std::string_view command, std::string_view word, const KnownWords& known) {
  if (command == "/join") return rooms_as(word, known.rooms);
  if (command == "/leave") return rooms_as(word, known.joined);
  if (command == "/msg") return known.people;
  if (command == "/to") return both(known.people, marked(kRoomMark, known.joined));
  if (command == "/who") return both(known.people, marked(kRoomMark, known.rooms));
  return {};
}

/// Within what is said.
Words names_in_text(std::string_view word, const KnownWords& known) {
  if (word.empty()) return {};
  if (is_room(word)) return marked(kRoomMark, known.rooms);
  if (word.front() == '@') return marked('@', known.people);
  return known.people;
}

Words candidates(std::string_view before, std::string_view word, const KnownWords& known) {
  const std::string_view earlier = before.substr(0, before.size() - word.size());
  const std::size_t first = earlier.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return word.starts_with('/') ? known.commands : names_in_text(word, known);
  }
  const bool is_command = earlier[first] == '/' && !earlier.substr(first).starts_with("//");
  if (!is_command) return names_in_text(word, known);
  const std::size_t end = earlier.find_first_of(kBlank, first);
  const std::string_view command = earlier.substr(first, end - first);
  if (earlier.find_first_not_of(kBlank, end) == std::string_view::npos) {
    return arguments_of(command, word, known);
  }
  return command == "/msg" ? names_in_text(word, known) : Words();
}

std::size_t common_prefix(const Words& words) {
  // Of sorted words the first and the last differ most.
  const std::string& first = words.front();
  const std::string& last = words.back();
  const auto differ = std::ranges::mismatch(first, last);
  return static_cast<std::size_t>(differ.in1 - first.begin());
}

}  // namespace

Completion complete(std::string_view before, const KnownWords& known) {
  const std::size_t blank = before.find_last_of(kBlank);
  const std::string_view word = before.substr(blank == std::string_view::npos ? 0 : blank + 1);
  Words found = candidates(before, word, known);
  std::erase_if(found, [&](const std::string& each) { return !each.starts_with(word); });
  std::ranges::sort(found);
  if (found.empty()) return {};
  if (found.size() == 1) return {found.front().substr(word.size()) + " ", {}};
  std::string inserted = found.front().substr(word.size(), common_prefix(found) - word.size());
  return {std::move(inserted), std::move(found)};
}

std::string in_columns(const Words& words, std::size_t columns) {
  const std::size_t count = std::min(words.size(), kMaxListed);
  std::size_t width = 0;
  for (std::size_t i = 0; i < count; ++i) width = std::max(width, columns_of(words[i]) + 2);
  const std::size_t per_row = std::max<std::size_t>(1, columns / std::max<std::size_t>(1, width));
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const bool ends_row = (i + 1) % per_row == 0 || i + 1 == count;
    text += ends_row ? words[i] + "\n" : padded(words[i], width);
  }
  if (count < words.size()) text += fmt::format("and {} more\n", words.size() - count);
  return text;
}

}  // namespace zpost::cli
