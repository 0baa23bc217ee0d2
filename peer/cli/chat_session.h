// A chat: the peer, the terminal and the model together.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "peer/cli/chat_command.h"
#include "peer/cli/chat_model.h"
#include "peer/cli/chat_terminal.h"
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
  };

  /// `watched`: whose coming and going is told, besides the partner's; empty `partner`: whoever
  /// writes first.
  ChatSession(const Parts& parts, std::string partner, const std::vector<std::string>& watched);

  /// Until /quit, the end of the input, a signal, the end of the session, or nobody sees the lines
  /// any more. `peer` must have TakeMode::kExplicit: a message that was not shown is not taken.
  [[nodiscard]] ExitCode run();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void greet();
  [[nodiscard]] bool wait_for_input();
  bool handle_events();
  void read_signals();
  void receive_messages();
  void reject(const peer::Message& request);
  void wait_for_events(int timeout_ms, bool input);
  void act(const ChatCommand& command);
  void say(ChatModel::Undelivered line);
  [[nodiscard]] peer::Answer<std::uint64_t> send_patiently(const ChatModel::Undelivered& line);
  void turn_to(const std::string& name);
  void retry();
  void show_who();
  void take_leave();
  void watch(const std::string& name);
  void update_prompt();
  void show(const ChatLines& lines);
  void tell(std::string text);
  void on_state(const peer::StateChange& change);
  [[nodiscard]] int milliseconds_to_wait() const;

  [[nodiscard]] bool is_leaving() const { return stopped_ || refused_ || quitting_ || unseen_; }

  peer::Peer& peer_;
  ChatTerminal& terminal_;
  SignalDescriptor& signals_;
  View view_;
  ChatModel model_;
  Refusals refusals_;
  std::vector<std::string> watched_;
  bool stopped_ = false;   // By a signal.
  bool refused_ = false;   // By the broker.
  bool quitting_ = false;  // By /quit.
  bool unseen_ = false;    // What is shown does not arrive.
  bool input_ready_ = false;
};

}  // namespace zpost::cli
