#include "peer/cli/file_course.h"

#include <algorithm>
#include <thread>

namespace zpost::cli {
namespace {

using peer::milliseconds;

constexpr milliseconds kFileGlance{50};  // How long anything else may go unnoticed.
constexpr milliseconds kOneTry{15'000};  // For a reply: a lost one is asked for again.
// Each costs the broker and both ends the same: some hundred microseconds.
constexpr std::size_t kChunkBytes = 256 << 10;
constexpr std::size_t kEnvelopeHead = 512;  // More than names, meta and lengths take.
constexpr std::size_t kReadAtOnce = 1 << 20;
// More than what may be under way when the recipient says that something got lost.
constexpr std::size_t kMarks = 128;

std::size_t chunk_bytes_of(const peer::Peer& peer) {
  constexpr std::size_t kLeast = 256;  // Of a broker that takes next to nothing.
  const std::uint64_t limit = peer.welcome().max_envelope_bytes;
  const std::uint64_t room = limit - std::min<std::uint64_t>(limit, kEnvelopeHead + kChunkOverhead);
  return std::clamp<std::size_t>(room, kLeast, kChunkBytes);
}

}  // namespace

FileCourse::FileCourse(peer::Peer& peer, std::string to, const SourceFile& file,
                       milliseconds patience)
    : peer_(peer),
      to_(std::move(to)),
      file_(file),
      machine_(file.offer(), patience, now()),
      delivered_(peer.statistics().delivered) {}

bool FileCourse::advance() {
  note_progress();
  switch (machine_.next(now())) {
    case OutgoingFile::Step::kOffer:
      check_.reset();
      chunk_bytes_ = chunk_bytes_of(peer_);
      ask(encode(machine_.offer()), kOfferType);
      machine_.offered();
      break;
    case OutgoingFile::Step::kFinish:
      finish();
      break;
    case OutgoingFile::Step::kAwait:
      await_reply();
      break;
    case OutgoingFile::Step::kPause:
      std::this_thread::sleep_for(
          std::min<SteadyTime::duration>(machine_.resume_at() - now(), kFileGlance));
      break;
    case OutgoingFile::Step::kCheck:
      check();
      break;
    case OutgoingFile::Step::kSend:
      send_chunk();
      break;
    case OutgoingFile::Step::kEnd:
      return false;
  }
  return true;
}

void FileCourse::on_outcome(const peer::OutcomeReport& report) {
  machine_.chunk_failed(report.id, report.outcome, report.text, now());
}

std::uint64_t FileCourse::position() const {
  return check_ ? check_->summed : machine_.position();
}

/// Whatever is settled was taken by the recipient, or its failure is told besides.
void FileCourse::note_progress() {
  const peer::Statistics statistics = peer_.statistics();
  const std::uint64_t settled = statistics.delivered + statistics.unconfirmed;
  if (settled != delivered_) machine_.progressed(now());
  delivered_ = settled;
}

void FileCourse::ask(Bytes body, std::string_view content_type) {
  peer::SendOptions options;
  options.content_type = content_type;
  options.timeout = kFileGlance;
  reply_ = peer_.request(to_, body, kOneTry, options);
}

void FileCourse::await_reply() {
  if (reply_.wait_for(kFileGlance) != std::future_status::ready) return;
  const Reply reply = reply_.get();
  if (reply) {
    const std::optional<FileAnswer> answer = read_answer(reply->body);
    if (answer) return machine_.answered(*answer, now());
    return machine_.fail(Outcome::kRejected, "its answer is not as docs/files.md says");
  }
  const peer::Failure& failure = reply.error();
  if (failure.fault == peer::Fault::kFailed) {
    return machine_.request_failed(failure.outcome, failure.text, now());
  }
  if (failure.fault == peer::Fault::kInvalid) {
    return machine_.fail(Outcome::kTooLarge, failure.text);
  }
  machine_.request_failed(Outcome::kTimedOut, "", now());
}

/// A piece of it: in between there may be something to hear.
void FileCourse::check() {
  const auto mark =
      std::ranges::find(marks_, machine_.position(), [](const auto& each) { return each.first; });
  if (mark != marks_.end()) return end_check(Checksum(mark->second));
  if (!check_) check_.emplace();
  std::vector<std::byte> buffer(kReadAtOnce);
  for (int i = 0; i < 16 && check_->summed < machine_.position(); ++i) {
    const std::size_t count =
        std::min<std::uint64_t>(machine_.position() - check_->summed, buffer.size());
    const std::span<std::byte> piece = std::span(buffer).first(count);
    if (const Result<void> read = file_.read(check_->summed, piece); !read) {
      return fail_here(read.error().text);
    }
    check_->sum.update(piece);
    check_->summed += count;
  }
  if (check_->summed == machine_.position()) end_check(std::move(check_->sum));
}

void FileCourse::end_check(Checksum sum) {
  const std::uint64_t position = machine_.position();
  const bool same = sum.digest() == machine_.expected();
  check_.reset();
  marks_.clear();
  if (same) {
    sum_ = std::move(sum);
    marks_.emplace_back(position, sum_);
    if (!begun_) begun_ = began_at_ = position;
  }
  machine_.checked(same, now());
}

void FileCourse::send_chunk() {
  if (machine_.position() == 0) {
    sum_ = Checksum();
    marks_.clear();
    begun_ = began_at_ = 0;
  }
  if (!prepare_chunk()) return;
  peer::SendOptions options;
  options.content_type = kChunkType;
  options.timeout = kFileGlance;
  const peer::Answer<std::uint64_t> sent = peer_.send(to_, chunk_, options);
  if (!sent) {
    if (sent.error().fault == peer::Fault::kInvalid) {
      machine_.fail(Outcome::kTooLarge, sent.error().text);
    }
    return;  // Without credit: again.
  }
  const Bytes bytes = Bytes(chunk_).subspan(chunk_head_);
  sum_.update(bytes);
  machine_.sent(*sent, bytes.size());
  chunk_.clear();
  marks_.emplace_back(machine_.position(), sum_);
  if (marks_.size() > kMarks) marks_.pop_front();
}

bool FileCourse::prepare_chunk() {
  const std::uint64_t offset = machine_.position();
  if (!chunk_.empty() && chunk_offset_ == offset) return true;
  const std::size_t count = std::min<std::uint64_t>(file_.offer().size - offset, chunk_bytes_);
  encode_chunk_head(chunk_, file_.offer().transfer, offset, count);
  chunk_head_ = chunk_.size();
  chunk_offset_ = offset;
  chunk_.resize(chunk_head_ + count);
  const Result<void> read = file_.read(offset, std::span(chunk_).subspan(chunk_head_));
  if (!read) fail_here(read.error().text);
  return read.has_value();
}

void FileCourse::finish() {
  if (const Result<void> unchanged = file_.check_unchanged(); !unchanged) {
    return fail_here(unchanged.error().text);
  }
  if (file_.offer().size == 0) sum_ = Checksum();
  FileDone done;
  done.transfer = file_.offer().transfer;
  done.size = file_.offer().size;
  done.sha256 = sum_.digest();
  ask(encode(done), kDoneType);
  machine_.finishing();
}

/// What was sent of it is of no use, since the file is another now, or cannot be read.
void FileCourse::fail_here(const std::string& text) {
  failed_here_ = true;
  tell_stop("its sender cannot read on", true);
  machine_.fail(Outcome::kNone, text);
}

void FileCourse::tell_stop(const std::string& text, bool discard) {
  FileStop stop;
  stop.transfer = file_.offer().transfer;
  stop.text = text;
  stop.discard = discard;
  peer::SendOptions options;
  options.content_type = kStopType;
  options.timeout = kFileGlance;
  (void)peer_.send(to_, encode(stop), options);
}

}  // namespace zpost::cli
