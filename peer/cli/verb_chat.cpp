// zpost-peer chat: people talk.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "peer/cli/chat_json.h"
#include "peer/cli/chat_session.h"
#include "peer/cli/chat_text.h"
#include "peer/cli/edited_terminal.h"
#include "peer/cli/plain_terminal.h"
#include "peer/cli/room_names.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/palette.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kChatFooter = R"(
Examples:
  zpost-peer chat --as alice --to bob
  zpost-peer chat --as alice bob carol       talk with bob, see carol come and go
  zpost-peer chat --as alice --join dev --join ops
  echo "the build is done" | zpost-peer chat --as ci --to alice

In the chat: /help, /to NAME, /msg NAME TEXT, /join ROOM, /leave, /rooms, /who, /retry, /quit.
A room is the topic room/ROOM: whoever subscribes to that hears it, chat or not.
Typed lines are kept below $XDG_STATE_HOME/zpost (~/.local/state/zpost).
Exit codes: 0 left, 1 standard output failed, 3 something piped in was not delivered, 4 no broker,
5 refused.)";

struct ChatOptions {
  CommonOptions common;
  std::string to;
  std::vector<std::string> names;
  std::vector<std::string> rooms;
};

std::string check_name(const std::string& text) {
  return is_name(text) ? "" : "\"" + text + "\" is not a name";
}

std::string check_room(const std::string& text) {
  return wrong_room_text(without_mark(text));
}

std::string check_partner(const std::string& text) {
  return is_room(text) ? check_room(text) : check_name(text);
}

/// Whoever chats has a name already.
std::string user_name() {
  const char* const user = std::getenv("USER");
  return user != nullptr && is_name(user) ? user : "";
}

bool can_edit(const ChatOptions& options) {
  const char* const terminal = std::getenv("TERM");
  return options.common.format == Format::kText && ::isatty(STDIN_FILENO) == 1 &&
         ::isatty(STDOUT_FILENO) == 1 && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

std::unique_ptr<ChatTerminal> open_terminal(const ChatOptions& options) {
  if (can_edit(options)) return std::make_unique<EditedTerminal>(history_path());
  return std::make_unique<PlainTerminal>();
}

/// `terminal` must outlive it.
ChatSession::View view_of(const ChatOptions& options, const ChatTerminal& terminal) {
  if (options.common.format == Format::kJson) return chat_json;
  return [palette = Palette(wants_colour(STDOUT_FILENO)), &terminal](const ChatLine& line) {
    const std::size_t columns = terminal.is_interactive() ? terminal.columns() : 0;
    return chat_text(line, {palette, columns}, wall_clock_ns());
  };
}

/// The first that is named is whom one talks with: --to, then a NAME, then a room.
ChatSession::Wishes wishes_of(const ChatOptions& options) {
  ChatSession::Wishes wishes{.partner = options.to, .watched = options.names};
  for (const std::string& room : options.rooms) wishes.rooms.emplace_back(without_mark(room));
  if (is_room(options.to)) {
    wishes.rooms.insert(wishes.rooms.begin(), std::string(without_mark(options.to)));
  }
  if (wishes.partner.empty() && !options.names.empty()) wishes.partner = options.names.front();
  if (wishes.partner.empty() && !wishes.rooms.empty()) {
    wishes.partner = with_mark(wishes.rooms.front());
  }
  return wishes;
}

ExitCode run(ChatOptions& options, const std::string& software) {
  SignalDescriptor signals{SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT};
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kAll;
  wanted.take = peer::TakeMode::kExplicit;
  wanted.window_frames = 8;  // What a screen cannot show at once may wait at the broker.
  if (options.common.name.empty()) options.common.name = user_name();
  Metadata metadata;
  if (!options.common.display.empty()) metadata["display"] = options.common.display;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  const std::unique_ptr<ChatTerminal> terminal = open_terminal(options);
  return ChatSession({*peer, *terminal, signals, view_of(options, *terminal), metadata},
                     wishes_of(options))
      .run();
}

}  // namespace

void add_chat_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("chat", "Talk with people");
  verb->footer(kChatFooter);
  const auto options = std::make_shared<ChatOptions>();
  verb->add_option("NAME", options->names,
                   "Whose coming and going is shown; the first is who you talk with")
      ->check(check_name)
      ->option_text("...");
  verb->add_option("--to", options->to, "Who you talk with (default: who writes first), or a room")
      ->check(check_partner)
      ->option_text("NAME|#ROOM");
  verb->add_option("--join", options->rooms, "Be in this room; may be given several times")
      ->check(check_room)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->option_text("ROOM");
  add_connection_options(*verb, options->common);
  add_display_option(*verb, options->common);
  add_format_option(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::cli
