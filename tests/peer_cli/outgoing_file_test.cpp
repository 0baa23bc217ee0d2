#include "peer/cli/files/outgoing_file.h"

#include <gmock/gmock.h>

namespace zpost::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Step = OutgoingFile::Step;

const Digest kSomeDigest = digest_of(as_bytes("some"));

/// A file of 1,000 bytes on its way, and a clock that stands still unless it is moved.
class OutgoingFileTest : public testing::Test {
 protected:
  static FileOffer offer(std::uint64_t size) {
    FileOffer offer;
    offer.transfer = std::string(32, 'a');
    offer.name = "a";
    offer.size = size;
    return offer;
  }

  static FileAnswer from(std::uint64_t offset) { return {.offset = offset, .sha256 = kSomeDigest}; }

  static FileAnswer saved_as(const std::string& name) { return {.name = name}; }

  [[nodiscard]] Step next() { return file.next(now); }

  void answer(const FileAnswer& given) { file.answered(given, now); }

  /// Offered and accepted from its beginning.
  void begin() {
    EXPECT_EQ(next(), Step::kOffer);
    file.offered();
    EXPECT_EQ(next(), Step::kAwait);
    answer(from(0));
  }

  void send(std::uint64_t id, std::size_t bytes) {
    EXPECT_EQ(next(), Step::kSend);
    file.sent(id, bytes);
  }

  SteadyTime now = SteadyTime() + seconds(1000);
  OutgoingFile file{offer(1000), seconds(60), now};
};

TEST_F(OutgoingFileTest, IsOfferedSentAndFinished) {
  begin();
  send(1, 600);
  EXPECT_EQ(file.position(), 600U);
  send(2, 400);
  EXPECT_EQ(next(), Step::kFinish);
  file.finishing();
  EXPECT_EQ(next(), Step::kAwait);
  answer(saved_as("a (2)"));
  EXPECT_EQ(next(), Step::kEnd);
  EXPECT_EQ(file.end().outcome, Outcome::kDelivered);
  EXPECT_EQ(file.end().saved_as, "a (2)");
}

TEST_F(OutgoingFileTest, AnEmptyFileIsFinishedAtOnce) {
  file = OutgoingFile(offer(0), seconds(60), now);
  begin();
  EXPECT_EQ(next(), Step::kFinish);
}

TEST_F(OutgoingFileTest, GoesOnWhereItWasOnceWhatIsThereWasCompared) {
  file.offered();
  answer(from(700));
  EXPECT_EQ(next(), Step::kCheck);
  EXPECT_EQ(file.expected(), kSomeDigest);
  file.checked(true, now);
  EXPECT_EQ(next(), Step::kSend);
  EXPECT_EQ(file.position(), 700U);
}

TEST_F(OutgoingFileTest, IsOfferedAnewIfWhatIsThereDiffers) {
  file.offered();
  answer(from(700));
  file.checked(false, now);
  EXPECT_EQ(next(), Step::kOffer);
  EXPECT_TRUE(file.offer().anew);
  file.offered();
  answer(from(0));
  EXPECT_EQ(next(), Step::kSend);
  EXPECT_FALSE(file.offer().anew);
}

TEST_F(OutgoingFileTest, ARecipientThatInsistsOnWhatDiffersIsGivenUp) {
  file.offered();
  answer(from(700));
  file.checked(false, now);
  file.offered();
  answer(from(700));
  EXPECT_EQ(next(), Step::kEnd);
  EXPECT_EQ(file.end().outcome, Outcome::kRejected);
}

TEST_F(OutgoingFileTest, APositionBeyondItsEndIsGivenUp) {
  file.offered();
  answer(from(1001));
  EXPECT_EQ(next(), Step::kEnd);
}

TEST_F(OutgoingFileTest, WaitsAsLongAsItIsTold) {
  file.offered();
  answer({.wait_ms = 300});
  EXPECT_EQ(next(), Step::kPause);
  EXPECT_EQ(file.resume_at(), now + milliseconds(300));
  now += milliseconds(300);
  EXPECT_EQ(next(), Step::kOffer);
}

TEST_F(OutgoingFileTest, IsNotKeptWaitingForHours) {
  file.offered();
  answer({.wait_ms = 1ULL << 63});
  EXPECT_LE(file.resume_at(), now + seconds(5));
}

