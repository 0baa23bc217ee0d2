// What an envelope costs in the routing core alone. Prints; judges nothing.
//
// Time is taken around calls of the router only: frames are made, and their ids renewed, outside.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/router.h"
#include "broker/core/topic_tree.h"
#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace {

using namespace zpost;        // NOLINT(google-build-using-namespace): a program of one file.
using namespace zpost::core;  // NOLINT(google-build-using-namespace)

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBodyBytes = 64;
constexpr std::size_t kFrameBytes = 64 << 10;
constexpr ConnectionId kSender = 0;

/// A router, a sender and recipients that take everything at once.
class Bench {
 public:
  explicit Bench(std::vector<std::string> recipients)
      : router_(limits(), {.name = "bench", .run = std::string(32, 'a'), .id_floor = 0}),
        recipients_(std::move(recipients)),
        taken_(recipients_.size()) {
    hello(kSender, "sender");
    for (std::size_t i = 0; i < recipients_.size(); ++i) {
      hello(connection_of(i), recipients_[i]);
    }
  }

  /// One frame from the sender, timed. It holds so many envelopes for each recipient.
  void frame(Bytes frame, std::uint64_t each) {
    const auto begin = Clock::now();
    router_.on_frame(kSender, "sender", frame, now_, out_);
    out_.clear();
    spent_ += Clock::now() - begin;
    for (std::uint64_t& taken : taken_) taken += each;
  }

  /// Many small frames, timed together.
  void frames(const std::vector<ByteBuffer>& frames) {
    const auto begin = Clock::now();
    for (const ByteBuffer& frame : frames) {
      router_.on_frame(kSender, "sender", frame, now_, out_);
      out_.clear();
    }
    spent_ += Clock::now() - begin;
    taken_[0] += frames.size();
  }

  /// The end of a turn, timed, and then everyone's ack, too.
  void turn() {
    now_.steady_ns += 50'000;
    now_.wall_ns += 50'000;
    timed([this] {
      router_.flush(now_, out_);
      out_.clear();
      router_.on_executed({}, now_, out_);
      out_.clear();
    });
    for (std::size_t i = 0; i < recipients_.size(); ++i) {
      const ByteBuffer ack = envelope(Kind::kAck, recipients_[i], encode(Ack{taken_[i], 0, 0}));
      timed([&] {
        router_.on_frame(connection_of(i), recipients_[i], ack, now_, out_);
        out_.clear();
      });
    }
  }

  [[nodiscard]] double spent_ns() const {
    return static_cast<double>(std::chrono::nanoseconds(spent_).count());
  }

  [[nodiscard]] const Accounting& accounting() const { return router_.accounting(); }

 private:
  static Limits limits() {
    Limits limits;
    limits.credit_initial = limits.credit_max;
    limits.pair_share = 1;
    return limits;
  }

  static ConnectionId connection_of(std::size_t recipient) {
    return static_cast<ConnectionId>(recipient + 1);
  }

  static ByteBuffer envelope(Kind kind, std::string_view from, Bytes body) {
    ByteBuffer frame;
    append_envelope(frame, {.kind = kind, .from = from, .body = body});
    return frame;
  }

  void hello(ConnectionId connection, std::string_view name) {
    const Hello hello{
        .instance = fmt::format("{:032x}", connection + 1), .acks = true, .resume = true};
    const ByteBuffer frame = envelope(Kind::kHello, name, encode(hello));
    router_.on_frame(connection, name, frame, now_, out_);
    out_.clear();
  }

  template <typename Step>
  void timed(Step step) {
    const auto begin = Clock::now();
    step();
    spent_ += Clock::now() - begin;
  }

  Router router_;
  Now now_{.steady_ns = kSecond, .wall_ns = 1'767'225'600'000'000'000};
  Actions out_;
  std::vector<std::string> recipients_;
  std::vector<std::uint64_t> taken_;
  Clock::duration spent_{};
};

