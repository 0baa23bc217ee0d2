#include "peer/cli/send_files.h"

#include <fmt/format.h>

#include "peer/cli/file_course.h"
#include "peer/cli/files/progress_text.h"
#include "peer/cli/files/rate_meter.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/json.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/refusals.h"
#include "peer/cli/shared/session_watch.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "zpost/peer/memory.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr milliseconds kBetweenFileLooks{100};

class FileSending {
 public:
  FileSending(const SendFilesOptions& options, peer::Peer& peer)
      : options_(options), peer_(peer), stop_(peer), watch_(peer), refusals_(peer) {}

  [[nodiscard]] ExitCode run() {
    ExitCode code = ExitCode::kAsWanted;
    for (const std::string& path : options_.paths) {
      const Result<SourceFile> file = SourceFile::open(path);
      if (!file) complain(file.error().text);
      const ExitCode one = file ? send(*file) : ExitCode::kFailed;
      if (code == ExitCode::kAsWanted) code = one;
      // The next file may fare better only if this one's trouble was its own.
      const bool own =
          one == ExitCode::kAsWanted || one == ExitCode::kFailed || one == ExitCode::kNotDelivered;
      if (!output_.flush() || !own) break;
    }
    peer_.close(milliseconds(1000));
    return code == ExitCode::kAsWanted && output_.failed() ? ExitCode::kFailed : code;
  }

 private:
  [[nodiscard]] ExitCode send(const SourceFile& file) {
    FileCourse course(peer_, options_.to, file, options_.timeout);
    const Clock::time_point began = Clock::now();
    meter_ = RateMeter();
    bool said_what_is_there = false;
    while (!stop_.asked() && !watch_.is_over() && course.advance()) {
      hear(course);
      const std::uint64_t there = course.began_at();
      if (!said_what_is_there && there > 0 && there < file.offer().size) {
        said_what_is_there = true;
        note(fmt::format("{} has {} of {} already; the rest follows", options_.to, size_text(there),
                         shown_name(file)));
      }
      show(course, file);
    }
    show_last_line("");
    if (watch_.is_over()) return ExitCode::kRefused;
    if (course.machine().has_ended()) return tell_end(course, file, began);
    return interrupted(course, file);
  }

  static std::string shown_name(const SourceFile& file) { return visible_line(file.offer().name); }

  void hear(FileCourse& course) {
    while (const auto message = peer_.receive(milliseconds(0))) {
      if (message->kind == Kind::kRequest) {
        (void)refusals_.say_no(message->from, message->id, peer_.name() + " only sends");
      } else if (message->from == options_.to && message->content_type == kStopType) {
        if (const auto stop = read_stop(message->body)) course.on_stop(*stop);
      } else if (message->content_type != kStopType) {
        complain(fmt::format("ignored an envelope from {}: this only sends",
                             message->from.empty() ? "the broker" : message->from));
      }
    }
    while (const auto report = peer_.next_outcome(milliseconds(0))) course.on_outcome(*report);
  }

  void show(const FileCourse& course, const SourceFile& file) {
    const Clock::time_point now = Clock::now();
    if (now - shown_ < kBetweenFileLooks) return;
    shown_ = now;
    const std::size_t columns = terminal_columns();
    if (columns < 2) return;
    const std::uint64_t position = course.position();
    meter_.note(position, now);
    const std::string what = course.is_checking()
                                 ? "checking " + shown_name(file)
                                 : fmt::format("{} to {}", shown_name(file), options_.to);
    show_last_line(
        progress_text({what, position, file.offer().size, meter_.bytes_per_second()}, columns - 1));
  }

  [[nodiscard]] ExitCode tell_end(const FileCourse& course, const SourceFile& file,
                                  Clock::time_point began) {
    const OutgoingFile::End& end = course.machine().end();
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    if (options_.common.format == Format::kJson) put_json(course, file, took);
    if (end.outcome != Outcome::kDelivered) return tell_failure(course, file);
    if (options_.common.format == Format::kText) tell_delivered(course, file, took);
    return ExitCode::kAsWanted;
  }

