#include "peer/cli/chat_session.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "peer/cli/file_saver.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/who_table.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr milliseconds kWhoTimeout{1500};
constexpr milliseconds kLastOutcomes{2000};    // Of a person who leaves.
constexpr milliseconds kPipeOutcomes{10'000};  // Of a script.
constexpr int kLongestPollMs = 1000;

}  // namespace

ChatSession::ChatSession(const Parts& parts, std::string partner,
                         const std::vector<std::string>& watched)
    : peer_(parts.peer),
      terminal_(parts.terminal),
      signals_(parts.signals),
      view_(parts.view),
      model_(parts.peer.name(), std::move(partner)),
      refusals_(parts.peer) {
  // The first welcome is no news.
  while (peer_.next_state(milliseconds(0))) {
  }
  update_prompt();
  if (!model_.partner().empty()) watch(model_.partner());
  for (const std::string& name : watched) watch(name);
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
  const bool failed = !terminal_.is_interactive() && model_.undelivered() + model_.under_way() > 0;
  return failed ? ExitCode::kNotDelivered : ExitCode::kAsWanted;
}

void ChatSession::greet() {
  tell(fmt::format("you are {} at {}; /help lists the commands", peer_.name(), peer_.endpoint()));
  const auto peers = peer_.who(kWhoTimeout);
  std::set<std::string> here;
  std::string names;
  if (peers) {
    for (const PeerInfo& each : *peers) {
      if (each.name != peer_.name()) here.insert(each.name);
    }
  }
  for (const std::string& name : here) names += (names.empty() ? "" : ", ") + name;
  const std::string& partner = model_.partner();
  const bool partner_here = here.contains(partner);
  model_.set_here(std::move(here));
  if (peers) tell(names.empty() ? "nobody else is here yet" : "here: " + names);
  if (partner.empty()) return tell("whoever writes first is who you talk with; or say /to NAME");
  tell(fmt::format("you talk with {}{}", partner,
                   partner_here || !peers ? "" : ", who is not here yet"));
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
  const std::optional<std::uint64_t> next = model_.next_wait();
  if (!next) return kLongestPollMs;
  const std::uint64_t now = wall_clock_ns();
  if (*next <= now) return 0;
  return static_cast<int>(std::min<std::uint64_t>((*next - now) / 1'000'000 + 1, kLongestPollMs));
}

void ChatSession::wait_for_events(int timeout_ms, bool input) {
  pollfd waited[] = {{signals_.descriptor(), POLLIN, 0},
                     {peer_.descriptor(), POLLIN, 0},
                     {input ? STDIN_FILENO : -1, POLLIN, 0}};
  if (::poll(waited, std::size(waited), timeout_ms) <= 0) return;
  if (waited[2].revents != 0) input_ready_ = true;
}

/// Everything but input. False: it is time to leave.
bool ChatSession::handle_events() {
  read_signals();
  while (const auto change = peer_.next_state(milliseconds(0))) on_state(*change);
  while (const auto change = peer_.next_presence(milliseconds(0))) {
    show(model_.presence(*change, wall_clock_ns()));
  }
  while (const auto report = peer_.next_outcome(milliseconds(0))) {
    show(model_.settled(*report, wall_clock_ns()));
  }
  receive_messages();
  show(model_.waited(wall_clock_ns()));
  return !is_leaving();
}

