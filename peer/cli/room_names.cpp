#include "peer/cli/room_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "peer/cli/shared/text.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr std::string_view kPrefix = "room/";
constexpr std::size_t kMaxNamed = 20;

}  // namespace

bool is_room(std::string_view partner) {
  return partner.starts_with(kRoomMark);
}

std::string_view without_mark(std::string_view room) {
  return is_room(room) ? room.substr(1) : room;
}

std::string with_mark(std::string_view room) {
  return kRoomMark + std::string(room);
}

std::string wrong_room_text(std::string_view room) {
  if (is_name(room)) return "";
  return fmt::format(
      "\"{}\" is not a room: letters, digits and . _ -, at most {}, first a letter or digit",
      visible_line(room), kMaxNameBytes);
}

std::string topic_of_room(std::string_view room) {
  return std::string(kPrefix) + std::string(room);
}

std::string_view room_of_topic(std::string_view topic) {
  return topic.starts_with(kPrefix) ? topic.substr(kPrefix.size()) : topic;
}

std::vector<std::string> rooms_in(const Metadata& metadata) {
  std::vector<std::string> rooms;
  const auto found = metadata.find(kRoomsKey);
  if (found == metadata.end()) return rooms;
  std::string_view rest = found->second;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (is_name(word)) rooms.emplace_back(word);
  }
  return rooms;
}

std::string rooms_value(const std::vector<std::string>& rooms) {
  return fmt::format("{}", fmt::join(rooms, " "));
}

std::string enumerated(const std::vector<std::string>& names) {
  if (names.size() <= kMaxNamed) return fmt::format("{}", fmt::join(names, ", "));
  const std::span<const std::string> first(names.data(), kMaxNamed);
  return fmt::format("{} and {} more", fmt::join(first, ", "), names.size() - kMaxNamed);
}

}  // namespace zpost::cli