  void tell_delivered(const FileCourse& course, const SourceFile& file, milliseconds took) const {
    const OutgoingFile::End& end = course.machine().end();
    const std::uint64_t sent = file.offer().size - course.began_at();
    std::string text = fmt::format("{} to {}", shown_name(file), options_.to);
    if (end.saved_as != file.offer().name) text += " as " + visible_line(end.saved_as);
    if (sent == 0 && course.began_at() > 0) return note(text + ": was there already");
    text += fmt::format(": {} in {}", size_text(sent), took_text(took));
    if (const double rate = average_rate(sent, took); rate >= 1) text += ", " + rate_text(rate);
    if (course.began_at() > 0) {
      text += fmt::format(" ({} were there)", size_text(course.began_at()));
    }
    note(text);
  }

  void put_json(const FileCourse& course, const SourceFile& file, milliseconds took) {
    const OutgoingFile::End& end = course.machine().end();
    Json json{{"file", file.path()}, {"to", options_.to}, {"size", file.offer().size}};
    json["outcome"] = course.failed_here() ? "failed" : outcome_name(end.outcome);
    if (end.outcome == Outcome::kDelivered) {
      json["name"] = end.saved_as;
      json["sha256"] = course.sha256();
      json["resumed_from"] = course.began_at();
      json["seconds"] = static_cast<double>(took.count()) / 1000;
    } else if (!end.text.empty()) {
      json["text"] = end.text;
    }
    output_.put(to_line(json));
  }

  ExitCode tell_failure(const FileCourse& course, const SourceFile& file) const {
    const OutgoingFile::End& end = course.machine().end();
    const std::string path = visible_line(file.path());
    const std::string rest = rest_text(course, file);
    if (course.failed_here()) {
      complain(end.text);
      return ExitCode::kFailed;
    }
    if (end.outcome != Outcome::kRejected && !peer_.connected()) {
      complain(fmt::format("{} not delivered: no broker at {} for {} (--timeout){}", path,
                           peer_.endpoint(), duration_text(options_.timeout), rest));
      return ExitCode::kUnreachable;
    }
    if (end.outcome == Outcome::kTimedOut) {
      complain(fmt::format("{}: timed out: {} took nothing for {} (--timeout){}", path, options_.to,
                           duration_text(options_.timeout), rest));
      return ExitCode::kTimedOut;
    }
    complain(fmt::format("{} not delivered: {}{}", path,
                         outcome_text(end.outcome, options_.to, end.text), rest));
    return ExitCode::kNotDelivered;
  }

  [[nodiscard]] std::string rest_text(const FileCourse& course, const SourceFile& file) const {
    if (!course.machine().begun() || course.position() == 0) return "";
    return fmt::format("; up to {} of {} are with {}: send it again to go on",
                       size_text(course.position()), size_text(file.offer().size), options_.to);
  }

  [[nodiscard]] ExitCode interrupted(FileCourse& course, const SourceFile& file) {
    course.tell_stop("its sender was interrupted", false);
    complain(fmt::format("interrupted: {} not delivered{}", visible_line(file.path()),
                         rest_text(course, file)));
    return interrupted_by(stop_.signal());
  }

  const SendFilesOptions& options_;
  peer::Peer& peer_;
  StopSignals stop_;
  SessionWatch watch_;
  Refusals refusals_;
  Output output_;
  RateMeter meter_;
  Clock::time_point shown_;
};

}  // namespace

ExitCode send_files(const SendFilesOptions& options, const std::string& software) {
  for (const std::string& path : options.paths) {
    const Result<SourceFile> file = SourceFile::open(path);
    if (file) continue;
    complain(file.error().text);
    return ExitCode::kUsage;
  }
  peer::keep_free_memory();
  peer::Options wanted;
  wanted.software = software;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  return FileSending(options, *peer).run();
}

}  // namespace zpost::cli
