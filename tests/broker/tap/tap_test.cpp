#include "broker/tap/tap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace zpost::tap {
namespace {

core::Limits large_credit() {
  core::Limits limits;
  limits.credit_initial = 4 << 20;
  return limits;
}

/// A core and a tap, without a socket: what the broker's loop does between them.
class TapTest : public testing::Test {
 protected:
  void hello(core::ConnectionId connection, std::string_view name) {
    Hello hello;
    hello.instance = std::string(31, 'a') + static_cast<char>('0' + connection);
    const ByteBuffer body = encode(hello);
    frame(connection, name, {.kind = Kind::kHello, .from = name, .body = body});
  }

  void frame(core::ConnectionId connection, std::string_view name, const EnvelopeFields& fields) {
    ByteBuffer bytes;
    append_envelope(bytes, fields);
    router_.on_frame(connection, name, bytes, now_, out_);
    pass_on(bytes);
  }

  void pass_on(Bytes bytes) {
    tap_.take(out_.tap, bytes);
    for (const core::Action& action : out_.list) {
      if (action.op == core::Op::kUntap) tap_.close(action.session);
      if (action.op == core::Op::kRecall) {
        tap_.recall(action.session, Bytes(out_.arena).subspan(action.offset, action.length));
      }
      if (action.op == core::Op::kTap) {
        const Bytes request = Bytes(out_.arena).subspan(action.offset, action.length);
        tap_.open(action.session, request);
      }
    }
    out_.clear();
  }

  void open_tap() {
    hello(0, "eve");
    ask("tap");
  }

  void settle() {
    router_.flush(now_, out_);
    pass_on({});
    router_.on_executed({}, now_, out_);
    pass_on({});
  }

  /// What the next flush shows, as "event from>to".
  std::vector<std::string> shown(std::string_view type = kTapContentType) {
    std::vector<std::string> lines;
    tap_.work(now_.wall_ns);
    EXPECT_TRUE(tap_.flush(now_, out_));
    FrameReader reader(out_.arena);
    EnvelopeView view;
    EXPECT_TRUE(reader.next(view));
    EXPECT_EQ(read_meta(view)->content_type, type);
    Bytes body = view.body;
    while (!body.empty()) {
      TapRecord record;
      std::memcpy(&record, body.data(), sizeof record);
      body = body.subspan(sizeof record + (record.extra + 7) / 8 * 8);
      if (record.event == TapEvent::kName) continue;
      lines.push_back(std::to_string(static_cast<int>(record.event)) + " " +
                      std::string(router_.name_of(record.from)) + ">" +
                      std::string(router_.name_of(record.to)));
    }
    out_.clear();
    return lines;
  }

  void ask(std::string_view op, std::string_view filter = "") {
    ByteBuffer body;
    MsgpackWriter(body).map(2).str("op").str(op).str("filter").str(filter);
    frame(0, "eve", {.kind = Kind::kRequest, .from = "eve", .id = ++id_, .body = body});
    settle();
  }

