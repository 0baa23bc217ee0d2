#include "peer/cli/file_saver.h"

#include <fmt/format.h>

#include "peer/cli/files/progress_text.h"
#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

constexpr milliseconds kAnswerSoon{5};
constexpr milliseconds kBetweenLooks{100};
constexpr milliseconds kNothingUnderWay{1000};

peer::SendOptions at_once(std::string_view content_type) {
  peer::SendOptions options;
  options.content_type = content_type;
  options.timeout = milliseconds(0);
  return options;
}

}  // namespace

std::string takes_no_files(std::string_view name) {
  return fmt::format("{} does not take files: start it with recv --save DIR", name);
}

bool FileSaver::handle(const EnvelopeView& view, std::string_view content_type) {
  const bool asked = view.kind() == Kind::kRequest;
  const bool sent = view.kind() == Kind::kSend;
  if (asked && content_type == kOfferType) {
    handle_offer(view);
  } else if (asked && content_type == kDoneType) {
    handle_done(view);
  } else if (sent && content_type == kChunkType) {
    handle_chunk(view);
  } else if (sent && content_type == kStopType) {
    if (const auto stop = read_stop(view.body)) files_.on_stop(view.from, *stop, now());
  } else {
    return false;
  }
  return true;
}

void FileSaver::handle_offer(const EnvelopeView& view) {
  const std::optional<FileOffer> offer = read_offer(view.body);
  if (!offer) return reject(view.from, view.id, "this is no offer as docs/files.md says");
  files_.on_offer(view.from, view.id, *offer, now());
  send_replies();
}

void FileSaver::handle_done(const EnvelopeView& view) {
  const std::optional<FileDone> done = read_done(view.body);
  if (!done) return reject(view.from, view.id, "this is no done as docs/files.md says");
  files_.on_done(view.from, view.id, *done, now());
  send_replies();
}

void FileSaver::handle_chunk(const EnvelopeView& view) {
  const std::optional<FileChunk> chunk = read_chunk(view.body);
  if (!chunk) return;  // What is missing will be noticed.
  if (const auto stop = files_.on_chunk(view.from, *chunk, now())) {
    say_stop(std::string(view.from), *stop);
  }
}

void FileSaver::send_replies() {
  for (const FileReply& each : files_.take_replies()) reply(each);
}

/// What has no room is not said: the sender asks again.
void FileSaver::reply(const FileReply& reply) {
  failed_ |= reply.local_fault;
  if (!reply.rejected) {
    (void)parts_.peer.reply(reply.to, reply.request, encode(reply.answer), at_once(kAnswerType));
  } else if (reply.is_news) {
    (void)parts_.refusals.say_no(reply.to, reply.request, reply.text);
  } else {
    reject(reply.to, reply.request, reply.text);
  }
}

void FileSaver::reject(std::string_view to, std::uint64_t request, const std::string& reason) {
  (void)parts_.refusals.say_no(to, request, reason);
  complain(fmt::format("said no to a file from {}: {}", to, visible_line(reason)));
}

void FileSaver::say_stop(const std::string& to, const FileStop& stop) {
  (void)parts_.peer.send(to, encode(stop), at_once(kStopType));
}

void FileSaver::tick() {
  files_.tick(now());
  send_replies();
  tell_news();
  show_progress();
}

std::chrono::milliseconds FileSaver::wait() const {
  if (files_.owes_answers()) return kAnswerSoon;
  return files_.progress().empty() ? kNothingUnderWay : kBetweenLooks;
}

void FileSaver::leave() {
  const std::string text = parts_.peer.name() + " takes no more files now";
  for (const auto& [to, stop] : files_.leave(text, now())) say_stop(to, stop);
  send_replies();
  tell_news();
}

void FileSaver::tell_news() {
  for (const FileNews& news : files_.take_news()) {
    switch (news.kind) {
      case FileNews::Kind::kContinued:
        note(fmt::format("{} from {} goes on: {} of {} were there", visible_line(news.name),
                         news.from, size_text(news.resumed_from), size_text(news.size)));
        break;
      case FileNews::Kind::kSaved:
      case FileNews::Kind::kSavedAlready:
        tell_saved(news);
        break;
      case FileNews::Kind::kFailed:
      case FileNews::Kind::kPaused:
        tell_not_saved(news);
        break;
    }
  }
}

std::string FileSaver::path_of(const FileNews& news) const {
  return path_ + (path_.ends_with('/') ? "" : "/") + news.saved_as;
}

void FileSaver::tell_saved(const FileNews& news) {
  ++saved_;
  bytes_saved_ += news.size;
  if (format_ == Format::kJson) return tell_saved_json(news);
  const std::uint64_t came = news.size - news.resumed_from;
  std::string text = fmt::format("{}, {} in {}", visible_line(path_of(news)), size_text(came),
                                 took_text(news.took));
  if (const double rate = average_rate(came, news.took); rate >= 1) text += ", " + rate_text(rate);
  if (news.resumed_from > 0) text += fmt::format(" ({} were there)", size_text(news.resumed_from));
  if (news.kind == FileNews::Kind::kSavedAlready) {
    text = visible_line(path_of(news)) + ", which was there already";
  }
  const std::uint64_t time = wall_clock_ns();
  parts_.output.put(fmt::format("{} {}: file {}\n",
                                parts_.palette.paint(Ink::kDim, local_time(time, time)),
                                parts_.palette.name(news.from), text));
}

void FileSaver::tell_saved_json(const FileNews& news) {
  Json json{{"kind", "file"}, {"from", news.from}, {"name", news.name}};
  json["path"] = path_of(news);
  json["size"] = news.size;
  json["sha256"] = hexadecimal(news.sha256);
  json["already_there"] = news.kind == FileNews::Kind::kSavedAlready;
  json["resumed_from"] = news.resumed_from;
  json["seconds"] = static_cast<double>(news.took.count()) / 1000;
  parts_.output.put(to_line(json));
}

void FileSaver::tell_not_saved(const FileNews& news) {
  failed_ |= news.local_fault;
  const bool kept = news.kind == FileNews::Kind::kPaused;
  complain(fmt::format(
      "{} from {} {}: {}", visible_line(news.name), news.from,
      kept ? fmt::format("stays at {} of {}", size_text(news.position), size_text(news.size))
           : "not saved",
      visible_line(news.text)));
}

void FileSaver::show_progress() {
  const SteadyTime time = now();
  if (time - shown_ < kBetweenLooks) return;
  shown_ = time;
  const std::size_t columns = terminal_columns();
  const std::vector<IncomingFiles::Progress> all = files_.progress();
  if (columns < 2) return;
  if (all.empty()) {
    meter_ = RateMeter();
    return show_last_line("");
  }
  FileProgress shown;
  for (const IncomingFiles::Progress& each : all) {
    shown.position += each.position;
    shown.size += each.size;
  }
  meter_.note(bytes_saved_ + shown.position, time);
  shown.bytes_per_second = meter_.bytes_per_second();
  shown.what = all.size() == 1 ? fmt::format("{} from {}", visible_line(all[0].name), all[0].from)
                               : counted(all.size(), "file");
  show_last_line(progress_text(shown, columns - 1));
}

}  // namespace zpost::cli
