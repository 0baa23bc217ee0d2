#include "peer/cli/chat_rooms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "peer/cli/room_names.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {

using LineKind = ChatLine::Kind;

namespace {

ChatLine presence_line(const std::string& who, const char* what, const std::string& room,
                       std::uint64_t now) {
  return {.kind = LineKind::kPresence,
          .time_ns = now,
          .from = who,
          .text = fmt::format("{} {}", what, with_mark(room)),
          .room = room};
}

/// One's own lines, and those without a room, are seen wherever one looks.
bool is_of_a_room(const ChatLine& line) {
  return !line.room.empty() && line.kind != LineKind::kSent && line.kind != LineKind::kSettled;
}

bool is_part_of_a_word(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_' ||
         character == '-';
}

/// Whether `name` stands in `text` as a word.
bool names(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool begins = at == 0 || !is_part_of_a_word(text[at - 1]);
    if (begins && (end == text.size() || !is_part_of_a_word(text[end]))) return true;
  }
  return false;
}

}  // namespace

bool ChatRooms::is_in(std::string_view room) const {
  return std::ranges::find(joined_, room) != joined_.end();
}

void ChatRooms::join(const std::string& room) {
  joined_.push_back(room);
}

void ChatRooms::leave(std::string_view room) {
  std::erase(joined_, room);
  if (const auto found = unread_.find(room); found != unread_.end()) unread_.erase(found);
}

ChatLines ChatRooms::admit(ChatLines lines, std::string_view partner) {
  if (elsewhere_ == Elsewhere::kShown) return lines;
  ChatLines shown;
  for (ChatLine& line : lines) {
    if (!is_of_a_room(line) || with_mark(line.room) == partner) {
      shown.push_back(std::move(line));
    } else if (line.kind != LineKind::kPresence && is_in(line.room)) {
      hold(std::move(line));
    }
  }
  return shown;
}

void ChatRooms::hold(ChatLine line) {
  Unread& unread = unread_[line.room];
  if (line.kind == LineKind::kReceived) {
    ++unread.said;
    if (names(line.text, me_)) unread.calls_me = true;
  }
  unread.lines.push_back(std::move(line));
  if (unread.lines.size() <= kMaxHeld) return;
  if (unread.lines.front().kind == LineKind::kReceived) {
    --unread.said;
    ++unread.dropped;
  }
  unread.lines.pop_front();
}

ChatLines ChatRooms::take_unread(std::string_view room, std::uint64_t now) {
  ChatLines lines;
  const auto found = unread_.find(room);
  if (found == unread_.end()) return lines;
  Unread& unread = found->second;
  if (unread.dropped > 0) {
    lines.push_back({.kind = LineKind::kMissed,
                     .time_ns = now,
                     .text = fmt::format("{} dropped here: {} unread are kept of a room",
                                         counted(unread.dropped, "older line"), kMaxHeld),
                     .room = std::string(room),
                     .count = unread.dropped});
  }
  std::ranges::move(unread.lines, std::back_inserter(lines));
  unread_.erase(found);
  return lines;
}

std::uint64_t ChatRooms::unread(std::string_view room) const {
  const auto found = unread_.find(room);
  return found == unread_.end() ? 0 : found->second.said + found->second.dropped;
}

bool ChatRooms::calls_me(std::string_view room) const {
  const auto found = unread_.find(room);
  return found != unread_.end() && found->second.calls_me;
}

ChatLines ChatRooms::missed(std::uint64_t count, std::uint64_t now) const {
  ChatLines lines;
  const char* const where = joined_.size() == 1 ? "here" : "in your rooms, perhaps here";
  for (const std::string& room : joined_) {
    lines.push_back({.kind = LineKind::kMissed,
                     .time_ns = now,
                     .text = fmt::format("{} missed {}: more was said than this chat could take",
                                         counted(count, "line"), where),
                     .room = room,
                     .count = count});
  }
  return lines;
}

void ChatRooms::set_people(const Peers& peers) {
  rooms_of_.clear();
  for (const peer::Peer::PeerInfo& each : peers) {
    std::vector<std::string> rooms = rooms_in(each.metadata);
    if (each.name == me_ || rooms.empty()) continue;
    rooms_of_.emplace(each.name, Names(rooms.begin(), rooms.end()));
  }
}

bool ChatRooms::is_leaving(const peer::PresenceChange& change) const {
  if (change.event == "left") return true;
  const auto before = rooms_of_.find(change.peer);
  if (before == rooms_of_.end()) return false;
  const std::vector<std::string> named = rooms_in(change.metadata);
  const Names after(named.begin(), named.end());
  return !std::ranges::includes(after, before->second);
}

ChatLines ChatRooms::presence(const peer::PresenceChange& change, std::uint64_t now) {
  if (change.peer == me_) return {};
  const std::vector<std::string> named = rooms_in(change.metadata);
  const bool left = change.event == "left";
  const Names after = left ? Names() : Names(named.begin(), named.end());
  const Names before = std::exchange(rooms_of_[change.peer], after);
  if (after.empty()) rooms_of_.erase(change.peer);
  ChatLines lines;
  for (const std::string& room : joined_) {
    if (before.contains(room) == after.contains(room)) continue;
    const char* const what = after.contains(room) ? "joined" : "left";
    lines.push_back(presence_line(change.peer, what, room, now));
  }
  return lines;
}

std::vector<std::string> ChatRooms::people(std::string_view room) const {
  std::vector<std::string> names;
  for (const auto& [name, rooms] : rooms_of_) {
    if (rooms.contains(room)) names.push_back(name);
  }
  return names;
}

ChatLines ChatRooms::with_people(ChatLines lines) const {
  for (ChatLine& line : lines) {
    const bool is_own = line.kind == LineKind::kSent || line.kind == LineKind::kSettled;
    if (!is_own || line.room.empty()) continue;
    line.people = people(line.room).size();
    if (line.outcome != Outcome::kNoSubscriber || line.people == 0) continue;
    line.reason = line.people == 1 ? people(line.room).front() + " is not back yet"
                                   : fmt::format("none of the {} others is back yet", line.people);
  }
  return lines;
}

std::vector<std::string> ChatRooms::known() const {
  std::set<std::string> rooms(joined_.begin(), joined_.end());
  for (const auto& [name, theirs] : rooms_of_) rooms.insert(theirs.begin(), theirs.end());
  return {rooms.begin(), rooms.end()};
}

}  // namespace zpost::cli
