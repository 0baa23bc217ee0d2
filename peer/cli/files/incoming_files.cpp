#include "peer/cli/files/incoming_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <limits>

#include "peer/cli/files/file_name.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

constexpr std::uint64_t kAskAgainMs = 100;
constexpr std::size_t kRemembered = 256;
// What a file's size must fit.
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

FileReply rejected(std::string text) {
  return {.rejected = true, .text = std::move(text), .answer = {}};
}

FileReply ask_again() {
  FileReply reply;
  reply.answer.wait_ms = kAskAgainMs;
  return reply;
}

/// Keeps a memory of others' doings bounded.
template <typename Container>
void make_place_in(Container& container) {
  if (container.size() >= kRemembered) container.clear();
}

}  // namespace

FileReply IncomingFiles::on_offer(std::string_view from, const FileOffer& offer, SteadyTime now) {
  if (const std::string trouble = file_name_trouble(offer.name); !trouble.empty()) {
    return rejected(trouble);
  }
  if (offer.size > kLargest) return rejected("no file can be that large");
  Entry entry = files_.find(offer.transfer);
  if (entry != files_.end() && entry->second.saving) return ask_again();
  if (entry != files_.end() &&
      (entry->second.offer.name != offer.name || entry->second.offer.size != offer.size)) {
    return rejected("another file has this transfer's id");
  }
  if (entry != files_.end() && offer.anew) {
    files_.erase(entry);
    entry = files_.end();
  }
  if (entry == files_.end()) {
    if (const auto trouble = open(from, offer, now)) return rejected(*trouble);
    entry = files_.find(offer.transfer);
  }
  // The latest to offer it is who sends it: the same person under another name, mostly.
  entry->second.from = from;
  entry->second.active = now;
  return answer_offer(entry, now);
}

/// Why not, or nothing.
std::optional<std::string> IncomingFiles::open(std::string_view from, const FileOffer& offer,
                                               SteadyTime now) {
  if (!make_room(now)) {
    return fmt::format("{} is receiving {} files, which is its limit", name_, kAtOnce);
  }
  Result<std::unique_ptr<StoredFile>> file = store_.open(offer);
  if (!file) {
    FileNews news;
    news.kind = FileNews::Kind::kFailed;
    news.from = from;
    news.name = offer.name;
    news.size = offer.size;
    news.text = file.error().text;
    // A file that is too large for the disk is nobody's fault here.
    news.local_fault = file.error().code != Outcome::kTooLarge;
    news_.push_back(std::move(news));
    return fmt::format("{} cannot take it: {}", name_, file.error().text);
  }
  Incoming incoming;
  incoming.from = from;
  incoming.offer = offer;
  incoming.offer.anew = false;
  incoming.file = std::move(*file);
  incoming.began = incoming.active = now;
  files_.emplace(offer.transfer, std::move(incoming));
  return std::nullopt;
}

bool IncomingFiles::make_room(SteadyTime now) {
  if (files_.size() < kAtOnce) return true;
  const Entry idlest =
      std::ranges::min_element(files_, {}, [](const auto& each) { return each.second.active; });
  if (idlest->second.saving || now - idlest->second.active < kGivesWay) return false;
  pause(idlest);
  return true;
}

FileReply IncomingFiles::answer_offer(Entry entry, SteadyTime now) {
  Incoming& incoming = entry->second;
  if (incoming.checking) {
    std::optional<Result<StoredFile::Checked>> checked = incoming.file->checked();
    if (!checked) return ask_again();
    if (!*checked) return rejected(fail(entry, checked->error().text, true));
    incoming.checking = false;
    incoming.position = incoming.resumed_from = (*checked)->size;
    incoming.sum = std::move((*checked)->sum);
    incoming.began = now;
    if (incoming.position > 0 && !incoming.file->is_saved_already()) {
      news_.push_back(news_of(incoming, FileNews::Kind::kContinued));
    }
  }
  told_.erase(fmt::format("{} {}", incoming.from, entry->first));
  FileReply reply;
  reply.answer.offset = incoming.position;
  reply.answer.sha256 = incoming.sum.digest();
  return reply;
}

std::optional<FileStop> IncomingFiles::on_chunk(std::string_view from, const FileChunk& chunk,
                                                SteadyTime now) {
  const Entry entry = files_.find(chunk.transfer);
  if (entry == files_.end() || entry->second.from != from || entry->second.checking) {
    return lost_track(from, chunk);
  }
  Incoming& incoming = entry->second;
  if (incoming.saving || incoming.file->is_saved_already()) return std::nullopt;
  incoming.active = now;
  // Below: sent twice around a reconnect. Above: something was lost, which the sender is told as an
  // outcome; it offers the file again.
  const std::uint64_t known = incoming.position - std::min(incoming.position, chunk.offset);
  const bool is_next = chunk.offset <= incoming.position && known < chunk.bytes.size();
  if (!is_next) return std::nullopt;
  const Bytes bytes = chunk.bytes.subspan(known);
  FileStop stop{.transfer = entry->first, .text = {}};
  if (bytes.size() > incoming.offer.size - incoming.position) {
    incoming.file->discard();
    stop.text = fail(entry, "there is more of it than was offered", false);
    return stop;
  }
  if (const Result<void> written = incoming.file->append(incoming.position, bytes); !written) {
    stop.text = fail(entry, written.error().text, true);
    return stop;
  }
  incoming.sum.update(bytes);
  incoming.position += bytes.size();
  return std::nullopt;
}