void ChatSession::read_signals() {
  while (const int signal = signals_.next()) {
    if (signal == SIGWINCH || signal == SIGCONT) {
      terminal_.redraw();
    } else if (signal != SIGINT || !terminal_.discard_input()) {
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
    } else {
      const std::string partner = model_.partner();
      show(model_.received(*message, wall_clock_ns()));
      if (!message->from.empty()) watch(message->from);
      if (partner != model_.partner()) update_prompt();
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
  std::string text = state_text(change);
  if (text.empty()) return;
  show({{.kind = ChatLine::Kind::kState, .time_ns = wall_clock_ns(), .text = std::move(text)}});
}

void ChatSession::act(const ChatCommand& command) {
  switch (command.kind) {
    case ChatCommand::Kind::kNothing:
      return;
    case ChatCommand::Kind::kSay:
      return say({model_.partner(), command.text});
    case ChatCommand::Kind::kHelp:
      return tell(chat_help());
    case ChatCommand::Kind::kWho:
      return show_who();
    case ChatCommand::Kind::kTo:
      return turn_to(command.text);
    case ChatCommand::Kind::kRetry:
      return retry();
    case ChatCommand::Kind::kQuit:
      quitting_ = true;
      return;
    case ChatCommand::Kind::kUnknown:
      return tell(fmt::format("{}: there is no such command; /help lists them, //text says /text",
                              visible_line(command.text)));
  }
}

void ChatSession::say(ChatModel::Undelivered line) {
  if (line.to.empty()) {
    return tell("not sent: you talk with nobody yet; /to NAME, then say it again");
  }
  line.text = as_utf8(line.text);
  const auto sent = send_patiently(line);
  const std::uint64_t now = wall_clock_ns();
  if (sent) return show(model_.sent(*sent, std::move(line), now));
  std::string reason = sent.error().fault == peer::Fault::kWouldBlock
                           ? line.to + " has not taken what was said before"
                           : visible_line(sent.error().text);
  show(model_.not_sent(std::move(line), std::move(reason), now));
}

/// A person is not kept waiting; a script may be.
peer::Answer<std::uint64_t> ChatSession::send_patiently(const ChatModel::Undelivered& line) {
  const peer::SendOptions how{{}, true, true};
  const auto patience = terminal_.is_interactive() ? milliseconds(0) : kPipeOutcomes;
  const SteadyTime deadline = Clock::now() + patience;
  for (;;) {
    auto sent = peer_.try_send(line.to, as_bytes(line.text), how);
    const bool blocked = !sent && sent.error().fault == peer::Fault::kWouldBlock;
    if (!blocked || Clock::now() >= deadline || !handle_events()) return sent;
    wait_for_events(10, false);
  }
}

void ChatSession::turn_to(const std::string& name) {
  if (name.empty()) {
    return tell(model_.partner().empty() ? "you talk with nobody yet: /to NAME"
                                         : "you talk with " + model_.partner());
  }
  if (!is_name(name)) return tell(fmt::format("\"{}\" is not a name", visible_line(name)));
  model_.set_partner(name);
  watch(name);
  update_prompt();
  tell("you talk with " + name + " now");
}

void ChatSession::retry() {
  std::vector<ChatModel::Undelivered> lines = model_.take_undelivered();
  if (lines.empty()) return tell("everything said was delivered, or is on its way");
  for (ChatModel::Undelivered& line : lines) say(std::move(line));
}

void ChatSession::show_who() {
  auto peers = peer_.who(kWhoTimeout);
  if (!peers) return tell("no answer from the broker: " + visible_line(peers.error().text));
  std::erase_if(*peers, [this](const PeerInfo& each) { return each.name == peer_.name(); });
  std::ranges::sort(*peers, {}, &PeerInfo::name);
  if (peers->empty()) return tell("nobody else is here");
  std::string text;
  for (const PeerInfo& each : *peers) {
    const auto display = each.metadata.find("display");
    text += text.empty() ? "" : "\n";
    text += fmt::format(
        "{}{}  since {} ago{}", each.name,
        display == each.metadata.end() ? "" : fmt::format(" ({})", visible_line(display->second)),
        age(each.since_ns, wall_clock_ns()), each.state == "active" ? "" : ", away");
  }
  tell(std::move(text));
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
  if (std::string text = refusals_.dropped_text(); !text.empty()) tell(std::move(text));
  peer_.close(milliseconds(0));
}

void ChatSession::watch(const std::string& name) {
  if (std::ranges::find(watched_, name) != watched_.end()) return;
  watched_.push_back(name);
  const peer::Answer<void> watching = peer_.watch(name);
  if (watching || is_leaving()) return;
  tell(fmt::format("{} is not watched: {}", name, visible_line(watching.error().text)));
}

void ChatSession::update_prompt() {
  const std::string& partner = model_.partner();
  terminal_.set_prompt(partner.empty() ? ">" : fmt::format("to {}>", partner));
}

void ChatSession::show(const ChatLines& lines) {
  std::string text;
  for (const ChatLine& line : lines) text += view_(line);
  if (!text.empty() && !terminal_.print(text)) unseen_ = true;
}

void ChatSession::tell(std::string text) {
  show({{.time_ns = wall_clock_ns(), .text = std::move(text)}});
}

}  // namespace zpost::cli
