// What the commands of a chat do.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "peer/cli/chat_lists.h"
#include "peer/cli/chat_session.h"
#include "peer/cli/room_names.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;
using PeerInfo = peer::Peer::PeerInfo;

constexpr milliseconds kPatienceOfPipes{10'000};
constexpr int kPollMs = 10;

}  // namespace

void ChatSession::act(const ChatCommand& command) {
  switch (command.kind) {
    case ChatCommand::Kind::kNothing:
      return;
    case ChatCommand::Kind::kSay:
      return say({model_.partner(), command.text});
    case ChatCommand::Kind::kHelp:
      return tell(chat_help());
    case ChatCommand::Kind::kWho:
      return show_who(command.text);
    case ChatCommand::Kind::kTo:
      return turn_to(command.text);
    case ChatCommand::Kind::kMsg:
      return say_to(command);
    case ChatCommand::Kind::kJoin:
      return join_and_look(std::string(without_mark(command.text)));
    case ChatCommand::Kind::kLeave:
      return leave(std::string(without_mark(command.text)));
    case ChatCommand::Kind::kRooms:
      return tell(room_list(rooms_));
    case ChatCommand::Kind::kRetry:
      return retry();
    case ChatCommand::Kind::kQuit:
      quitting_ = true;
      return;
    case ChatCommand::Kind::kUnknown:
      return refuse(fmt::format("{}: there is no such command; /help lists them, //text says /text",
                                visible_line(command.text)));
  }
}

/// Who only pipes lines in learns of it by the exit code.
void ChatSession::refuse(std::string text) {
  unsaid_ = true;
  tell(std::move(text));
}

void ChatSession::say(ChatModel::Undelivered line) {
  if (line.to.empty()) {
    return refuse("not sent: you talk with nobody yet; /to NAME or /join ROOM, then say it again");
  }
  line.text = as_utf8(line.text);
  const auto sent = send_patiently(line);
  const std::uint64_t now = wall_clock_ns();
  if (sent) return show(model_.sent(*sent, std::move(line), now));
  std::string reason =
      sent.error().fault == peer::Fault::kWouldBlock
          ? (is_room(line.to) ? "the broker" : line.to) + " has not taken what was said before"
          : visible_line(sent.error().text);
  show(model_.not_sent(std::move(line), std::move(reason), now));
}

/// A person is not kept waiting; a script may be.
peer::Answer<std::uint64_t> ChatSession::send_patiently(const ChatModel::Undelivered& line) {
  const auto patience = terminal_.is_interactive() ? milliseconds(0) : kPatienceOfPipes;
  const SteadyTime deadline = Clock::now() + patience;
  for (;;) {
    auto sent = try_to_say(line);
    const bool blocked = !sent && sent.error().fault == peer::Fault::kWouldBlock;
    if (!blocked || Clock::now() >= deadline || !handle_events()) return sent;
    wait_for_events(kPollMs, false);
  }
}

peer::Answer<std::uint64_t> ChatSession::try_to_say(const ChatModel::Undelivered& line) {
  const Bytes body = as_bytes(line.text);
  if (!is_room(line.to)) return peer_.try_send(line.to, body, {.text = true, .stamp = true});
  return peer_.try_publish(
      topic_of_room(without_mark(line.to)), body,
      {.text = true, .stamp = true, .wants_count = true, .needs_subscriber = true});
}

void ChatSession::turn_to(const std::string& partner) {
  if (partner.empty()) return tell(partner_text(model_.partner()));
  if (is_room(partner)) {
    const std::string room(without_mark(partner));
    if (const std::string wrong = wrong_room_text(room); !wrong.empty()) return tell(wrong);
    if (rooms_.is_in(room)) return look_into(room);
    return tell(fmt::format("you are not in {}: /join {}", partner, room));
  }
  if (!is_name(partner)) {
    return tell(
        fmt::format("\"{}\" is not a name: letters, digits and . _ -, at most {}, first a "
                    "letter or digit",
                    visible_line(partner), kMaxNameBytes));
  }
  model_.set_partner(partner);
  update_prompt();
  const bool is_here = model_.here().contains(partner);
  const char* const absent = is_here ? "" : "; nobody of that name is here";
  tell(fmt::format("you talk with {} now{}{}", partner,
                   partner == peer_.name() ? ", which is you" : absent, room_hint(partner)));
}

