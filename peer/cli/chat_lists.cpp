#include "peer/cli/chat_lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/room_names.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

using PeerInfo = peer::Peer::PeerInfo;

std::string person_row(const PeerInfo& person, std::uint64_t now_ns) {
  const auto display = person.metadata.find("display");
  std::string row = person.name;
  if (display != person.metadata.end()) row += fmt::format(" ({})", visible_line(display->second));
  row += fmt::format("  since {} ago", age(person.since_ns, now_ns));
  if (person.state != "active") row += ", away";
  const std::vector<std::string> rooms = rooms_in(person.metadata);
  if (!rooms.empty()) row += " ";
  for (const std::string& room : rooms) row += " " + with_mark(room);
  return row;
}

std::string here_text(const std::vector<std::string>& people) {
  return people.empty() ? "nobody else is here" : "here: " + enumerated(people);
}

}  // namespace

std::string people_list(ChatRooms::Peers peers, std::uint64_t now_ns) {
  std::ranges::sort(peers, {}, &PeerInfo::name);
  std::string text;
  for (const PeerInfo& each : peers) {
    if (!text.empty()) text += "\n";
    text += person_row(each, now_ns);
  }
  return text;
}

std::string room_list(const ChatRooms& rooms) {
  std::string text;
  for (const std::string& room : rooms.joined()) {
    const std::uint64_t unread = rooms.unread(room);
    text += fmt::format("{}  {}{}\n", with_mark(room), here_text(rooms.people(room)),
                        unread == 0 ? "" : fmt::format("; {} unread", count_text(unread)));
  }
  if (text.empty()) text = "you are in no room; /join ROOM\n";
  std::vector<std::string> others;
  for (const std::string& room : rooms.known()) {
    if (rooms.is_in(room)) continue;
    others.push_back(fmt::format("{} {}", with_mark(room), rooms.people(room).size()));
  }
  if (!others.empty()) return text + "others, and how many are there: " + enumerated(others);
  text.pop_back();
  return text;
}

std::string room_text(const ChatRooms& rooms, std::string_view room) {
  return fmt::format("you are in {}; {}", with_mark(room), here_text(rooms.people(room)));
}

std::string partner_text(std::string_view partner) {
  if (partner.empty()) return "you talk with nobody yet: /to NAME, or /join ROOM";
  return fmt::format("you {} {}", is_room(partner) ? "are in" : "talk with", partner);
}

std::string chat_prompt(std::string_view partner, const ChatRooms& rooms, std::size_t columns) {
  std::string prompt(is_room(partner) || partner.empty() ? partner : "to " + std::string(partner));
  std::string marks;
  std::size_t left_out = 0;
  for (const std::string& room : rooms.joined()) {
    const std::uint64_t unread = rooms.unread(room);
    if (unread == 0) continue;
    const std::string mark = fmt::format("{}{} {}{}", marks.empty() ? "" : " ", with_mark(room),
                                         unread, rooms.calls_me(room) ? "!" : "");
    constexpr std::size_t kAround = 8;  // ` [`, ` +NN`, `]>`.
    const bool fits = prompt.size() + marks.size() + mark.size() + kAround <= columns;
    if (fits && left_out == 0) {
      marks += mark;
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) marks += fmt::format("{}+{}", marks.empty() ? "" : " ", left_out);
  if (!marks.empty()) prompt += fmt::format("{}[{}]", prompt.empty() ? "" : " ", marks);
  return prompt + ">";
}

}  // namespace zpost::cli