  core::Router router_{large_credit(), {"zpost", std::string(32, '0'), 0}};
  Tap tap_{router_, {.recorder_bytes = 1 << 20, .thread = false}};
  core::Now now_{core::kSecond, 1'000'000'000'000};
  core::Actions out_;
  std::uint64_t id_ = 2'000'000'000'000;
};

using Lines = std::vector<std::string>;

TEST_F(TapTest, WithoutAListenerNothingIsNoted) {
  hello(1, "alice");
  EXPECT_FALSE(tap_.open());
  EXPECT_FALSE(tap_.flush(now_, out_));
}

TEST_F(TapTest, WhatIsReceivedAndForwardedIsShown) {
  open_tap();
  hello(1, "alice");
  hello(2, "bob");
  frame(1, "alice", {.kind = Kind::kSend, .to = "bob", .from = "alice", .id = ++id_});
  settle();
  EXPECT_EQ(shown(), (Lines{"6 alice>", "6 bob>", "1 alice>bob", "2 alice>bob", "5 alice>bob"}));
}

TEST_F(TapTest, AFilterSaysWhatIsShown) {
  hello(0, "eve");
  ask("tap", "event = forwarded or event = session and from = b*");
  hello(1, "alice");
  hello(2, "bob");
  frame(1, "alice", {.kind = Kind::kSend, .to = "bob", .from = "alice", .id = ++id_});
  settle();
  EXPECT_EQ(shown(), (Lines{"6 bob>", "2 alice>bob"}));
}

TEST_F(TapTest, AFilterThatLooksIntoBodiesIsShownThemWhateverTheSnap) {
  hello(0, "eve");
  ask("tap", "body = 'hello *'");
  hello(1, "alice");
  hello(2, "bob");
  for (const char* const text : {"good bye", "hello bob"}) {
    frame(1, "alice",
          {.kind = Kind::kSend, .to = "bob", .from = "alice", .id = ++id_, .body = as_bytes(text)});
  }
  EXPECT_EQ(shown(), Lines{"1 alice>bob"});
}

TEST_F(TapTest, AFilterThatCannotBeReadOpensNothing) {
  hello(0, "eve");
  ask("tap", "frm = alice");
  EXPECT_FALSE(tap_.open());
  ask("recall", "body = x");
  EXPECT_FALSE(tap_.open());
}

TEST_F(TapTest, ARecallTellsWhatItsFilterWants) {
  hello(1, "alice");
  hello(2, "bob");
  frame(1, "alice", {.kind = Kind::kSend, .to = "bob", .from = "alice", .id = ++id_});
  hello(0, "eve");
  ask("recall", "event = received and to = bob");
  EXPECT_EQ(shown(kRecallContentType), (Lines{"1 alice>bob", "11 >"}));
}

TEST_F(TapTest, TheTapDoesNotShowItself) {
  open_tap();
  hello(1, "alice");
  shown();
  settle();
  EXPECT_FALSE(tap_.flush(now_, out_));
}

TEST_F(TapTest, EveryEnvelopeOfALargeFrameIsShownToWhoAsksForEach) {
  constexpr int kEnvelopes = 300;
  hello(0, "eve");
  ByteBuffer request;
  MsgpackWriter(request).map(3).str("op").str("tap").str("snap").uint(9999).str("each").boolean(
      true);
  frame(0, "eve", {.kind = Kind::kRequest, .from = "eve", .id = ++id_, .body = request});
  settle();
  hello(1, "alice");
  hello(2, "bob");
  ByteBuffer bytes;
  const std::string text(1000, 'x');
  for (int i = 0; i < kEnvelopes; ++i) {
    append_envelope(
        bytes,
        {.kind = Kind::kSend, .to = "bob", .from = "alice", .id = ++id_, .body = as_bytes(text)});
  }
  router_.on_frame(1, "alice", bytes, now_, out_);
  pass_on(bytes);
  tap_.work(now_.wall_ns);
  std::uint64_t next = id_ - kEnvelopes + 1;
  while (tap_.flush(now_, out_)) {
    FrameReader reader(out_.arena);
    EnvelopeView view;
    ASSERT_TRUE(reader.next(view));
    for (Bytes body = view.body; !body.empty();) {
      TapRecord record;
      std::memcpy(&record, body.data(), sizeof record);
      if (record.event == TapEvent::kReceived) {
        EXPECT_EQ(record.first_id, next);
        EXPECT_EQ(record.extra, record.bytes);
        EXPECT_EQ(record.missed, 0U);
        next += record.count;
      }
      body = body.subspan(sizeof record + (record.extra + 7) / 8 * 8);
    }
    out_.clear();
    settle();
    tap_.work(now_.wall_ns);
  }
  EXPECT_EQ(next, id_ + 1);
}

TEST_F(TapTest, FailuresAreShown) {
  open_tap();
  hello(1, "alice");
  shown();
  settle();
  frame(1, "alice", {.kind = Kind::kSend, .to = "nobody", .from = "alice", .id = ++id_});
  EXPECT_EQ(shown(), Lines{"4 alice>nobody"});
}

TEST_F(TapTest, TheEndOfTheSessionEndsTheTap) {
  open_tap();
  EXPECT_TRUE(tap_.open());
  frame(0, "eve", {.kind = Kind::kGoodbye, .from = "eve"});
  EXPECT_FALSE(tap_.open());
}

TEST_F(TapTest, WhatNobodyWatchedCanBeRecalled) {
  hello(1, "alice");
  hello(2, "bob");
  frame(1, "alice", {.kind = Kind::kSend, .to = "bob", .from = "alice", .id = ++id_});
  settle();
  hello(0, "eve");
  ask("recall");
  EXPECT_TRUE(tap_.open());
  EXPECT_EQ(shown(kRecallContentType), (Lines{"6 alice>", "6 bob>", "1 alice>bob", "2 alice>bob",
                                              "5 alice>bob", "6 eve>", "14 eve>", "11 >"}));
  EXPECT_FALSE(tap_.open()) << "a recall ends by itself";
}

TEST_F(TapTest, ARecallOfASessionThatLeftIsForgotten) {
  hello(0, "eve");
  ask("recall");
  frame(0, "eve", {.kind = Kind::kGoodbye, .from = "eve"});
  tap_.work(now_.wall_ns);
  EXPECT_FALSE(tap_.open());
  EXPECT_FALSE(tap_.flush(now_, out_));
}

}  // namespace
}  // namespace zpost::tap
