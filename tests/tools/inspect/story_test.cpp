// The life of an envelope, put together from records.
#include "tools/inspect/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/inspect/story_text.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class StoryTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kStart = 1'767'225'600'000'000'000;
  static constexpr std::uint64_t kMs = 1'000'000;
  static constexpr std::uint64_t kId = 1'767'225'500'000'000'007;

  /// A record of alice's envelopes, `ms` after the start.
  TapEntry& add(TapEvent event, std::uint64_t ms, std::uint16_t code = 0,
                const std::string& to = "bob", Kind kind = Kind::kSend) {
    TapEntry entry;
    entry.record.event = event;
    entry.record.time_ns = kStart + ms * kMs;
    entry.record.first_id = entry.record.last_id = kId;
    entry.record.count = 1;
    entry.record.bytes = 40;
    entry.record.kind = static_cast<std::uint8_t>(kind);
    entry.record.code = code;
    entry.from = "alice";
    entry.to = to;
    records_.push_back(entry);
    return records_.back();
  }

  TapEntry& session(const std::string& name, std::uint64_t ms, SessionChange change) {
    TapEntry& entry = add(TapEvent::kSession, ms, static_cast<std::uint16_t>(change), "");
    entry.from = name;
    entry.record.first_id = 0;
    return entry;
  }

  Story story() {
    std::vector<Story> all = stories(records_, kId);
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? Story{} : all.front();
  }

  Verdict verdict(std::uint64_t ms = 10'000) { return judge(story(), kStart + ms * kMs, {}); }

  std::vector<TapEntry> records_;
};

TEST_F(StoryTest, WhatWasTakenIsDelivered) {
  add(TapEvent::kReceived, 0);
  add(TapEvent::kForwarded, 0);
  add(TapEvent::kDelivered, 2, 1);
  EXPECT_EQ(verdict().fate, Fate::kDelivered);
  EXPECT_EQ(verdict().text, "bob took it 2 ms after the broker received it.");
  EXPECT_EQ(story().bytes, 40u);
}

TEST_F(StoryTest, AnEnvelopeOfARunIsFoundByItsStep) {
  TapRecord& run = add(TapEvent::kReceived, 0).record;
  run.first_id = kId - 4;
  run.last_id = kId + 2;
  run.count = 4;
  run.bytes = 400;
  EXPECT_EQ(story().bytes, 100u);
  EXPECT_EQ(story().steps[0].count, 1u);
  EXPECT_THAT(stories(records_, kId - 1), IsEmpty()) << "between two steps";
}

TEST_F(StoryTest, ThoseOfOtherSendersAreStoriesOfTheirOwn) {
  add(TapEvent::kReceived, 0);
  add(TapEvent::kReceived, 1).from = "carol";
  const std::vector<Story> all = stories(records_, kId);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].from, "alice");
  EXPECT_EQ(all[1].from, "carol");
}

TEST_F(StoryTest, AFullWindowIsWhyItWaits) {
  add(TapEvent::kReceived, 0);
  add(TapEvent::kHeld, 0, static_cast<std::uint16_t>(HeldWhy::kWindowFull));
  const Verdict now = verdict(3000);
  EXPECT_EQ(now.fate, Fate::kHeld);
  EXPECT_EQ(now.responsible, "bob");
  EXPECT_THAT(now.text, HasSubstr("waited at the broker for 3.00 s"));
  EXPECT_THAT(now.text, HasSubstr("its window is full"));
  EXPECT_THAT(now.text, HasSubstr("bob is not there now"));
}

TEST_F(StoryTest, TheBrokersWordOfTheTakerIsPassedOn) {
  add(TapEvent::kReceived, 0);
  add(TapEvent::kForwarded, 0);
  peer::Peer::PeerInfo bob;
  bob.name = "bob";
  bob.state = "active";
  bob.queued = 1;
  bob.unacked = 5;
  bob.last_seen_ns = kStart;
  const Verdict now = judge(story(), kStart + 1000 * kMs, bob);
  EXPECT_EQ(now.fate, Fate::kUnderWay);
  EXPECT_THAT(now.text,
              HasSubstr("bob is active now, heard of 1.00 s ago; 1 envelope waits for it "
                        "at the broker; of what it was sent it has not taken 5 envelopes"));
  bob.queued = bob.unacked = 0;
  EXPECT_THAT(judge(story(), kStart + 1000 * kMs, bob).text,
              HasSubstr("nothing waits for it at the broker, and it has taken all it was sent."));
}

