#include "peer/cli/chat_session.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "peer/cli/chat_completion.h"
#include "peer/cli/chat_lists.h"
#include "peer/cli/file_saver.h"
#include "peer/cli/room_names.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;
using PeerInfo = peer::Peer::PeerInfo;

constexpr milliseconds kWhoTimeout{1500};
constexpr milliseconds kLastOutcomes{2000};    // Of a person who leaves.
constexpr milliseconds kPipeOutcomes{10'000};  // Of a script.
constexpr int kLongestPollMs = 1000;
constexpr milliseconds kComingBack{6000};  // Others' longest pause between attempts, and some.

}  // namespace

ChatSession::ChatSession(const Parts& parts, Wishes wishes)
    : peer_(parts.peer),
      terminal_(parts.terminal),
      signals_(parts.signals),
      view_(parts.view),
      model_(parts.peer.name(), std::move(wishes.partner)),
      rooms_(parts.peer.name(), parts.terminal.is_interactive() ? ChatRooms::Elsewhere::kHeld
                                                                : ChatRooms::Elsewhere::kShown),
      membership_(parts.peer, rooms_, parts.metadata),
      refusals_(parts.peer),
      lookup_(parts.peer),
      to_join_(std::move(wishes.rooms)) {
  // The first welcome is no news.
  while (peer_.next_state(milliseconds(0))) {
  }
  terminal_.set_completer(
      [this](std::string_view before) { return complete(before, known_words()); });
  update_prompt();
  for (const std::string& name : wishes.watched) model_.watch(name);
  (void)peer_.watch("*");  // It fails only when the session is over, which is noticed anyway.
}

ExitCode ChatSession::run() {
  greet();
  while (!is_leaving()) {
    const auto line = terminal_.read_line([this] { return wait_for_input(); });
    if (!line) break;
    act(parse_chat_command(*line));
    handle_events();
  }
  take_leave();
  if (refused_) return ExitCode::kRefused;
  if (terminal_.failed()) return ExitCode::kFailed;
  const bool all_said = !unsaid_ && model_.undelivered() + model_.under_way() == 0;
  const bool failed = !terminal_.is_interactive() && !all_said;
  return failed ? ExitCode::kNotDelivered : ExitCode::kAsWanted;
}

void ChatSession::greet() {
  tell(fmt::format("you are {} at {}; /help lists the commands", peer_.name(), peer_.endpoint()));
  const bool known = look_around();
  const std::string partner = model_.partner();
  for (const std::string& room : to_join_) {
    if (join(room)) tell(room_text(rooms_, room));
  }
  if (partner.empty()) return tell("whoever writes first is who you talk with; or say /to NAME");
  if (model_.partner() != partner) return;  // The room could not be joined, which was told.
  if (is_room(partner)) {
    if (rooms_.joined().size() > 1) tell("you talk in " + partner);
    return;
  }
  if (partner == peer_.name()) return tell(fmt::format("you talk with {}, which is you", partner));
  const bool is_absent = known && !model_.here().contains(partner);
  tell(fmt::format("you talk with {}{}", partner, is_absent ? ", who is not here yet" : ""));
}

/// Who is here at the beginning. False: the broker did not say.
bool ChatSession::look_around() {
  const auto peers = peer_.who(kWhoTimeout);
  if (!peers) return false;
  std::set<std::string> here;
  for (const PeerInfo& each : *peers) {
    if (each.name != peer_.name()) here.insert(each.name);
  }
  tell(here.empty() ? "nobody else is here yet"
                    : "here: " + enumerated({here.begin(), here.end()}));
  model_.set_here(std::move(here));
  rooms_.set_people(*peers);
  // What the watch said is older than the list, but for who came and went since.
  while (const auto change = peer_.next_presence(milliseconds(0))) {
    if (change->event != "present") on_presence(*change);
  }
  return true;
}

/// For the terminal. It is called again and again while a line is typed.
bool ChatSession::wait_for_input() {
  input_ready_ = false;
  while (handle_events()) {
    if (input_ready_) return true;
    wait_for_events(milliseconds_to_wait(), true);
  }
  return false;
}

