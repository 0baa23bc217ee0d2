#include "peer/cli/files/incoming_files.h"

#include <gmock/gmock.h>

#include <map>

namespace zpost::cli {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// What a disk would keep, by transfer, and what it is told.
struct FakeDisk {
  std::map<std::string, std::string> parts;
  std::map<std::string, std::string> saved;  // By name.
  bool checks = true;                        // False: still reading what is there.
  bool saves = true;
  std::string trouble;
};

class FakeFile : public StoredFile {
 public:
  FakeFile(FakeDisk& disk, FileOffer offer)
      : disk_(disk),
        offer_(std::move(offer)),
        is_saved_already_(disk.saved.contains(offer_.name) && !offer_.anew) {}

  [[nodiscard]] std::string saved_name() const override {
    return is_saved_already_ ? offer_.name : "";
  }

  [[nodiscard]] std::optional<Result<Checked>> checked() override {
    if (!disk_.checks) return std::nullopt;
    const std::string& there =
        is_saved_already_ ? disk_.saved[offer_.name] : disk_.parts[offer_.transfer];
    Checked checked;
    checked.size = there.size();
    checked.sum.update(as_bytes(there));
    return checked;
  }

  [[nodiscard]] Result<void> append(std::uint64_t offset, Bytes bytes) override {
    EXPECT_EQ(offset, disk_.parts[offer_.transfer].size());
    if (!disk_.trouble.empty()) return Error{Outcome::kNone, disk_.trouble};
    disk_.parts[offer_.transfer] += as_text(bytes);
    return {};
  }

  [[nodiscard]] std::optional<Result<std::string>> save() override {
    if (!disk_.saves) return std::nullopt;
    if (!disk_.trouble.empty()) return Error{Outcome::kNone, disk_.trouble};
    disk_.saved[offer_.name] = std::exchange(disk_.parts[offer_.transfer], "");
    return offer_.name;
  }

  void discard() override { disk_.parts.erase(offer_.transfer); }

 private:
  FakeDisk& disk_;
  FileOffer offer_;
  bool is_saved_already_;
};

class FakeStore : public FileStore {
 public:
  explicit FakeStore(FakeDisk& disk) : disk_(disk) {}

  [[nodiscard]] Result<std::unique_ptr<StoredFile>> open(const FileOffer& offer) override {
    if (!disk_.trouble.empty()) return Error{Outcome::kNone, disk_.trouble};
    if (offer.anew) disk_.parts.erase(offer.transfer);
    return std::unique_ptr<StoredFile>(std::make_unique<FakeFile>(disk_, offer));
  }

 private:
  FakeDisk& disk_;
};

/// What bob answers, in a few words each.
class IncomingFilesTest : public testing::Test {
 protected:
  static std::string transfer(char letter) { return std::string(32, letter); }

  static FileOffer an_offer(char letter = 'a', std::uint64_t size = 10) {
    FileOffer offer;
    offer.transfer = transfer(letter);
    offer.name = std::string(1, letter);
    offer.size = size;
    return offer;
  }

  std::string offer(const std::string& from, const FileOffer& what) {
    files.on_offer(from, ++request, what, now);
    return answer();
  }

  std::string chunk(const std::string& from, char letter, std::uint64_t offset,
                    std::string_view text) {
    const std::string id = transfer(letter);
    const auto stop = files.on_chunk(from, {id, offset, as_bytes(text)}, now);
    if (!stop) return "";
    return (stop->again ? "again: " : "stop: ") + stop->text;
  }

  std::string done(const std::string& from, char letter, std::string_view all) {
    files.on_done(from, ++request, {transfer(letter), all.size(), digest_of(as_bytes(all))}, now);
    return answer();
  }

  std::string tick() {
    files.tick(now);
    return answer();
  }

  /// The latest, which must be to the latest request.
  std::string answer() {
    const std::vector<FileReply> replies = files.take_replies();
    if (replies.empty()) return "nothing yet";
    const FileReply& reply = replies.back();
    EXPECT_EQ(reply.request, request);
    if (reply.rejected) return "no: " + reply.text;
    if (reply.answer.offset) return "from " + std::to_string(*reply.answer.offset);
    return reply.answer.name.empty() ? "wait" : "saved as " + reply.answer.name;
  }

  std::vector<FileNews::Kind> news() {
    std::vector<FileNews::Kind> kinds;
    for (const FileNews& each : files.take_news()) kinds.push_back(each.kind);
    return kinds;
  }