TEST_F(StoryTest, AWaitThatMadeItSlowIsNamed) {
  add(TapEvent::kReceived, 0);
  add(TapEvent::kHeld, 0, static_cast<std::uint16_t>(HeldWhy::kAway));
  session("bob", 1900, SessionChange::kResumed);
  add(TapEvent::kForwarded, 1900);
  add(TapEvent::kDelivered, 2000, 1);
  EXPECT_THAT(verdict().text, HasSubstr("Of that it waited 1.90 s at the broker: bob is away"));
  Story all = story();
  add_sessions(all, records_);
  ASSERT_THAT(all.steps, SizeIs(5));
  EXPECT_EQ(all.steps[2].event, TapEvent::kSession);
}

TEST_F(StoryTest, SessionsBeforeAndAfterAreNoPartOfIt) {
  session("bob", 0, SessionChange::kJoined);
  add(TapEvent::kReceived, 1);
  add(TapEvent::kDelivered, 2, 1);
  session("bob", 3, SessionChange::kOver);
  session("carol", 2, SessionChange::kOver);
  Story all = story();
  add_sessions(all, records_);
  EXPECT_THAT(all.steps, SizeIs(2));
}

TEST_F(StoryTest, WhatSeemedToGoAndDidNotWaits) {
  add(TapEvent::kReceived, 0);
  add(TapEvent::kForwarded, 0);
  add(TapEvent::kHeld, 0, static_cast<std::uint16_t>(HeldWhy::kPipeFull));
  EXPECT_THAT(story().steps, SizeIs(2));
  EXPECT_EQ(verdict().fate, Fate::kHeld);
}

TEST_F(StoryTest, AFailureNamesWhoIsResponsible) {
  add(TapEvent::kFailed, 0, static_cast<std::uint16_t>(Outcome::kNoPeer));
  EXPECT_EQ(verdict().fate, Fate::kFailed);
  EXPECT_EQ(verdict().responsible, "bob");
  EXPECT_THAT(verdict().text, HasSubstr("no-peer: nobody named bob is here"));
  records_.clear();
  add(TapEvent::kFailed, 0, static_cast<std::uint16_t>(Outcome::kForged));
  EXPECT_EQ(verdict().responsible, "alice");
}

TEST_F(StoryTest, ARequestInHandSaysWhoHasIt) {
  add(TapEvent::kReceived, 0, 0, "bob", Kind::kRequest);
  add(TapEvent::kForwarded, 0, 0, "bob", Kind::kRequest);
  add(TapEvent::kDelivered, 1, 1, "bob", Kind::kRequest);
  const Verdict now = verdict(1001);
  EXPECT_EQ(now.fate, Fate::kInHand);
  EXPECT_EQ(now.responsible, "bob");
  EXPECT_THAT(now.text, HasSubstr("has not answered for 1.00 s"));
}

TEST_F(StoryTest, WhoRepliesBeforeItAcknowledgesHasAnswered) {
  add(TapEvent::kReceived, 0, 0, "bob", Kind::kRequest);
  add(TapEvent::kForwarded, 0, 0, "bob", Kind::kRequest);
  add(TapEvent::kAnswered, 1, 0, "bob", Kind::kRequest).record.last_id = 4711;
  add(TapEvent::kDelivered, 1, 1, "bob", Kind::kRequest);
  EXPECT_EQ(verdict(1001).fate, Fate::kAnswered);
  EXPECT_THAT(verdict(1001).text, HasSubstr("bob answered it 1 ms after"));
}

TEST_F(StoryTest, ACallThatChangedItsWorkerIsToldWithBoth) {
  add(TapEvent::kReceived, 0, 0, "@sum", Kind::kCall);
  add(TapEvent::kAssigned, 0, 1, "w1", Kind::kCall);
  add(TapEvent::kHeld, 5, static_cast<std::uint16_t>(HeldWhy::kWorkerGone), "@sum", Kind::kCall);
  add(TapEvent::kAssigned, 6, 2, "w2", Kind::kCall);
  add(TapEvent::kDelivered, 7, 1, "w2", Kind::kCall);
  TapEntry& answer = add(TapEvent::kAnswered, 9, 0, "w2", Kind::kCall);
  answer.record.last_id = 4711;
  const Story call = story();
  EXPECT_EQ(call.to, "@sum");
  EXPECT_EQ(call.worker, "w2");
  EXPECT_EQ(verdict().fate, Fate::kAnswered);
  const std::string text = story_text(call, verdict(), cli::Palette(false));
  EXPECT_THAT(text, HasSubstr("given to worker w1\n"));
  EXPECT_THAT(text, HasSubstr("held: its worker is gone\n"));
  EXPECT_THAT(text, HasSubstr("given to worker w2, attempt 2\n"));
  EXPECT_THAT(text, HasSubstr("+2 ms       answered by w2 #4711\n"));
  const std::vector<ReplyRef> replies = replies_of(call);
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].from, "w2");
  EXPECT_EQ(replies[0].id, 4711u);
}

