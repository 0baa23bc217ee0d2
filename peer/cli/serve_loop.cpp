#include "peer/cli/serve_loop.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "peer/cli/file_saver.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr milliseconds kGraceAtEnd{3000};     // For running commands.
constexpr milliseconds kPatienceAtEnd{2000};  // For requesters to take their replies.
constexpr milliseconds kRetry{20};            // Room for a reply has no descriptor.
constexpr std::size_t kReplyHeader = 1024;    // Room for an envelope around the output.

}  // namespace

ServeLoop::ServeLoop(const ServeOptions& options, peer::Peer& peer, SignalDescriptor& signals)
    : options_(options),
      peer_(peer),
      signals_(signals),
      watch_(peer),
      replies_({[this](const QueuedReply& reply) { return send(reply); }, complain}) {
  peer_.on_outcome([service = options.service](const peer::OutcomeReport& report) {
    if (is_success(report.outcome)) return;
    if (!service.empty() && report.to == service) {
      return complain(fmt::format("the broker does not take the offer of {}: {}", service,
                                  outcome_text(report.outcome, report.to, report.text)));
    }
    complain(fmt::format("reply to {} not delivered: {}", report.to,
                         outcome_text(report.outcome, report.to, report.text)));
  });
}

bool ServeLoop::has_room() const {
  const bool more = options_.count == 0 || started_ < options_.count;
  // A call that is not taken goes to another worker, so none is refused at the end.
  if (stops_ > 0 && !options_.service.empty()) return false;
  return stops_ > 0 || (more && jobs_.size() < options_.concurrency);
}

bool ServeLoop::is_last_job_done() const {
  const bool no_more = stops_ > 0 || (options_.count > 0 && started_ >= options_.count);
  return no_more && jobs_.empty();
}

bool ServeLoop::is_done() const {
  if (watch_.is_over()) return true;
  return is_last_job_done() && (replies_.empty() || Clock::now() >= leave_at_);
}

ExitCode ServeLoop::run() {
  take_requests();
  while (!is_done()) {
    wait();
    read_signals();
    stop_cancelled();
    advance_jobs();
    retry_replies();
    take_requests();
    prepare_to_leave();
  }
  jobs_.clear();
  replies_.give_up();
  const auto left = std::chrono::ceil<milliseconds>(leave_at_ - Clock::now());
  peer_.close(std::clamp(left, milliseconds(0), kPatienceAtEnd));
  return watch_.is_over() ? ExitCode::kRefused : ExitCode::kAsWanted;
}

void ServeLoop::prepare_to_leave() {
  if (leave_at_ == SteadyTime::max() && is_last_job_done())
    leave_at_ = Clock::now() + kPatienceAtEnd;
}

void ServeLoop::retry_replies() {
  const SteadyTime now = Clock::now();
  if (now < retry_at_) return;
  replies_.retry();
  retry_at_ = now + kRetry;
}

void ServeLoop::take_requests() {
  while (has_room()) {
    const std::optional<peer::Message> message = peer_.receive(milliseconds(0));
    if (!message) return;
    handle(*message);
  }
}

void ServeLoop::handle(const peer::Message& message) {
  if (message.kind != Kind::kRequest && message.kind != Kind::kCall) {
    return complain(fmt::format("ignored an envelope from {}: only requests are served",
                                message.from.empty() ? "the broker" : message.from));
  }
  if (message.content_type == kOfferType) {
    return reject(message.from, message.id, takes_no_files(peer_.name()));
  }
  if (stops_ > 0) return reject(message.from, message.id, peer_.name() + " is shutting down");
  start(message);
}

void ServeLoop::start(const peer::Message& request) {
  ++started_;
  // Whose command began may not go to another worker as if nothing had happened.
  peer_.take();
  const SteadyTime now = Clock::now();
  CommandSpec spec;
  spec.arguments = options_.command;
  // A variable cannot hold a zero byte; the content type is the only one that could.
  spec.environment = {"TRACEPARENT=" + request.trace,
                      "ZPOST_FROM=" + request.from,
                      "ZPOST_ID=" + std::to_string(request.id),
                      "ZPOST_CONTENT_TYPE=" + request.content_type,
                      "ZPOST_SERVICE=" + (request.kind == Kind::kCall ? request.to : ""),
                      "ZPOST_ATTEMPT=" + std::to_string(std::max<std::uint64_t>(request.again, 1))};
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
  if (!replies_.empty()) next = std::min(next, retry_at_);
  // The session's end has no descriptor, nor has a cancel while there is no room for requests.
  const milliseconds longest{jobs_.empty() ? 500 : 100};
  const SteadyTime now = Clock::now();
  if (next <= now) return 0;
  if (next - now >= longest) return static_cast<int>(longest.count());
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
    // Others get the calls that wait.
    if (++stops_ == 1 && !options_.service.empty()) (void)peer_.withdraw(options_.service);
    if (leave_at_ != SteadyTime::max()) leave_at_ = Clock::now();
    stop_jobs_at_ = stops_ == 1 ? Clock::now() + kGraceAtEnd : Clock::now();
  }
}