int ChatSession::milliseconds_to_wait() const {
  milliseconds wait{kLongestPollMs};
  if (const auto next = partings_.next()) {
    wait = std::min(wait, std::chrono::ceil<milliseconds>(*next - Clock::now()));
  }
  if (const std::optional<std::uint64_t> next = model_.next_wait()) {
    const std::uint64_t now = wall_clock_ns();
    const std::uint64_t ms = *next <= now ? 0 : (*next - now) / 1'000'000 + 1;
    wait = std::min(wait, milliseconds(std::min<std::uint64_t>(ms, kLongestPollMs)));
  }
  return static_cast<int>(std::max(wait, milliseconds(0)).count());
}

void ChatSession::wait_for_events(int timeout_ms, bool input) {
  pollfd waited[] = {{signals_.descriptor(), POLLIN, 0},
                     {peer_.descriptor(), POLLIN, 0},
                     {lookup_.descriptor(), POLLIN, 0},
                     {input ? STDIN_FILENO : -1, POLLIN, 0}};
  if (::poll(waited, std::size(waited), timeout_ms) <= 0) return;
  if (waited[3].revents != 0) input_ready_ = true;
}

/// Everything but input. False: it is time to leave.
bool ChatSession::handle_events() {
  read_signals();
  while (const auto change = peer_.next_state(milliseconds(0))) on_state(*change);
  while (const auto change = peer_.next_presence(milliseconds(0))) on_presence(*change);
  while (const auto report = peer_.next_outcome(milliseconds(0))) on_outcome(*report);
  receive_messages();
  tell_partings(Clock::now());
  lookup_.deliver();
  show(model_.waited(wall_clock_ns()));
  if (count_again_at_ && Clock::now() >= *count_again_at_) count_again();
  update_prompt();
  return !is_leaving();
}

void ChatSession::on_outcome(const peer::OutcomeReport& report) {
  // It says who is there and did not hear it.
  if (report.outcome == Outcome::kNoSubscriber) tell_partings(SteadyTime::max());
  if (model_.is_under_way(report.id)) {
    return show(rooms_.with_people(model_.settled(report, wall_clock_ns())));
  }
  const auto refusal = membership_.settled(report);
  if (!refusal) return;
  if (refusal->room.empty()) return tell("others do not see your rooms: " + refusal->reason);
  leave_and_tell(refusal->room,
                 "you are not in " + with_mark(refusal->room) + ": " + refusal->reason);
}

void ChatSession::on_presence(const peer::PresenceChange& change) {
  if (change.peer == peer_.name()) return;
  if (lookup_.is_under_way()) moved_.insert(change.peer);
  if (const auto before = partings_.take(change.peer)) {
    receive_messages();  // It waits no longer.
    tell_presence(*before);
  }
  if (rooms_.is_leaving(change)) return partings_.hold(change, Clock::now());
  tell_presence(change);
}

/// Of those who left and have had time for last words, or of all.
void ChatSession::tell_partings(SteadyTime until) {
  while (const auto change = partings_.take_due(until)) tell_presence(*change);
}

void ChatSession::tell_presence(const peer::PresenceChange& change) {
  const std::uint64_t now = wall_clock_ns();
  ChatLines lines = rooms_.presence(change, now);
  for (ChatLine& line : lines) {
    if (change.event != "left") line.text += model_.undelivered_text(with_mark(line.room));
  }
  const ChatLines alone = model_.presence(change, now);
  // Of somebody one knows it is enough that he left.
  if (change.event == "left" && !alone.empty()) return show(alone);
  show(alone);
  show(lines);
}

/// Tells what was not told: who did not come back to another run of the broker.
void ChatSession::count_again() {
  count_again_at_.reset();
  if (!lookup_.is_under_way()) moved_.clear();
  lookup_.ask([this](const PeopleLookup::People& people) { on_count(people); });
}

void ChatSession::on_count(const PeopleLookup::People& people) {
  if (!people) return;
  const std::set<std::string> moved = std::exchange(moved_, {});
  std::set<std::string> gone = model_.here();
  for (const PeerInfo& each : *people) {
    gone.erase(each.name);
    if (each.state == "expected" || moved.contains(each.name)) continue;
    on_presence({.event = "present", .peer = each.name, .metadata = each.metadata});
  }
  for (const std::string& name : gone) {
    if (!moved.contains(name)) on_presence({.event = "left", .peer = name});
  }
}