/// Of a sender that goes on with something we do not have, or not from it. Said once: a chunk
/// seldom comes alone.
std::optional<FileStop> IncomingFiles::lost_track(std::string_view from, const FileChunk& chunk) {
  std::string what = fmt::format("{} {}", from, chunk.transfer);
  if (told_.contains(what)) return std::nullopt;
  make_place_in(told_);
  told_.insert(std::move(what));
  FileStop stop{.transfer = std::string(chunk.transfer), .text = "this transfer is not under way"};
  const Entry entry = files_.find(chunk.transfer);
  stop.again = entry == files_.end() || entry->second.from == from;
  if (!stop.again) stop.text = entry->second.from + " sends this file now";
  return stop;
}

FileReply IncomingFiles::on_done(std::string_view from, const FileDone& done, SteadyTime now) {
  const Entry entry = files_.find(done.transfer);
  if (entry == files_.end()) {
    const auto saved = saved_.find(done.transfer);
    if (saved != saved_.end() && saved->second.from == from &&
        saved->second.sha256 == done.sha256) {
      FileReply reply;
      reply.answer.name = saved->second.name;
      return reply;
    }
    FileReply reply;  // A program that was just started, say: the file is to be offered again.
    reply.answer.offset = 0;
    reply.answer.sha256 = digest_of({});
    return reply;
  }
  Incoming& incoming = entry->second;
  if (incoming.from != from) return rejected(incoming.from + " sends this file now");
  incoming.active = now;
  if (incoming.checking || incoming.position < incoming.offer.size) {
    return incoming.checking ? ask_again() : answer_offer(entry, now);
  }
  if (done.size != incoming.offer.size || done.sha256 != incoming.sum.digest()) {
    if (!incoming.file->is_saved_already()) incoming.file->discard();
    return rejected(fail(entry, "its checksum differs from its sender's", false));
  }
  return finish(entry, now);
}

FileReply IncomingFiles::finish(Entry entry, SteadyTime now) {
  Incoming& incoming = entry->second;
  if (incoming.file->is_saved_already()) return saved(entry, incoming.offer.name, now);
  incoming.saving = true;
  const std::optional<Result<std::string>> name = incoming.file->save();
  if (!name) return ask_again();
  if (!*name) return rejected(fail(entry, name->error().text, true));
  return saved(entry, **name, now);
}

FileReply IncomingFiles::saved(Entry entry, const std::string& name, SteadyTime now) {
  const Incoming& incoming = entry->second;
  const bool already = incoming.file->is_saved_already();
  FileNews news =
      news_of(incoming, already ? FileNews::Kind::kSavedAlready : FileNews::Kind::kSaved);
  news.saved_as = name;
  news.sha256 = incoming.sum.digest();
  news.took = std::chrono::duration_cast<milliseconds>(now - incoming.began);
  make_place_in(saved_);
  saved_[entry->first] = {incoming.from, news.sha256, name};
  news_.push_back(std::move(news));
  files_.erase(entry);
  FileReply reply;
  reply.answer.name = name;
  return reply;
}

void IncomingFiles::on_stop(std::string_view from, const FileStop& stop, SteadyTime) {
  const Entry entry = files_.find(stop.transfer);
  if (entry == files_.end() || entry->second.from != from || entry->second.saving) return;
  Incoming& incoming = entry->second;
  const bool discards = stop.discard && !incoming.file->is_saved_already();
  if (discards) incoming.file->discard();
  FileNews news = news_of(incoming, discards ? FileNews::Kind::kFailed : FileNews::Kind::kPaused);
  news.text = stop.text;
  news_.push_back(std::move(news));
  files_.erase(entry);
}

void IncomingFiles::tick(SteadyTime now) {
  for (Entry entry = files_.begin(); entry != files_.end();) {
    const Entry each = entry++;
    // Nobody may ask again, and still it is to be saved.
    if (each->second.saving) {
      (void)finish(each, now);
    } else if (now - each->second.active >= kIdle) {
      pause(each);
    }
  }
}

std::vector<IncomingFiles::Progress> IncomingFiles::progress() const {
  std::vector<Progress> all;
  for (const auto& [transfer, each] : files_) {
    all.push_back({each.from, each.offer.name, each.position, each.offer.size});
  }
  return all;
}

std::vector<std::pair<std::string, FileStop>> IncomingFiles::leave(const std::string& text,
                                                                   SteadyTime now) {
  std::vector<std::pair<std::string, FileStop>> stops;
  // Not long any more, and its sender did all it could.
  while (std::ranges::any_of(files_, [](const auto& each) { return each.second.saving; })) {
    tick(now);
  }
  for (const auto& [transfer, each] : files_) {
    stops.emplace_back(each.from, FileStop{.transfer = transfer, .text = text});
  }
  files_.clear();
  return stops;
}

void IncomingFiles::pause(Entry entry) {
  FileNews news = news_of(entry->second, FileNews::Kind::kPaused);
  news.text = "nothing more came";
  news_.push_back(std::move(news));
  files_.erase(entry);
}

std::string IncomingFiles::fail(Entry entry, std::string text, bool local_fault) {
  FileNews news = news_of(entry->second, FileNews::Kind::kFailed);
  news.text = text;
  news.local_fault = local_fault;
  news_.push_back(std::move(news));
  files_.erase(entry);
  return local_fault ? fmt::format("{} cannot go on: {}", name_, text) : text;
}

FileNews IncomingFiles::news_of(const Incoming& incoming, FileNews::Kind kind) const {
  FileNews news;
  news.kind = kind;
  news.from = incoming.from;
  news.name = incoming.offer.name;
  news.size = incoming.offer.size;
  news.resumed_from = incoming.resumed_from;
  news.position = incoming.position;
  return news;
}

}  // namespace zpost::cli
