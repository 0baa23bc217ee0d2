// A chat: the peer, the terminal and the model together.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "peer/cli/chat_command.h"
#include "peer/cli/chat_model.h"
#include "peer/cli/chat_rooms.h"
#include "peer/cli/chat_terminal.h"
#include "peer/cli/partings.h"
#include "peer/cli/people_lookup.h"
#include "peer/cli/room_membership.h"
#include "peer/cli/shared/exit_code.h"
#include "peer/cli/shared/refusals.h"
#include "peer/cli/signal_descriptor.h"
#include "zpost/peer/peer.h"

namespace zpost::cli {

/// Thread: one. `signals` must hold SIGINT, SIGTERM, SIGHUP, SIGWINCH and SIGCONT.
class ChatSession {
 public:
  /// How a line looks.
  using View = std::function<std::string(const ChatLine&)>;

  struct Parts {
    peer::Peer& peer;
    ChatTerminal& terminal;
    SignalDescriptor& signals;
    View view;
    Metadata metadata = {};  // What others see of the peer besides its rooms.
  };

  struct Wishes {
    std::string partner = {};               // `bob` or `#dev`; empty: whoever writes first.
    std::vector<std::string> watched = {};  // Whose coming and going is told as well.
    std::vector<std::string> rooms = {};    // To be joined.
  };

  ChatSession(const Parts& parts, Wishes wishes);

  /// Until /quit, the end of the input, a signal, the end of the session, or nobody sees the lines
  /// any more. `peer` must have TakeMode::kExplicit: a message that was not shown is not taken.
  [[nodiscard]] ExitCode run();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void greet();
  bool look_around();
  [[nodiscard]] bool wait_for_input();
  bool handle_events();
  void read_signals();
  void receive_messages();
  void reject(const peer::Message& request);
  void wait_for_events(int timeout_ms, bool input);
  void act(const ChatCommand& command);
  void say(ChatModel::Undelivered line);
  [[nodiscard]] peer::Answer<std::uint64_t> send_patiently(const ChatModel::Undelivered& line);
  [[nodiscard]] peer::Answer<std::uint64_t> try_to_say(const ChatModel::Undelivered& line);
  void turn_to(const std::string& partner);
  void say_to(const ChatCommand& msg);
  bool join(const std::string& room);
  void join_and_look(const std::string& room);
  void look_into(const std::string& room);
  void leave(const std::string& room);
  void leave_and_tell(const std::string& room, const std::string& why);
  void retry();
  void show_who(const std::string& whom);
  void tell_who(const std::string& whom, const PeopleLookup::People& people);
  [[nodiscard]] std::string room_hint(const std::string& name) const;
  void take_leave();
  void tell_unread();
  void on_presence(const peer::PresenceChange& change);
  void tell_presence(const peer::PresenceChange& change);
  void tell_partings(SteadyTime until);
  void on_outcome(const peer::OutcomeReport& report);
  void count_again();
  void on_count(const PeopleLookup::People& people);
  [[nodiscard]] KnownWords known_words() const;
  void update_prompt();
  void show(const ChatLines& lines);
  void tell(std::string text);
  /// The same, of a line that did nothing.
  void refuse(std::string text);
  void on_state(const peer::StateChange& change);
  [[nodiscard]] int milliseconds_to_wait() const;

  [[nodiscard]] bool is_leaving() const { return stopped_ || refused_ || quitting_ || unseen_; }

  peer::Peer& peer_;
  ChatTerminal& terminal_;
  SignalDescriptor& signals_;
  View view_;
  ChatModel model_;
  ChatRooms rooms_;
  RoomMembership membership_;
  Refusals refusals_;
  PeopleLookup lookup_;
  Partings partings_;
  std::set<std::string> moved_;  // Who came or went while count_again() waits: it knows less.
  std::vector<std::string> to_join_;
  std::string prompt_;
  /// When to ask who is here, since another run of the broker cannot tell who did not come back.
  std::optional<SteadyTime> count_again_at_;
  bool stopped_ = false;   // By a signal.
  bool refused_ = false;   // By the broker.
  bool quitting_ = false;  // By /quit.
  bool unseen_ = false;    // What is shown does not arrive.
  bool unsaid_ = false;    // A line did nothing.
  bool input_ready_ = false;
};

}  // namespace zpost::cli
