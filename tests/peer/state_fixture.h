// A peer's State with a sink that keeps what it sends, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "peer/src/batch_builder.h"
#include "peer/src/state.h"

namespace zpost::peer {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Keeps what was sent; its clock stands still until it is set.
class FakeSink : public FrameSink {
 public:
  void send(FrameRef frame) override {
    ++frames;
    read(frame.bytes());
  }

  void send_control(Bytes frame) override { read(frame); }

  bool busy() override { return is_busy; }

  bool is_busy = false;  // Frames wait for the socket.
  int frames = 0;        // With payload.

  Time now() override { return time; }

  /// The bodies of all envelopes of `kind` so far.
  [[nodiscard]] std::vector<std::string> bodies(Kind kind) const {
    std::vector<std::string> found;
    for (const auto& [each, body] : sent) {
      if (each == kind) found.push_back(body);
    }
    return found;
  }

  Time time{seconds(1000)};
  std::vector<std::pair<Kind, std::string>> sent;
  // Of the same envelopes.
  std::vector<std::uint64_t> ids;
  std::vector<std::string> recipients;

 private:
  void read(Bytes frame) {
    FrameReader reader(frame);
    EnvelopeView view;
    while (reader.next(view)) {
      sent.emplace_back(view.kind(), as_text(view.body));
      ids.push_back(view.id);
      recipients.emplace_back(view.to);
    }
  }
};

class StateTest : public testing::Test {
 protected:
  explicit StateTest(Options options = {})
      : state_(named(options), std::string(32, '1'), pool_, sink_) {}

  static Options named(Options options) {
    options.name = "alice";
    return options;
  }

  void hear(Kind kind, Bytes body, const std::string& from = {}, std::uint64_t id = 0) {
    hear({kind, "alice", from, id, {}, body, false});
  }

  void hear(const EnvelopeFields& fields) {
    auto frame = std::make_shared<ByteBuffer>();
    append_envelope(*frame, fields);
    state_.handle(*frame, frame);
  }

  void hear_outcome(std::uint64_t id, const OutcomeNotice& notice) {
    hear(Kind::kOutcome, encode(notice), {}, id);
  }

  void be_welcomed(std::uint64_t credit = 1'000'000) {
    Welcome welcome;
    welcome.credit = welcome.pair = credit;
    be_welcomed(welcome);
  }

  /// With ids from 100 on, in run `a…` if it says no other.
  void be_welcomed(Welcome welcome) {
    state_.opened(sink_.time);
    if (welcome.run.empty()) welcome.run = std::string(32, run_);
    welcome.epoch = welcome.resumed ? epochs_ : ++epochs_;
    welcome.first_id = 100;
    if (welcome.credit == 0) welcome.credit = welcome.pair = 1'000'000;
    hear(Kind::kWelcome, encode(welcome));
  }

  /// The next envelope given to the program, copied.
  std::optional<Message> receive() {
    if (state_.inbox().empty()) return std::nullopt;
    Keeper keeper;
    return make_message(state_.inbox().give_one(keeper));
  }

  std::optional<std::uint64_t> send(const std::string& to, const std::string& body = "x") {
    return state_.try_send({.kind = Kind::kSend, .to = to, .body = as_bytes(body), .meta = {}});
  }

  static Draft reply(const std::string& to, std::string_view body) {
    Draft draft{.kind = Kind::kReply, .to = to, .body = as_bytes(body), .text = false, .meta = {}};
    draft.meta.in_reply_to = 1;
    return draft;
  }

  Ack last_ack() { return *decode_ack(as_bytes(sink_.bodies(Kind::kAck).back())); }

  FramePool pool_;
  FakeSink sink_;
  State state_;
  char run_ = 'a';  // Of the broker.
  std::uint64_t epochs_ = 0;
};

}  // namespace zpost::peer
