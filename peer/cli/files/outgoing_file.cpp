#include "peer/cli/files/outgoing_file.h"

#include <algorithm>
#include <utility>

namespace zpost::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBeforeNextTry{250};
constexpr milliseconds kLongestWait{5000};

}  // namespace

OutgoingFile::OutgoingFile(FileOffer offer, milliseconds patience, SteadyTime now)
    : offer_(std::move(offer)), patience_(patience), progress_(now), resume_at_(now) {}

OutgoingFile::Step OutgoingFile::next(SteadyTime now) {
  if (!end_ && state_ != State::kToCheck && now - progress_ >= patience_) {
    fail(trouble_, trouble_text_);
  }
  if (end_) return Step::kEnd;
  if (state_ == State::kSending && position_ == offer_.size) state_ = State::kToFinish;
  switch (state_) {
    case State::kToOffer:
      return now < resume_at_ ? Step::kPause : Step::kOffer;
    case State::kToFinish:
      return now < resume_at_ ? Step::kPause : Step::kFinish;
    case State::kOffered:
    case State::kFinishing:
      return Step::kAwait;
    case State::kToCheck:
      return Step::kCheck;
    case State::kSending:
      return Step::kSend;
  }
  return Step::kEnd;
}

void OutgoingFile::offered() {
  state_ = State::kOffered;
  outdated_id_ = last_id_;
}

void OutgoingFile::finishing() {
  state_ = State::kFinishing;
}

void OutgoingFile::checked(bool same, SteadyTime now) {
  progressed(now);  // A large file takes its time.
  if (same) {
    state_ = State::kSending;
    return;
  }
  offer_.anew = true;
  state_ = State::kToOffer;
}

void OutgoingFile::sent(std::uint64_t id, std::size_t bytes) {
  last_id_ = id;
  position_ += bytes;
}

void OutgoingFile::answered(const FileAnswer& answer, SteadyTime now) {
  progressed(now);
  const bool finishing = state_ == State::kFinishing;
  if (finishing && !answer.name.empty()) {
    end_ = End{Outcome::kDelivered, "", answer.name};
  } else if (!answer.offset) {
    const milliseconds asked(std::min<std::uint64_t>(answer.wait_ms, kLongestWait.count()));
    resume_at_ = now + asked;
    state_ = finishing ? State::kToFinish : State::kToOffer;
  } else if (finishing) {
    offer_again_at(now);  // Something is missing there.
  } else {
    go_on(answer);
  }
}

void OutgoingFile::go_on(const FileAnswer& answer) {
  begun_ = true;
  if (*answer.offset > offer_.size || (offer_.anew && *answer.offset != 0)) {
    return fail(Outcome::kRejected, "it asks for another part than was offered");
  }
  offer_.anew = false;
  position_ = *answer.offset;
  expected_ = answer.sha256;
  state_ = position_ == 0 ? State::kSending : State::kToCheck;
}

void OutgoingFile::request_failed(Outcome outcome, std::string text, SteadyTime now) {
  if (end_) return;
  // Nobody is there, say. But whoever was about to take it may be back soon.
  const bool passes = outcome == Outcome::kTimedOut || outcome == Outcome::kLost ||
                      outcome == Outcome::kFull || outcome == Outcome::kDraining;
  if (outcome == Outcome::kRejected || (!begun_ && !passes)) return fail(outcome, std::move(text));
  if (outcome != Outcome::kTimedOut) {
    trouble_ = outcome;
    trouble_text_ = std::move(text);
  }
  offer_again_at(now + kBeforeNextTry);
}

void OutgoingFile::chunk_failed(std::uint64_t id, Outcome outcome, std::string text,
                                SteadyTime now) {
  if (end_ || id <= outdated_id_ || state_ == State::kToOffer) return;
  trouble_ = outcome;
  trouble_text_ = std::move(text);
  offer_again_at(now + kBeforeNextTry);
}

void OutgoingFile::stopped(const FileStop& stop, SteadyTime now) {
  if (end_ || stop.transfer != offer_.transfer) return;
  if (!stop.again) return fail(Outcome::kRejected, stop.text);
  const bool asks_already = state_ == State::kToOffer || state_ == State::kOffered;
  if (!asks_already) offer_again_at(now);
}

void OutgoingFile::offer_again_at(SteadyTime when) {
  state_ = State::kToOffer;
  resume_at_ = when;
}

void OutgoingFile::fail(Outcome outcome, std::string text) {
  if (!end_) end_ = End{outcome, std::move(text), ""};
}

}  // namespace zpost::cli
