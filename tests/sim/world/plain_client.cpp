#include "tests/sim/world/plain_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/broker/core/support/describe.h"

namespace zpost::sim {

namespace {

constexpr std::size_t kFramesInTcp = 2;
constexpr Moment kReconnect = 100 * kMilli;
constexpr Moment kHelloAgain = 500 * kMilli;
constexpr std::size_t kBodyBytes = 40;

}  // namespace

PlainClient::PlainClient(std::string name, std::uint64_t seed, LetterBook& book, BrokerHost& broker,
                         Tell tell)
    : name_(std::move(name)),
      dice_(seed),
      book_(book),
      broker_(broker),
      tell_(std::move(tell)),
      instance_(book.add_plain_instance(name_)) {
  say_hello();
}

void PlainClient::say(const std::string& what) const {
  if (tell_) tell_(name_ + " " + what);
}

// ---- The socket
// ----------------------------------------------------------------------------------

void PlainClient::connect() {
  connect_at_ = now_ + kReconnect;
  if (!broker_.runs()) return;
  Wire::Nature nature;
  nature.seed = dice_.below(UINT64_MAX);
  nature.held_by_tcp = 8;
  wire_ = std::make_shared<Wire>(name_, nature);
  broker_.accept_again(wire_, name_ + "~", 8);
  say("connects by itself");
}

void PlainClient::notice_loss() {
  if (wire_ == nullptr || wire_->loss(now_).empty()) return;
  wire_->close_by_program(now_, false);
  wire_.reset();
  connect_at_ = now_ + kReconnect;
}

/// TCP takes a few frames; the rest stays with libzmq, for the next connection if need be.
void PlainClient::pass_on() {
  if (wire_ == nullptr || wire_->ended()) return;
  while (!outbox_.empty() && wire_->unsent() < kFramesInTcp) {
    wire_->send_up(now_, std::move(outbox_.front()));
    outbox_.pop_front();
  }
}

void PlainClient::put(const EnvelopeFields& fields) {
  ByteBuffer frame;
  append_envelope(frame, fields);
  outbox_.emplace_back(as_text(frame));
  pass_on();
}

// ---- Turns
// ---------------------------------------------------------------------------------------

void PlainClient::advance(Moment now) {
  now_ = now;
  if (wire_ != nullptr) {
    for (const std::string& frame : wire_->receive_down(now)) on_frame(frame);
  }
  notice_loss();
  if (wire_ == nullptr && now_ >= connect_at_) connect();
  if (!welcomed_ && now_ >= hello_at_) say_hello();
  pass_on();
}

Moment PlainClient::next() const {
  Moment next = wire_ == nullptr ? connect_at_ : wire_->next_for_program();
  if (!welcomed_) next = std::min(next, hello_at_);
  if (wire_ != nullptr && !outbox_.empty()) next = std::min(next, now_ + kMilli);
  return next;
}

void PlainClient::say_hello() {
  hello_at_ = now_ + kHelloAgain;
  if (outbox_.size() > kFramesInTcp) return;  // One waits there already.
  Hello hello;
  hello.instance = fmt::format("{:032x}", instance_ + 1);
  const ByteBuffer body = encode(hello);
  put({.kind = Kind::kHello, .from = name_, .body = body});
}

void PlainClient::on_frame(std::string_view frame) {
  if (tell_) {
    for (const std::string& line : core::test::describe(frame)) say("<- " + line);
  }
  FrameReader reader(as_bytes(frame));
  EnvelopeView view;
  while (reader.next(view)) on_envelope(view);
}

void PlainClient::on_envelope(const EnvelopeView& view) {
  switch (view.kind()) {
    case Kind::kWelcome: {
      const auto welcome = decode_welcome(view.body);
      next_id_ = std::max(next_id_, welcome->first_id);
      welcomed_ = true;
      open_.clear();  // What was unsettled is unknown.
      return;
    }
    case Kind::kRefused:
    case Kind::kGoodbye:
      if (welcomed_) hello_at_ = now_;
      welcomed_ = false;
      return;
    case Kind::kPing:
      return put({.kind = Kind::kPong, .from = name_, .body = view.body});
    case Kind::kReceipt:
      if (const auto receipt = decode_receipt(view.body)) on_receipt(*receipt);
      return;
    case Kind::kOutcome:
      if (const auto notice = decode_outcome(view.body))
        open_.erase(std::string(notice->recipient));
      return;
    default:
      if (is_payload(view.kind()) && !view.from.empty()) book_.note_read(instance_, view);
  }
}

void PlainClient::on_receipt(const Receipt& receipt) {
  for (const ReceiptEntry& entry : receipt.entries) open_.erase(std::string(entry.recipient));
}

// ---- What it does
// --------------------------------------------------------------------------------

void PlainClient::send(const std::string& to) {
  if (!welcomed_ || !open_.insert(to).second) return;
  const Serial serial = book_.write(instance_, to, Kind::kSend);
  const std::uint64_t id = next_id_++;
  book_.note_id(serial, id);
  say(fmt::format("sends letter {} (#{}) to {}", serial, id, to));
  const std::string body = letter_body(serial, kBodyBytes);
  put({.to = to, .from = name_, .id = id, .body = as_bytes(body)});
}

void PlainClient::end() {
  if (wire_ != nullptr) wire_->close_by_program(now_, false);
  wire_.reset();
}

void PlainClient::goodbye() {
  if (!welcomed_) return;
  say("says goodbye");
  put({.kind = Kind::kGoodbye, .from = name_});
  welcomed_ = false;
  hello_at_ = now_ + kHelloAgain;
}

}  // namespace zpost::sim
