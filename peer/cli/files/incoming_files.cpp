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

// A sender that waits longer than that is told to ask again, so that it knows we are here.
constexpr std::chrono::seconds kKeptWaiting{2};
constexpr std::uint64_t kAskAgainMs = 100;
constexpr std::size_t kRemembered = 256;
// What a file's size must fit.
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

/// Keeps a memory of others' doings bounded.
template <typename Container>
void make_place_in(Container& container) {
  if (container.size() >= kRemembered) container.clear();
}

}  // namespace

bool IncomingFiles::is_there_already(const Incoming& incoming) {
  return !incoming.file->saved_name().empty();
}

void IncomingFiles::on_offer(std::string_view from, std::uint64_t request, const FileOffer& offer,
                             SteadyTime now) {
  if (std::optional<Refusal> refusal = take(from, offer, now)) {
    replies_.push_back({.to = std::string(from),
                        .request = request,
                        .rejected = true,
                        .text = std::move(refusal->text),
                        .local_fault = refusal->local_fault});
    return;
  }
  ask(files_.find(offer.transfer), request, now);
}

std::optional<IncomingFiles::Refusal> IncomingFiles::take(std::string_view from,
                                                          const FileOffer& offer, SteadyTime now) {
  if (std::string trouble = file_name_trouble(offer.name); !trouble.empty()) {
    return Refusal{std::move(trouble)};
  }
  if (offer.size > kLargest) return Refusal{"no file can be that large"};
  const Entry entry = files_.find(offer.transfer);
  if (entry == files_.end()) return open(from, offer, now);
  Incoming& incoming = entry->second;
  if (incoming.offer.name != offer.name || incoming.offer.size != offer.size) {
    return Refusal{"another file has this transfer's id"};
  }
  if (offer.anew && !incoming.saving) {
    files_.erase(entry);
    return open(from, offer, now);
  }
  // The latest to offer it is who sends it: the same person under another name, mostly.
  if (incoming.from != from) incoming.asked.reset();
  incoming.from = from;
  return std::nullopt;
}