/// For who means a room, but leaves out its mark.
std::string ChatSession::room_hint(const std::string& name) const {
  if (!rooms_.is_in(name)) return "";
  return fmt::format("; the room is {0}: /to {0}", with_mark(name));
}

void ChatSession::say_to(const ChatCommand& msg) {
  if (msg.to.empty()) return tell("whom? /msg NAME TEXT");
  if (msg.text.empty()) return turn_to(msg.to);
  if (!is_name(msg.to)) {
    return refuse(
        fmt::format("not sent: \"{}\" is not a name; /msg NAME TEXT", visible_line(msg.to)));
  }
  const bool is_here = msg.to == peer_.name() || model_.here().contains(msg.to);
  const bool means_a_room = !is_here && rooms_.is_in(msg.to);
  if (means_a_room) {
    tell(fmt::format("nobody named {} is here{}, then say it", msg.to, room_hint(msg.to)));
  }
  say({msg.to, msg.text});
}

/// False: it was told why not.
bool ChatSession::join(const std::string& room) {
  if (rooms_.is_in(room)) return true;
  const std::string wrong = membership_.join(room);
  if (wrong.empty()) return true;
  leave_and_tell(room, fmt::format("not joined: {}", wrong));
  return false;
}

void ChatSession::join_and_look(const std::string& room) {
  if (room.empty()) return tell("which one? /join ROOM");
  if (join(room)) look_into(room);
}

void ChatSession::look_into(const std::string& room) {
  model_.set_partner(with_mark(room));
  tell(room_text(rooms_, room));
  show(rooms_.take_unread(room, wall_clock_ns()));
  update_prompt();
}

/// Without a name: the one that is looked at.
void ChatSession::leave(const std::string& named) {
  const std::string& partner = model_.partner();
  if (named.empty() && !is_room(partner)) return tell("which one? /leave ROOM");
  const std::string room(named.empty() ? without_mark(partner) : named);
  if (!rooms_.is_in(room)) {
    const std::string wrong = wrong_room_text(room);
    return tell(wrong.empty() ? fmt::format("you are not in {}", with_mark(room)) : wrong);
  }
  membership_.leave(room);
  leave_and_tell(room, fmt::format("you left {}", with_mark(room)));
}

/// Looks elsewhere if need be, and says so.
void ChatSession::leave_and_tell(const std::string& room, const std::string& why) {
  const std::string before = model_.partner();
  model_.leave(with_mark(room));
  const std::string& now = model_.partner();
  if (now == before) return tell(why);
  tell(fmt::format("{}; {}", why, partner_text(now)));
  if (is_room(now)) show(rooms_.take_unread(without_mark(now), wall_clock_ns()));
  update_prompt();
}

void ChatSession::retry() {
  std::vector<ChatModel::Undelivered> lines = model_.take_undelivered();
  if (lines.empty()) return tell("everything said was delivered, or is on its way");
  for (ChatModel::Undelivered& line : lines) say(std::move(line));
}

/// Everybody, or who is in a room, or one person.
void ChatSession::show_who(const std::string& whom) {
  if (is_room(whom)) {
    const std::string wrong = wrong_room_text(without_mark(whom));
    if (!wrong.empty()) return tell(wrong);
  }
  if (!peer_.connected()) return tell("the broker is away; ask again when it is back");
  lookup_.ask([this, whom](const PeopleLookup::People& people) { tell_who(whom, people); });
  // A script's next line may be the end.
  while (!terminal_.is_interactive() && lookup_.is_under_way() && handle_events()) {
    wait_for_events(kPollMs, false);
  }
}

void ChatSession::tell_who(const std::string& whom, const PeopleLookup::People& people) {
  if (!people) return tell("no answer from the broker: " + visible_line(people.error().text));
  std::vector<PeerInfo> peers = *people;
  std::erase_if(peers, [&](const PeerInfo& each) {
    if (each.name == peer_.name()) return true;
    if (whom.empty()) return false;
    if (!is_room(whom)) return each.name != whom;
    return std::ranges::count(rooms_in(each.metadata), without_mark(whom)) == 0;
  });
  if (!peers.empty()) return tell(people_list(peers, wall_clock_ns()));
  if (whom.empty()) return tell("nobody else is here");
  if (whom == peer_.name()) return tell(whom + " is you");
  tell(is_room(whom) ? fmt::format("nobody else is in {}", whom)
                     : fmt::format("nobody named {} is here", visible_line(whom)));
}

}  // namespace zpost::cli
