// Answers requests by running a command for each.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "peer/cli/output_lines.h"
#include "peer/cli/reply_queue.h"
#include "peer/cli/shared/command.h"
#include "peer/cli/shared/exit_code.h"
#include "peer/cli/shared/options.h"
#include "peer/cli/shared/session_watch.h"
#include "peer/cli/signal_descriptor.h"
#include "zpost/peer/peer.h"

namespace zpost::cli {

struct ServeOptions {
  CommonOptions common;
  std::vector<std::string> command;
  std::string content_type;
  std::uint64_t concurrency = 1;
  std::uint64_t count = 0;  // 0: without end.
  std::chrono::milliseconds command_timeout = peer::kForever;
  std::string service;  // Offered besides; empty: none.
  bool stream = false;  // Every line of output is a reply.
  bool verbose = false;
};

/// Thread: one. `signals` must hold SIGINT, SIGTERM and SIGCHLD.
class ServeLoop {
 public:
  ServeLoop(const ServeOptions& options, peer::Peer& peer, SignalDescriptor& signals);

  /// Until a signal, `count`, or the end of the session. The first signal lets running commands
  /// end, the second stops them. Replies that find no room are tried for two seconds more.
  [[nodiscard]] ExitCode run();

 private:
  struct Job {
    std::string from;
    std::uint64_t id = 0;
    std::size_t asked_bytes = 0;
    SteadyTime since;
    Command command;
    OutputLines lines = {};  // Of a stream, not yet replied.
    std::optional<CommandEnd> end = {};
    std::size_t answered_bytes = 0;
  };

  void take_requests();
  void handle(const peer::Message& message);
  void start(const peer::Message& request);
  void wait();
  void read_signals();
  void advance_jobs();
  void stop_cancelled();
  [[nodiscard]] bool advance(Job& job, SteadyTime now);
  void read_lines(Job& job);
  void answer(const Job& job, const CommandEnd& end);
  void reject(const std::string& to, std::uint64_t id, const std::string& reason);
  [[nodiscard]] bool send(const QueuedReply& reply);
  void retry_replies();
  void prepare_to_leave();
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool is_last_job_done() const;
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] int poll_timeout() const;

  const ServeOptions& options_;
  peer::Peer& peer_;
  SignalDescriptor& signals_;
  SessionWatch watch_;
  std::list<Job> jobs_;
  ReplyQueue replies_;
  SteadyTime retry_at_ = SteadyTime::min();
  std::uint64_t started_ = 0;
  int stops_ = 0;  // Signals that ask to stop.
  SteadyTime stop_jobs_at_ = SteadyTime::max();
  SteadyTime leave_at_ = SteadyTime::max();  // Set when there is nothing left but replies.
};

}  // namespace zpost::cli