  FakeDisk disk;
  FakeStore store{disk};
  IncomingFiles files{"bob", store};
  SteadyTime now = SteadyTime() + seconds(1000);
  std::uint64_t request = 0;
};

TEST_F(IncomingFilesTest, AFileIsOfferedSentAndSaved) {
  EXPECT_EQ(offer("alice", an_offer()), "from 0");
  EXPECT_EQ(chunk("alice", 'a', 0, "hello"), "");
  EXPECT_EQ(chunk("alice", 'a', 5, ", bob"), "");
  EXPECT_EQ(done("alice", 'a', "hello, bob"), "saved as a");
  EXPECT_EQ(disk.saved["a"], "hello, bob");
  EXPECT_THAT(news(), ElementsAre(FileNews::Kind::kSaved));
  EXPECT_THAT(files.progress(), IsEmpty());
}

TEST_F(IncomingFilesTest, AnOfferMadeAgainGoesOnWhereItWas) {
  (void)offer("alice", an_offer());
  (void)chunk("alice", 'a', 0, "hello");
  EXPECT_EQ(offer("alice", an_offer()), "from 5");
}

TEST_F(IncomingFilesTest, WhatIsThereFromBeforeIsReadFirstAndThenAnswered) {
  disk.parts[transfer('a')] = "hel";
  disk.checks = false;
  EXPECT_EQ(offer("alice", an_offer()), "nothing yet");
  EXPECT_TRUE(files.owes_answers());
  disk.checks = true;
  EXPECT_EQ(tick(), "from 3");
  EXPECT_FALSE(files.owes_answers());
  EXPECT_THAT(news(), ElementsAre(FileNews::Kind::kContinued));
}

TEST_F(IncomingFilesTest, WhoWaitsForLongIsToldToAskAgain) {
  disk.checks = false;
  (void)offer("alice", an_offer());
  now += seconds(2);
  EXPECT_EQ(tick(), "wait");
  EXPECT_EQ(tick(), "nothing yet");
}

TEST_F(IncomingFilesTest, AnewMeansFromTheBeginning) {
  disk.parts[transfer('a')] = "jello";
  EXPECT_EQ(offer("alice", an_offer()), "from 5");
  FileOffer anew = an_offer();
  anew.anew = true;
  EXPECT_EQ(offer("alice", anew), "from 0");
}

TEST_F(IncomingFilesTest, WhatComesTwiceCountsOnceAndWhatFollowsAGapNotAtAll) {
  (void)offer("alice", an_offer());
  (void)chunk("alice", 'a', 0, "hello");
  (void)chunk("alice", 'a', 0, "hello");
  (void)chunk("alice", 'a', 3, "lo, b");
  (void)chunk("alice", 'a', 9, "b");
  EXPECT_EQ(disk.parts[transfer('a')], "hello, b");
  EXPECT_EQ(done("alice", 'a', "hello, bob"), "from 8");
}

TEST_F(IncomingFilesTest, AWrongChecksumLeavesNothing) {
  (void)offer("alice", an_offer('a', 3));
  (void)chunk("alice", 'a', 0, "abc");
  EXPECT_THAT(done("alice", 'a', "abd"), HasSubstr("no: its checksum differs"));
  EXPECT_THAT(disk.parts, IsEmpty());
  EXPECT_THAT(disk.saved, IsEmpty());
}

TEST_F(IncomingFilesTest, MoreThanWasOfferedEndsIt) {
  (void)offer("alice", an_offer('a', 3));
  EXPECT_THAT(chunk("alice", 'a', 0, "four"), HasSubstr("stop: there is more of it"));
  EXPECT_THAT(disk.parts, IsEmpty());
}

TEST_F(IncomingFilesTest, AFullDiskIsToldToTheSenderAndKeepsThePart) {
  (void)offer("alice", an_offer());
  (void)chunk("alice", 'a', 0, "hello");
  disk.trouble = "a: No space left on device";
  EXPECT_EQ(chunk("alice", 'a', 5, ", bob"), "stop: bob cannot go on: a: No space left on device");
  EXPECT_EQ(disk.parts[transfer('a')], "hello");
  EXPECT_THAT(offer("alice", an_offer('b')), HasSubstr("no: bob cannot take it"));
}

TEST_F(IncomingFilesTest, SavingThatTakesAWhileIsAnsweredWhenItIsDone) {
  (void)offer("alice", an_offer('a', 0));
  disk.saves = false;
  EXPECT_EQ(done("alice", 'a', ""), "nothing yet");
  disk.saves = true;
  EXPECT_EQ(tick(), "saved as a");
}

TEST_F(IncomingFilesTest, OfTwoThatAskForOneFileTheLatestIsAnswered) {
  disk.checks = false;
  (void)offer("alice", an_offer());
  files.on_offer("alice", 2, an_offer(), now);
  const auto replies = files.take_replies();
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].request, 1U);
  EXPECT_GT(replies[0].answer.wait_ms, 0U);
}

TEST_F(IncomingFilesTest, ADoneSaidAgainIsAnsweredAgain) {
  (void)offer("alice", an_offer('a', 0));
  (void)done("alice", 'a', "");
  EXPECT_EQ(done("alice", 'a', ""), "saved as a");
  EXPECT_THAT(files.take_news(), SizeIs(1));
}