TEST_F(StoryTest, TheQuestionOfAReplyIsFoundByItsAnswer) {
  Story reply;
  reply.from = "bob";
  reply.to = "alice";
  reply.id = 4711;
  TapEntry& answer = add(TapEvent::kAnswered, 9, 0, "bob", Kind::kRequest);
  answer.record.last_id = 4711;
  EXPECT_EQ(question_of(reply, records_), kId);
  reply.from = "carol";
  EXPECT_EQ(question_of(reply, records_), std::nullopt);
}

TEST_F(StoryTest, AnAnswerWithoutAReplyIsAFailure) {
  add(TapEvent::kReceived, 0, 0, "bob", Kind::kRequest);
  add(TapEvent::kDelivered, 1, 1, "bob", Kind::kRequest);
  add(TapEvent::kAnswered, 500, static_cast<std::uint16_t>(Outcome::kExpired), "bob",
      Kind::kRequest);
  EXPECT_EQ(verdict().fate, Fate::kFailed);
  EXPECT_EQ(verdict().responsible, "bob");
  EXPECT_THAT(replies_of(story()), IsEmpty());
}

TEST_F(StoryTest, SpansNestRepliesInTheirRequest) {
  add(TapEvent::kReceived, 0, 0, "bob", Kind::kRequest);
  add(TapEvent::kForwarded, 0, 0, "bob", Kind::kRequest);
  add(TapEvent::kDelivered, 1, 1, "bob", Kind::kRequest);
  add(TapEvent::kAnswered, 3, 0, "bob", Kind::kRequest).record.last_id = 4711;
  Story request = story();
  Story reply;
  reply.from = "bob";
  reply.to = "alice";
  reply.id = 4711;
  reply.kind_number = static_cast<std::uint8_t>(Kind::kReply);
  TailLine received;
  received.time_ns = kStart + 3 * kMs;
  TailLine taken;
  taken.event = TapEvent::kDelivered;
  taken.time_ns = kStart + 4 * kMs;
  reply.steps = {received, taken};
  request.replies.push_back(reply);

  const auto json = nlohmann::json::parse(story_spans(request, verdict()));
  const auto& spans = json["resourceSpans"][0]["scopeSpans"][0]["spans"];
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans[0]["name"], "request bob");
  EXPECT_EQ(spans[0]["traceId"].get<std::string>().size(), 32u);
  EXPECT_EQ(spans[0]["endTimeUnixNano"], std::to_string(kStart + 4 * kMs));
  EXPECT_EQ(spans[1]["name"], "on its way to bob");
  EXPECT_EQ(spans[2]["name"], "with bob");
  EXPECT_EQ(spans[3]["name"], "reply alice");
  for (std::size_t i = 1; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i]["parentSpanId"], spans[0]["spanId"]);
    EXPECT_EQ(spans[i]["traceId"], spans[0]["traceId"]);
  }
}

TEST_F(StoryTest, JsonSaysTheVerdict) {
  add(TapEvent::kReceived, 0);
  add(TapEvent::kForwarded, 0);
  const auto json = nlohmann::json::parse(story_json(story(), verdict()));
  EXPECT_EQ(json["id"], std::to_string(kId));
  EXPECT_EQ(json["fate"], "under-way");
  EXPECT_EQ(json["responsible"], "bob");
  EXPECT_EQ(json["steps"][1]["after_ns"], 0);
  EXPECT_THAT(json["verdict"].get<std::string>(), Not(IsEmpty()));
}

TEST(SpanTextTest, UsesTheUnitThatFits) {
  EXPECT_EQ(span_text(0), "0 µs");
  EXPECT_EQ(span_text(12'345), "12 µs");
  EXPECT_EQ(span_text(3'400'000), "3.4 ms");
  EXPECT_EQ(span_text(2'410'000'000), "2.41 s");
  EXPECT_EQ(span_text(185'000'000'000), "3 min 5 s");
  EXPECT_EQ(span_text(7'500'000'000'000), "2 h 5 min");
}

}  // namespace
}  // namespace zpost::inspect
