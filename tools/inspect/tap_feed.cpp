#include "tools/inspect/tap_feed.h"

#include <future>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using std::chrono::milliseconds;

constexpr milliseconds kTapPatience{5000};
constexpr milliseconds kParting{3000};
constexpr milliseconds kStep{10};

}  // namespace

ExitCode TapFeed::open() {
  asked_in_ = watch_.fresh_sessions();
  reader_ = TapReader();
  const peer::Answer<peer::Message> answer = peer_.request("", encode(wish_), kTapPatience).get();
  if (answer) return ExitCode::kAsWanted;
  cli::complain("the broker does not open its tap: " + cli::visible_line(answer.error().text));
  if (answer.error().fault == peer::Fault::kTimedOut) --asked_in_;  // Later, then.
  return cli::exit_code_of(answer.error());
}

ExitCode TapFeed::open(TapWish wish) {
  wish_ = std::move(wish);
  return open();
}

bool TapFeed::receive(milliseconds glance) {
  entries_.clear();
  if (watch_.fresh_sessions() != asked_in_) (void)open();
  if (!peer_.receive_batch(batch_, glance)) return false;
  for (const EnvelopeView& view : batch_.envelopes()) read(view);
  return true;
}

void TapFeed::take() {
  entries_.clear();
  peer_.take();
}

ExitCode TapFeed::close() {
  if (peer_.connected()) shut();
  peer_.close(milliseconds(0));
  if (const std::string text = refusals_.dropped_text(); !text.empty()) cli::complain(text);
  return is_over() ? ExitCode::kRefused : ExitCode::kAsWanted;
}

void TapFeed::shut() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + kParting;
  const auto answer = peer_.request("", encode_untap(), kParting);
  bool answered = false;
  bool came = false;
  do {
    // Asked first: what came before the answer may still wait to be received.
    answered = answer.wait_for(milliseconds(0)) == std::future_status::ready;
    came = peer_.receive_batch(batch_, answered ? milliseconds(0) : kStep);
    if (came) peer_.take();
  } while ((came || !answered) && Clock::now() < end);
}

void TapFeed::read(const EnvelopeView& view) {
  if (view.kind() == Kind::kRequest) {
    (void)refusals_.say_no(view.from, view.id, peer_.name() + " only watches");
  }
  if (!view.from.empty() || view.kind() != Kind::kSend) return;
  const Result<void> done = reader_.read(view.body, entries_);
  if (!done) cli::complain(done.error().text);
}

}  // namespace zpost::inspect
