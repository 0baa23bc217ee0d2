#include "peer/cli/serve_loop.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr milliseconds kGraceAtEnd{3000};       // For running commands.
constexpr milliseconds kPatienceToReply{2000};  // For a requester without room.
constexpr std::size_t kReplyHeader = 1024;      // Room for an envelope around the output.

}  // namespace

ServeLoop::ServeLoop(const ServeOptions& options, peer::Peer& peer, SignalDescriptor& signals)
    : options_(options), peer_(peer), signals_(signals), watch_(peer) {
  peer_.on_outcome([](const peer::OutcomeReport& report) {
    if (is_success(report.outcome)) return;
    complain(fmt::format("reply to {} not delivered: {}", report.to,
                         outcome_text(report.outcome, report.to, report.text)));
  });
}

bool ServeLoop::has_room() const {
  const bool more = options_.count == 0 || started_ < options_.count;
  return stops_ > 0 || (more && jobs_.size() < options_.concurrency);
}

bool ServeLoop::is_done() const {
  if (watch_.is_over()) return true;
  const bool no_more = stops_ > 0 || (options_.count > 0 && started_ >= options_.count);
  return no_more && jobs_.empty();
}

ExitCode ServeLoop::run() {
  take_requests();
  while (!is_done()) {
    wait();
    read_signals();
    advance_jobs();
    take_requests();
  }
  jobs_.clear();
  peer_.close(kPatienceToReply);
  return watch_.is_over() ? ExitCode::kRefused : ExitCode::kAsWanted;
}

/// A request counts as taken when the next is asked for, which is when there is room again.
void ServeLoop::take_requests() {
  while (has_room()) {
    const std::optional<peer::Message> message = peer_.receive(milliseconds(0));
    if (!message) return;
    handle(*message);
  }
}

void ServeLoop::handle(const peer::Message& message) {
  if (message.kind != Kind::kRequest) {
    return complain(fmt::format("ignored an envelope from {}: only requests are served",
                                message.from.empty() ? "the broker" : message.from));
  }
  if (stops_ > 0) return reject(message.from, message.id, peer_.name() + " is shutting down");
  start(message);
}

void ServeLoop::start(const peer::Message& request) {
  ++started_;
  const SteadyTime now = Clock::now();
  CommandSpec spec;
  spec.arguments = options_.command;
  // A variable cannot hold a zero byte; the content type is the only one that could.
  spec.environment = {"ZPOST_FROM=" + request.from, "ZPOST_ID=" + std::to_string(request.id),
                      "ZPOST_CONTENT_TYPE=" + request.content_type};
  spec.input = request.text();
  spec.output_limit = peer_.welcome().max_envelope_bytes - kReplyHeader;
  if (options_.command_timeout != peer::kForever) spec.deadline = now + options_.command_timeout;
  Result<Command> command = Command::start(std::move(spec));
  if (command) {
    jobs_.push_back({request.from, request.id, request.body.size(), now, std::move(*command)});
    return;
  }
  complain("cannot run " + command.error().text);
  reject(request.from, request.id, "cannot run " + as_utf8(command.error().text));
}

int ServeLoop::poll_timeout() const {
  SteadyTime next = stop_jobs_at_;
  for (const Job& job : jobs_) next = std::min(next, job.command.wake_at());
  constexpr milliseconds kLongest{500};  // The session's end has no descriptor.
  const SteadyTime now = Clock::now();
  if (next <= now) return 0;
  if (next - now >= kLongest) return static_cast<int>(kLongest.count());
  return static_cast<int>(std::chrono::ceil<milliseconds>(next - now).count());
}

void ServeLoop::wait() {
  std::vector<pollfd> descriptors{{signals_.descriptor(), POLLIN, 0}};
  if (has_room()) descriptors.push_back({peer_.descriptor(), POLLIN, 0});
  for (const Job& job : jobs_) job.command.add_descriptors(descriptors);
  (void)::poll(descriptors.data(), descriptors.size(), poll_timeout());
}

void ServeLoop::read_signals() {
  while (const int signal = signals_.next()) {
    if (signal == SIGCHLD) continue;
    ++stops_;
    stop_jobs_at_ = stops_ == 1 ? Clock::now() + kGraceAtEnd : Clock::now();
  }
}

void ServeLoop::advance_jobs() {
  const SteadyTime now = Clock::now();
  const bool stop = now >= stop_jobs_at_;
  if (stop) stop_jobs_at_ = SteadyTime::max();
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    if (stop) job->command.stop(CommandEnd::Kind::kStopped, now);
    const std::optional<CommandEnd> end = job->command.advance(now);
    if (end) answer(*job, *end);
    job = end ? jobs_.erase(job) : std::next(job);
  }
}

void ServeLoop::answer(const Job& job, const CommandEnd& end) {
  const std::string& program = options_.command.front();
  if (!end.succeeded()) {
    const std::string reason = rejection_text(program, end);
    complain(fmt::format("said no to {}: {}", job.from, reason));
    return reject(job.from, job.id, reason);
  }
  const peer::SendOptions how{options_.content_type, is_utf8(end.output), true, kPatienceToReply};
  const auto sent = peer_.reply(job.from, job.id, as_bytes(end.output), how);
  if (!sent) {
    complain(fmt::format("cannot reply to {}: {}", job.from, visible_line(sent.error().text)));
  } else if (options_.verbose) {
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - job.since);
    note(fmt::format("{} {}: {} in, {} out, {}", local_time_ms(wall_clock_ns()), job.from,
                     size_text(job.asked_bytes), size_text(end.output.size()),
                     duration_text(took)));
  }
}

void ServeLoop::reject(const std::string& to, std::uint64_t id, const std::string& reason) {
  const auto sent = peer_.reject(to, id, reason);
  if (!sent) {
    complain(fmt::format("cannot reply to {}: {}", to, visible_line(sent.error().text)));
  }
}

}  // namespace zpost::cli
