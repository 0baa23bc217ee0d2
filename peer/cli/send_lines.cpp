#include "peer/cli/send_lines.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "peer/cli/body_source.h"
#include "peer/cli/line_splitter.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kInputChunk = 256 << 10;
constexpr milliseconds kInputGlance{100};  // How long a signal may go unnoticed without credit.

}  // namespace

ExitCode LineSender::send_stream(int descriptor) {
  LineSplitter splitter;
  std::vector<std::string_view> lines;
  std::vector<char> chunk(kInputChunk);
  const std::size_t limit = peer_.welcome().max_envelope_bytes;
  while (!stopped_()) {
    // A stream may pause for hours: outcomes are passed on meanwhile.
    pass_on_outcomes();
    if (!has_input(descriptor)) continue;
    const ssize_t count = ::read(descriptor, chunk.data(), chunk.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) {
      complain(fmt::format("cannot read: {}", std::strerror(errno)));
      return ExitCode::kUsage;
    }
    if (count == 0) {
      splitter.finish(lines);
      return send_lines(lines);
    }
    splitter.add({chunk.data(), static_cast<std::size_t>(count)}, lines);
    if (const ExitCode code = send_lines(lines); code != ExitCode::kAsWanted) return code;
    if (splitter.open_bytes() > limit) {
      report_.too_large(next_line_++,
                        fmt::format("more than {} bytes, the broker's limit", count_text(limit)));
      splitter.skip_line();
    }
  }
  return ExitCode::kAsWanted;
}

ExitCode LineSender::send_lines(const std::vector<std::string_view>& lines) {
  std::vector<Bytes> bodies;
  bodies.reserve(lines.size());
  for (auto line = lines.begin(); line != lines.end();) {
    // Neighbours of one sort go in one span.
    const bool text = is_utf8(*line);
    bodies.clear();
    for (; line != lines.end() && is_utf8(*line) == text; ++line) bodies.push_back(as_bytes(*line));
    if (const ExitCode code = send_span(bodies, text); code != ExitCode::kAsWanted) return code;
  }
  return ExitCode::kAsWanted;
}

ExitCode LineSender::send_one(std::string_view body, bool may_be_text) {
  const Bytes bodies[] = {as_bytes(body)};
  return send_span(bodies, may_be_text && is_utf8(body));
}

ExitCode LineSender::send_span(std::span<const Bytes> bodies, bool text) {
  milliseconds timeout = kInputGlance;
  Clock::time_point progress = Clock::now();
  std::size_t at_once = bodies.size();
  while (!bodies.empty()) {
    // What was read is sent even then, as far as there is credit now.
    const bool stopped = stopped_();
    if (stopped) timeout = milliseconds(0);
    const std::size_t count = std::min(at_once, bodies.size());
    const peer::Answer<peer::SentSpan> sent = send_now(bodies.first(count), text, timeout);
    if (sent) {
      report_.sent(sent->first, sent->count, next_line_);
      next_line_ += sent->count;
      bodies = bodies.subspan(sent->count);
      progress = Clock::now();
    } else if (sent.error().fault == peer::Fault::kInvalid && count > 1) {
      at_once = 1;  // One of them is too large. Which?
    } else if (sent.error().fault == peer::Fault::kInvalid) {
      // The recipient and the text were checked before: it is the size.
      report_.too_large(next_line_++, visible_line(sent.error().text));
      bodies = bodies.subspan(1);
      at_once = bodies.size();
    } else if (sent.error().fault != peer::Fault::kTimedOut) {
      complain(fmt::format("not sent: {}", visible_line(sent.error().text)));
      return exit_code_of(sent.error());
    }
    pass_on_outcomes();
    if (stopped && !sent && sent.error().fault == peer::Fault::kTimedOut) break;
    if (Clock::now() - progress >= task_.timeout) return give_up();
  }
  unsent_ += bodies.size();
  return ExitCode::kAsWanted;
}

peer::Answer<peer::SentSpan> LineSender::send_now(std::span<const Bytes> bodies, bool text,
                                                  milliseconds timeout) {
  if (!task_.publish) {
    peer::SendOptions how{task_.content_type, text, true, timeout};
    how.trace = task_.trace;
    return peer_.send(task_.to, bodies, how);
  }
  peer::PublishOptions options;
  options.content_type = task_.content_type;
  options.trace = task_.trace;
  options.text = text;
  options.stamp = true;
  options.retain = task_.publish->retain;
  options.wants_count = task_.publish->count;
  options.needs_subscriber = task_.publish->need_subscriber;
  options.timeout = timeout;
  return peer_.publish(task_.to, bodies, options);
}

ExitCode LineSender::give_up() const {
  const std::string how_long = duration_text(task_.timeout) + " (--timeout)";
  if (peer_.connected()) {
    complain(fmt::format("timed out: {} took nothing for {}{}", task_.to, how_long,
                         own_name_text(task_.to, peer_.name(), "only sends")));
    return ExitCode::kTimedOut;
  }
  complain(fmt::format("no broker at {} for {}", peer_.endpoint(), how_long));
  return ExitCode::kUnreachable;
}

void LineSender::pass_on_outcomes() {
  while (auto report = peer_.next_outcome(milliseconds(0))) {
    if (task_.publish) report->to = task_.to;  // All go to one topic.
    report_.settled(*report);
  }
}

}  // namespace zpost::cli