TEST_F(OutgoingFileTest, ALostChunkMakesItAskWhereToGoOn) {
  begin();
  send(1, 600);
  file.chunk_failed(1, Outcome::kLost, "", now);
  EXPECT_EQ(next(), Step::kPause);
  now = file.resume_at();
  EXPECT_EQ(next(), Step::kOffer);
  file.offered();
  answer(from(200));
  EXPECT_EQ(next(), Step::kCheck);
}

TEST_F(OutgoingFileTest, ChunksFromBeforeTheLatestOfferAreOldNews) {
  begin();
  send(1, 100);
  send(2, 100);
  file.chunk_failed(1, Outcome::kLost, "", now);
  file.offered();
  file.chunk_failed(2, Outcome::kLost, "", now);
  EXPECT_EQ(next(), Step::kAwait);
}

TEST_F(OutgoingFileTest, NobodyThereIsToldAtOnce) {
  file.offered();
  file.request_failed(Outcome::kNoPeer, "nobody", now);
  EXPECT_EQ(next(), Step::kEnd);
  EXPECT_EQ(file.end().outcome, Outcome::kNoPeer);
}

TEST_F(OutgoingFileTest, ARecipientThatLeftInTheMiddleIsWaitedFor) {
  begin();
  send(1, 100);
  file.chunk_failed(1, Outcome::kLost, "", now);
  for (int second = 0; second < 59; ++second) {
    now += seconds(1);
    ASSERT_EQ(next(), Step::kOffer);
    file.offered();
    file.request_failed(Outcome::kNoPeer, "nobody", now);
  }
  now += seconds(1);
  EXPECT_EQ(next(), Step::kEnd);
  EXPECT_EQ(file.end().outcome, Outcome::kNoPeer);
}

TEST_F(OutgoingFileTest, ALostOfferIsMadeAgain) {
  file.offered();
  file.request_failed(Outcome::kLost, "", now);
  now = file.resume_at();
  EXPECT_EQ(next(), Step::kOffer);
}

TEST_F(OutgoingFileTest, WithoutProgressItTimesOut) {
  begin();
  now += seconds(59);
  file.progressed(now);
  now += seconds(59);
  EXPECT_EQ(next(), Step::kSend);
  now += seconds(1);
  EXPECT_EQ(next(), Step::kEnd);
  EXPECT_EQ(file.end().outcome, Outcome::kTimedOut);
}

TEST_F(OutgoingFileTest, ComparingALargeFileIsNoLackOfProgress) {
  file.offered();
  answer(from(700));
  now += std::chrono::hours(1);
  EXPECT_EQ(next(), Step::kCheck);
  file.checked(true, now);
  EXPECT_EQ(next(), Step::kSend);
}

TEST_F(OutgoingFileTest, ANoIsFinal) {
  begin();
  file.finishing();
  file.request_failed(Outcome::kRejected, "no more room", now);
  EXPECT_EQ(next(), Step::kEnd);
  EXPECT_EQ(file.end().text, "no more room");
}

TEST_F(OutgoingFileTest, ARecipientThatStopsItEndsIt) {
  begin();
  file.stopped({.transfer = std::string(32, 'b'), .text = "another's"}, now);
  EXPECT_EQ(next(), Step::kSend);
  file.stopped({.transfer = std::string(32, 'a'), .text = "disk full"}, now);
  EXPECT_EQ(next(), Step::kEnd);
  EXPECT_EQ(file.end().text, "disk full");
}

TEST_F(OutgoingFileTest, ARecipientThatForgotItIsAskedAgainButNotTwice) {
  begin();
  const FileStop forgotten{.transfer = std::string(32, 'a'), .text = {}, .again = true};
  file.stopped(forgotten, now);
  EXPECT_EQ(next(), Step::kOffer);
  file.offered();
  file.stopped(forgotten, now);
  EXPECT_EQ(next(), Step::kAwait);
}

TEST_F(OutgoingFileTest, WhatIsMissingAtTheEndIsSentAgain) {
  begin();
  send(1, 1000);
  file.finishing();
  answer(from(500));
  EXPECT_EQ(next(), Step::kOffer);
}

}  // namespace
}  // namespace zpost::cli