void ChatSession::read_signals() {
  while (const int signal = signals_.next()) {
    if (signal == SIGWINCH || signal == SIGCONT) {
      terminal_.redraw();
    } else if (signal == SIGINT && terminal_.discard_input()) {
      tell("what you typed is cleared; Ctrl-C again leaves");
    } else {
      stopped_ = true;
    }
  }
}

void ChatSession::receive_messages() {
  while (!unseen_) {
    const auto message = peer_.receive(milliseconds(0));
    if (!message) return;
    if (message->kind == Kind::kRequest) {
      reject(*message);
    } else if (message->kind == Kind::kGap) {
      show(rooms_.missed(message->gap, wall_clock_ns()));
    } else {
      show(model_.received(*message, wall_clock_ns()));
    }
    if (!unseen_) peer_.take();
  }
}

void ChatSession::reject(const peer::Message& request) {
  const bool is_file = request.content_type == kOfferType;
  const std::string reason = is_file
                                 ? takes_no_files(peer_.name())
                                 : peer_.name() + " is a person in a chat and answers no requests";
  if (!refusals_.say_no(request.from, request.id, reason)) return;
  if (is_file) {
    return tell(fmt::format("{} has a file for you; a chat takes none, zpost-peer recv --save does",
                            request.from));
  }
  tell(fmt::format("a program of {} asked something; it was told that this is a chat",
                   request.from));
}

void ChatSession::on_state(const peer::StateChange& change) {
  if (change.final) refused_ = true;
  const bool anew = change.state == peer::StateChange::State::kConnected && !change.resumed;
  if (anew) count_again_at_ = Clock::now() + kComingBack;
  std::string text = state_text(change);
  if (text.empty()) return;
  show({{.kind = ChatLine::Kind::kState, .time_ns = wall_clock_ns(), .text = std::move(text)}});
}

void ChatSession::take_leave() {
  const SteadyTime deadline =
      Clock::now() + (terminal_.is_interactive() ? kLastOutcomes : kPipeOutcomes);
  while (model_.under_way() > 0 && !stopped_ && !refused_ && !unseen_ && Clock::now() < deadline) {
    wait_for_events(20, false);
    handle_events();
  }
  if (model_.under_way() > 0) {
    tell(fmt::format("{} may or may not arrive", counted(model_.under_way(), "line")));
  }
  if (model_.undelivered() > 0) {
    tell(fmt::format("{} not delivered", counted(model_.undelivered(), "line")));
  }
  tell_partings(SteadyTime::max());
  tell_unread();
  if (std::string text = refusals_.dropped_text(); !text.empty()) tell(std::move(text));
  peer_.close(milliseconds(0));
}

KnownWords ChatSession::known_words() const {
  KnownWords known{.commands = chat_command_words(),
                   .joined = rooms_.joined(),
                   .rooms = rooms_.known(),
                   .people = {model_.here().begin(), model_.here().end()}};
  return known;
}

void ChatSession::update_prompt() {
  std::string prompt = chat_prompt(model_.partner(), rooms_, terminal_.columns() / 2);
  if (prompt == prompt_) return;
  prompt_ = std::move(prompt);
  terminal_.set_prompt(prompt_);
}

void ChatSession::show(const ChatLines& lines) {
  std::string text;
  for (const ChatLine& line : rooms_.admit(lines, model_.partner())) text += view_(line);
  if (!text.empty() && !terminal_.print(text)) unseen_ = true;
}

void ChatSession::tell_unread() {
  std::vector<std::string> unread;
  for (const std::string& room : rooms_.joined()) {
    if (rooms_.unread(room) == 0) continue;
    unread.push_back(fmt::format("{} {}", with_mark(room), rooms_.unread(room)));
  }
  if (!unread.empty()) tell("not read: " + enumerated(unread));
}

void ChatSession::tell(std::string text) {
  show({{.time_ns = wall_clock_ns(), .text = std::move(text)}});
}

}  // namespace zpost::cli
