#include "tests/sim/world/window_gauge.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/rules.h"

namespace zpost::sim {

namespace {

constexpr std::uint64_t kSmallWindow = 64 << 10;  // Below it every envelope has its own frame.

}  // namespace

void WindowGauge::on_up(std::string_view frame) {
  FrameReader reader(as_bytes(frame));
  EnvelopeView view;
  while (reader.next(view)) {
    if (view.kind() == Kind::kHello) {
      if (leaving_ || ended_) begin_again();
      if (const auto hello = decode_hello(view.body)) on_hello(*hello);
    } else if (view.kind() == Kind::kAck) {
      if (const auto ack = decode_ack(view.body)) on_ack(*ack);
    } else if (view.kind() == Kind::kGoodbye) {
      leaving_ = true;
    }
  }
}

void WindowGauge::on_turn(std::size_t waiting) {
  if (!leaving_ || left_) return;
  left_ = true;
  before_ = waiting;
}

/// A new session on the same connection. Until its welcome what was under way still comes.
void WindowGauge::begin_again() {
  WindowGauge fresh;
  fresh.before_ = left_ ? before_ : SIZE_MAX;
  *this = fresh;
}

void WindowGauge::on_hello(const Hello& hello) {
  acks_ = hello.acks;
  window_frames_ = hello.window_frames;
  demands_ = hello.demand.has_value();
  hello_demand_ = hello.demand.value_or(UINT64_MAX);
}

void WindowGauge::on_welcome(const Welcome& welcome) {
  welcomed_ = true;
  before_ = 0;
  window_bytes_ = welcome.window_bytes;
  lane_ = welcome.taken;
  demand_ = hello_demand_ > UINT64_MAX - lane_ ? UINT64_MAX : lane_ + hello_demand_;
}

void WindowGauge::on_ack(const Ack& ack) {
  for (; !marks_.empty() && marks_.front().last <= ack.taken; marks_.pop_front()) {
    bytes_ -= marks_.front().bytes;
  }
  if (ack.demand && ack.credit > 0) demand_ = std::max(demand_, *ack.demand);
}

void WindowGauge::on_down(std::string_view frame) {
  FrameReader reader(as_bytes(frame));
  EnvelopeView view;
  std::uint64_t count = 0;
  while (reader.next(view)) {
    insist(!ended_ || view.kind() == Kind::kRefused, "nothing after the end", [&] {
      return fmt::format("{} was sent after refused or goodbye", kind_name(view.kind()));
    });
    if (is_program_lane(view.kind())) ++count;
    if (view.kind() == Kind::kWelcome) {
      if (const auto welcome = decode_welcome(view.body)) on_welcome(*welcome);
    }
    if (view.kind() == Kind::kRefused || view.kind() == Kind::kGoodbye) ended_ = welcomed_;
  }
  insist(!reader.failed(), "frames are envelopes", [&] { return reader.error_text(); });
  if (count > 0) on_program_lane(count, frame.size());
  if (before_ > 0) --before_;
}

void WindowGauge::on_program_lane(std::uint64_t count, std::uint64_t bytes) {
  insist((welcomed_ && !left_) || before_ > 0, "nothing for a closed peer", [&] {
    return fmt::format("{} envelopes were sent to a peer that {}", count,
                       left_ ? "said goodbye" : "was not welcomed");
  });
  if (!acks_) return;  // Its pipe is its window.
  const bool alone = marks_.empty();
  lane_ += count;
  bytes_ += bytes;
  marks_.push_back({lane_, bytes});
  const bool fits = alone || bytes_ <= window_bytes_;
  insist(fits, "window", [&] {
    return fmt::format("{} bytes are unacknowledged, the window is {}", bytes_, window_bytes_);
  });
  const bool few =
      window_frames_ == 0 || marks_.size() <= std::max<std::uint64_t>(window_frames_, 1);
  insist(few, "window of frames", [&] {
    return fmt::format("{} frames are unacknowledged, the window is {}", marks_.size(),
                       window_frames_);
  });
  insist(lane_ <= demand_, "demand", [&] {
    return fmt::format("lane number {} was sent, the demand goes to {}", lane_, demand_);
  });
  const bool apart = demands_ || window_bytes_ < kSmallWindow;
  insist(!apart || count == 1, "one envelope a frame", [&] {
    return fmt::format("{} envelopes in a frame, with a window of {} bytes", count, window_bytes_);
  });
}

}  // namespace zpost::sim