std::optional<IncomingFiles::Refusal> IncomingFiles::open(std::string_view from,
                                                          const FileOffer& offer, SteadyTime now) {
  if (!make_room(now)) {
    return Refusal{fmt::format("{} is receiving {} files, which is its limit", name_, kAtOnce)};
  }
  Result<std::unique_ptr<StoredFile>> file = store_.open(offer);
  if (!file) {
    // That it is too large for the disk is nobody's fault here.
    return Refusal{fmt::format("{} cannot take it: {}", name_, file.error().text),
                   file.error().code != Outcome::kTooLarge};
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

/// Of two requests only the latest is still waited for.
void IncomingFiles::ask(Entry entry, std::uint64_t request, SteadyTime now) {
  Incoming& incoming = entry->second;
  if (incoming.asked) answer(incoming, {.wait_ms = kAskAgainMs});
  incoming.asked = request;
  incoming.asked_at = incoming.active = now;
  advance(entry, now);
}

/// Answers what waits, if the file is as far.
void IncomingFiles::advance(Entry entry, SteadyTime now) {
  Incoming& incoming = entry->second;
  if (incoming.saving) return finish_saving(entry, now);
  if (incoming.checking && !finish_check(entry, now)) return;
  if (incoming.asked) answer_position(entry);
}

/// False: it is not, or there is no such file any more.
bool IncomingFiles::finish_check(Entry entry, SteadyTime now) {
  Incoming& incoming = entry->second;
  std::optional<Result<StoredFile::Checked>> checked = incoming.file->checked();
  if (!checked) return false;
  if (!*checked) {
    (void)fail(entry, checked->error().text, true);
    return false;
  }
  incoming.checking = false;
  incoming.position = incoming.resumed_from = (*checked)->size;
  incoming.sum = std::move((*checked)->sum);
  incoming.began = now;
  if (incoming.position > 0 && !is_there_already(incoming)) {
    news_.push_back(news_of(incoming, FileNews::Kind::kContinued));
  }
  return true;
}

void IncomingFiles::answer_position(Entry entry) {
  Incoming& incoming = entry->second;
  told_.erase(fmt::format("{} {}", incoming.from, entry->first));
  answer(incoming, {.offset = incoming.position, .sha256 = incoming.sum.digest()});
}

void IncomingFiles::answer(Incoming& incoming, FileAnswer answer) {
  if (!incoming.asked) return;
  replies_.push_back(
      {.to = incoming.from, .request = *incoming.asked, .answer = std::move(answer)});
  incoming.asked.reset();
}

void IncomingFiles::reject(std::string_view from, std::uint64_t request, std::string text) {
  replies_.push_back(
      {.to = std::string(from), .request = request, .rejected = true, .text = std::move(text)});
}

std::optional<FileStop> IncomingFiles::on_chunk(std::string_view from, const FileChunk& chunk,
                                                SteadyTime now) {
  const Entry entry = files_.find(chunk.transfer);
  if (entry == files_.end() || entry->second.from != from || entry->second.checking) {
    return lost_track(from, chunk);
  }
  Incoming& incoming = entry->second;
  if (incoming.saving || is_there_already(incoming)) return std::nullopt;
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

void IncomingFiles::on_done(std::string_view from, std::uint64_t request, const FileDone& done,
                            SteadyTime now) {
  const Entry entry = files_.find(done.transfer);
  if (entry == files_.end()) return answer_unknown(from, request, done);
  Incoming& incoming = entry->second;
  if (incoming.from != from) {
    return reject(from, request, incoming.from + " sends this file now");
  }
  const bool whole = !incoming.checking && incoming.position == incoming.offer.size;
  if (!whole || incoming.saving) return ask(entry, request, now);
  if (done.size != incoming.offer.size || done.sha256 != incoming.sum.digest()) {
    incoming.asked = request;
    if (!is_there_already(incoming)) incoming.file->discard();
    (void)fail(entry, "its checksum differs from its sender's", false);
    return;
  }
  incoming.saving = true;
  ask(entry, request, now);
}

void IncomingFiles::answer_unknown(std::string_view from, std::uint64_t request,
                                   const FileDone& done) {
  FileAnswer answer;
  const auto saved = saved_.find(done.transfer);
  if (saved != saved_.end() && saved->second.from == from && saved->second.sha256 == done.sha256) {
    answer.name = saved->second.name;  // Its sender did not hear the first answer.
  } else {
    answer.offset = 0;  // This program was just started, say: the file is to be offered again.
    answer.sha256 = digest_of({});
  }
  replies_.push_back({.to = std::string(from), .request = request, .answer = std::move(answer)});
}

void IncomingFiles::finish_saving(Entry entry, SteadyTime now) {
  Incoming& incoming = entry->second;
  if (is_there_already(incoming)) return saved(entry, incoming.file->saved_name(), now);
  const std::optional<Result<std::string>> name = incoming.file->save();
  if (!name) return;
  if (*name) return saved(entry, **name, now);
  (void)fail(entry, name->error().text, true);
}

void IncomingFiles::saved(Entry entry, const std::string& name, SteadyTime now) {
  Incoming& incoming = entry->second;
  const bool already = is_there_already(incoming);
  FileNews news =
      news_of(incoming, already ? FileNews::Kind::kSavedAlready : FileNews::Kind::kSaved);
  news.saved_as = name;
  news.sha256 = incoming.sum.digest();
  news.took = std::chrono::duration_cast<milliseconds>(now - incoming.began);
  answer(incoming, {.name = name});
  make_place_in(saved_);
  saved_[entry->first] = {incoming.from, news.sha256, name};
  news_.push_back(std::move(news));
  files_.erase(entry);
}

void IncomingFiles::on_stop(std::string_view from, const FileStop& stop, SteadyTime) {
  const Entry entry = files_.find(stop.transfer);
  if (entry == files_.end() || entry->second.from != from || entry->second.saving) return;
  Incoming& incoming = entry->second;
  const bool discards = stop.discard && !is_there_already(incoming);
  if (discards) incoming.file->discard();
  FileNews news = news_of(incoming, discards ? FileNews::Kind::kFailed : FileNews::Kind::kPaused);
  news.text = stop.text;
  news_.push_back(std::move(news));
  files_.erase(entry);
}

void IncomingFiles::tick(SteadyTime now) {
  for (Entry entry = files_.begin(); entry != files_.end();) {
    const Entry each = entry++;
    Incoming& incoming = each->second;
    if (incoming.asked && now - incoming.asked_at >= kKeptWaiting) {
      answer(incoming, {.wait_ms = kAskAgainMs});
    }
    if (incoming.asked || incoming.saving) {
      advance(each, now);
    } else if (now - incoming.active >= kIdle) {
      pause(each);
    }
  }
}

bool IncomingFiles::owes_answers() const {
  return std::ranges::any_of(files_,
                             [](const auto& each) { return each.second.asked.has_value(); });
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
  if (local_fault) text = fmt::format("{} cannot go on: {}", name_, text);
  if (entry->second.asked) {
    reject(entry->second.from, *entry->second.asked, text);
    replies_.back().is_news = true;
  }
  files_.erase(entry);
  return text;
}

FileNews IncomingFiles::news_of(const Incoming& incoming, FileNews::Kind kind) {
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