TEST_F(IncomingFilesTest, ADoneOfAnUnknownFileAsksForItFromTheBeginning) {
  EXPECT_EQ(done("alice", 'a', "hello"), "from 0");
}

TEST_F(IncomingFilesTest, AFileThatIsThereIsNotTakenAgain) {
  disk.saved["a"] = "hello, bob";
  EXPECT_EQ(offer("alice", an_offer()), "from 10");
  EXPECT_EQ(done("alice", 'a', "hello, bob"), "saved as a");
  EXPECT_THAT(news(), ElementsAre(FileNews::Kind::kSavedAlready));
}

TEST_F(IncomingFilesTest, AFileThatIsThereIsNotDamagedByWhoeverOffersTheSame) {
  disk.saved["a"] = "hello, bob";
  (void)offer("mallory", an_offer());
  (void)chunk("mallory", 'a', 10, "x");
  EXPECT_THAT(done("mallory", 'a', "another..."), HasSubstr("no: its checksum differs"));
  files.on_stop("mallory", {.transfer = transfer('a'), .text = {}, .discard = true}, now);
  EXPECT_EQ(disk.saved["a"], "hello, bob");
}

TEST_F(IncomingFilesTest, AnUnknownTransferIsAskedForOnce) {
  EXPECT_THAT(chunk("alice", 'a', 5, "x"), HasSubstr("again: "));
  EXPECT_EQ(chunk("alice", 'a', 6, "x"), "");
  (void)offer("alice", an_offer());
  EXPECT_EQ(chunk("alice", 'a', 0, "x"), "");
}

TEST_F(IncomingFilesTest, TheLatestToOfferAFileSendsIt) {
  (void)offer("alice", an_offer());
  (void)chunk("alice", 'a', 0, "hel");
  EXPECT_EQ(offer("alice-again", an_offer()), "from 3");
  EXPECT_EQ(chunk("alice", 'a', 3, "xx"), "stop: alice-again sends this file now");
  EXPECT_THAT(done("alice", 'a', "hello"), HasSubstr("no: alice-again sends"));
  EXPECT_EQ(disk.parts[transfer('a')], "hel");
}

TEST_F(IncomingFilesTest, OneTransferIsOneFile) {
  (void)offer("alice", an_offer());
  FileOffer other = an_offer();
  other.name = "other";
  EXPECT_THAT(offer("mallory", other), HasSubstr("no: another file"));
}

TEST_F(IncomingFilesTest, BeyondTheLimitAnIdleOneGivesWayOrNobodyDoes) {
  for (std::size_t i = 0; i < IncomingFiles::kAtOnce; ++i) {
    (void)offer("alice", an_offer(static_cast<char>('a' + i)));
    now += seconds(1);
  }
  EXPECT_EQ(offer("carol", an_offer('z')), "no: bob is receiving 16 files, which is its limit");
  now += seconds(15);
  EXPECT_EQ(offer("carol", an_offer('z')), "from 0");
  EXPECT_THAT(news(), ElementsAre(FileNews::Kind::kPaused));
}

TEST_F(IncomingFilesTest, WhatNobodyGoesOnWithIsForgottenAndItsPartKept) {
  (void)offer("alice", an_offer());
  (void)chunk("alice", 'a', 0, "hello");
  now += IncomingFiles::kIdle;
  (void)tick();
  EXPECT_THAT(news(), ElementsAre(FileNews::Kind::kPaused));
  EXPECT_EQ(offer("alice", an_offer()), "from 5");
}

TEST_F(IncomingFilesTest, ASenderThatStopsLeavesAPartUnlessItIsOfNoUse) {
  (void)offer("alice", an_offer());
  (void)chunk("alice", 'a', 0, "hello");
  files.on_stop("mallory", {.transfer = transfer('a'), .text = {}, .discard = true}, now);
  files.on_stop("alice", {.transfer = transfer('a'), .text = "Ctrl-C"}, now);
  EXPECT_EQ(disk.parts[transfer('a')], "hello");
  EXPECT_EQ(offer("alice", an_offer()), "from 5");
  files.on_stop("alice", {.transfer = transfer('a'), .text = {}, .discard = true}, now);
  EXPECT_THAT(disk.parts, IsEmpty());
}

TEST_F(IncomingFilesTest, NamesThatLeadAstrayAreRefused) {
  for (const char* const name : {"../a", "/a", ".a", "..", "", "a\nb"}) {
    FileOffer bad = an_offer();
    bad.name = name;
    EXPECT_THAT(offer("mallory", bad), HasSubstr("no: ")) << name;
  }
}

TEST_F(IncomingFilesTest, WhoeverIsUnderWayIsToldWhenTheRecipientLeaves) {
  (void)offer("alice", an_offer());
  const auto stops = files.leave("bye", now);
  ASSERT_THAT(stops, SizeIs(1));
  EXPECT_EQ(stops[0].first, "alice");
  EXPECT_EQ(stops[0].second.text, "bye");
}

}  // namespace
}  // namespace zpost::cli