void ServeLoop::advance_jobs() {
  const SteadyTime now = Clock::now();
  const bool stop = now >= stop_jobs_at_;
  if (stop) stop_jobs_at_ = SteadyTime::max();
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    if (stop) job->command.stop(CommandEnd::Kind::kStopped, now);
    job = advance(*job, now) ? jobs_.erase(job) : std::next(job);
  }
}

/// True: it is over.
bool ServeLoop::advance(Job& job, SteadyTime now) {
  if (!job.end) {
    job.command.hold_output(!job.lines.empty());
    job.end = job.command.advance(now);
    if (options_.stream) read_lines(job);
  }
  const bool wanted = !job.end || job.end->kind != CommandEnd::Kind::kCancelled;
  // A requester that takes nothing gets no more to take: the command waits.
  while (wanted && !job.lines.empty() && !replies_.holds(job.from)) {
    std::string line = job.lines.take();
    job.answered_bytes += line.size();
    replies_.put({job.from, job.id, false, std::move(line), true});
  }
  if (!job.end || (wanted && !job.lines.empty())) return false;
  answer(job, *job.end);
  return true;
}

/// Requests and calls whose outcome is known: nobody waits for what their commands do.
void ServeLoop::stop_cancelled() {
  while (const auto cancelled = peer_.next_cancellation(milliseconds(0))) {
    for (Job& job : jobs_) {
      if (job.from != cancelled->from || job.id != cancelled->id) continue;
      job.command.stop(CommandEnd::Kind::kCancelled, Clock::now());
      if (job.end) job.end->kind = CommandEnd::Kind::kCancelled;  // Its lines still waited.
    }
  }
}

void ServeLoop::read_lines(Job& job) {
  job.lines.add(job.end ? std::exchange(job.end->output, {}) : job.command.take_output());
  if (job.end) return job.lines.finish();
  if (job.lines.open_bytes() <= peer_.welcome().max_envelope_bytes - kReplyHeader) return;
  job.command.stop(CommandEnd::Kind::kTooMuchOutput, Clock::now());
  job.lines.skip_line();
}

void ServeLoop::answer(const Job& job, const CommandEnd& end) {
  const std::string& program = options_.command.front();
  if (end.kind == CommandEnd::Kind::kCancelled) {
    if (options_.verbose) note(fmt::format("{} cancelled its request", job.from));
    return;
  }
  if (!end.succeeded()) {
    const std::string reason = rejection_text(program, end);
    complain(fmt::format("said no to {}: {}", job.from, reason));
    return reject(job.from, job.id, reason);
  }
  replies_.put({job.from, job.id, false, end.output});
  if (!options_.verbose) return;
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - job.since);
  note(fmt::format("{} {}: {} in, {} out, {}", local_time_ms(wall_clock_ns()), job.from,
                   size_text(job.asked_bytes), size_text(job.answered_bytes + end.output.size()),
                   duration_text(took)));
}

void ServeLoop::reject(const std::string& to, std::uint64_t id, const std::string& reason) {
  replies_.put({to, id, true, reason});
}

/// For the queue. False: there is no room now.
bool ServeLoop::send(const QueuedReply& reply) {
  peer::SendOptions how{options_.content_type, is_utf8(reply.body), true, milliseconds(0)};
  how.more = reply.more;
  const auto sent = reply.rejected ? peer_.reject(reply.to, reply.id, reply.body, how)
                                   : peer_.reply(reply.to, reply.id, as_bytes(reply.body), how);
  if (sent) return true;
  const peer::Failure& failure = sent.error();
  if (failure.fault == peer::Fault::kTimedOut || failure.fault == peer::Fault::kWouldBlock) {
    return false;
  }
  const std::string reason = "cannot reply: " + visible_line(failure.text);
  if (failure.fault == peer::Fault::kInvalid && !reply.rejected) {
    // The broker may have become one with a smaller limit since the command started.
    if (!send({reply.to, reply.id, true, reason})) return false;
  }
  complain(fmt::format("{}: {}", reply.to, reason));
  return true;
}

}  // namespace zpost::cli