/// Envelopes to the recipients in turn; the ids can be renewed in place.
class Bundle {
 public:
  Bundle(const std::vector<std::string>& recipients, std::size_t bytes) {
    const std::string body(kBodyBytes, 'x');
    for (std::size_t i = 0; frame_.size() < bytes || i % recipients.size() != 0; ++i) {
      const std::string& to = recipients[i % recipients.size()];
      ids_at_.push_back(frame_.size() + 2 + 1 + to.size() + 1 + std::string_view("sender").size());
      append_envelope(frame_, {.to = to, .from = "sender", .id = kFirst, .body = as_bytes(body)});
    }
  }

  void renew(std::uint64_t& next) {
    for (const std::size_t at : ids_at_) put_tagged(frame_.data() + at, 0xcf, next++);
  }

  [[nodiscard]] const ByteBuffer& frame() const { return frame_; }

  [[nodiscard]] std::size_t count() const { return ids_at_.size(); }

 private:
  static constexpr std::uint64_t kFirst = std::uint64_t{1} << 60;

  ByteBuffer frame_;
  std::vector<std::size_t> ids_at_;
};

void report(std::string_view what, const Bench& bench) {
  const Accounting& counted = bench.accounting();
  fmt::print("{:<46} {:7.1f} ns per envelope{}\n", what,
             bench.spent_ns() / static_cast<double>(counted.received),
             counted.failed == 0 ? "" : fmt::format(" ({} failed!)", counted.failed));
  std::fflush(stdout);
}

void bundles(std::string_view what, const std::vector<std::string>& recipients) {
  Bench bench(recipients);
  Bundle bundle(recipients, kFrameBytes - 200);
  std::uint64_t next = 1'767'225'600'000'000'001;
  for (int i = 0; i < 20'000; ++i) {
    bundle.renew(next);
    bench.frame(bundle.frame(), bundle.count() / recipients.size());
    bench.turn();
  }
  report(what, bench);
}

void singles(std::string_view what, std::size_t per_turn) {
  Bench bench({"recipient"});
  std::vector<Bundle> made(per_turn, Bundle({"recipient"}, 1));
  std::vector<ByteBuffer> frames(per_turn);
  std::uint64_t next = 1'767'225'600'000'000'001;
  for (std::size_t done = 0; done < 4'000'000; done += per_turn) {
    for (std::size_t i = 0; i < per_turn; ++i) {
      made[i].renew(next);
      frames[i] = made[i].frame();
    }
    bench.frames(frames);
    bench.turn();
  }
  report(what, bench);
}

/// What finding the subscribers of a topic costs that nobody remembers, when `subscriptions` of
/// others are in the same tree. 1,000 topics of three segments, ten subscribers each.
void matching(std::uint32_t subscriptions) {
  TopicTree tree;
  for (std::uint32_t i = 0; i < subscriptions; ++i) {
    tree.set(fmt::format("plant/{}/{}", i % 1000, i % 7 == 0 ? "*" : std::to_string(i / 1000)),
             {i});
  }
  tree.set("plant/**", {subscriptions});
  tree.set("*/*/0", {subscriptions + 1});
  std::vector<std::string> topics;
  for (int i = 0; i < 100; ++i) topics.push_back(fmt::format("plant/{}/0", i));
  std::vector<Subscriber> found;
  std::size_t sum = 0;
  constexpr int kRounds = 20'000;
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < kRounds; ++round) {
    for (const std::string& topic : topics) {
      found.clear();
      tree.match(topic, found);
      sum += found.size();
    }
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
  fmt::print("{:<46} {:7.1f} ns per topic, {:.1f} subscribers\n",
             fmt::format("matching among {} subscriptions", tree.size()),
             spent.count() / kRounds / static_cast<double>(topics.size()),
             static_cast<double>(sum) / kRounds / static_cast<double>(topics.size()));
}

}  // namespace

int main() {
  matching(100);
  matching(10'000);
  matching(100'000);
  bundles("64 KiB frames to one recipient (whole)", {"recipient"});
  bundles("64 KiB frames, two recipients in turn", {"recipient", "another"});
  singles("one envelope a frame, 64 frames a turn", 64);
  singles("one envelope a frame, 8 frames a turn", 8);
  singles("one envelope a frame, 1 frame a turn", 1);
}
