#include "tools/inspect/tap_feed.h"

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "tools/inspect/parting.h"
#include "tools/inspect/refusal.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using std::chrono::milliseconds;

constexpr milliseconds kTapPatience{5000};
constexpr milliseconds kParting{3000};  // A busy broker has much under way.

}  // namespace

ExitCode TapFeed::open() {
  asked_in_ = watch_.fresh_sessions();
  reader_ = TapReader();
  const peer::Answer<peer::Message> answer = peer_.request("", encode(wish_), kTapPatience).get();
  is_open_ = answer.has_value();
  if (is_open_) return ExitCode::kAsWanted;
  cli::complain("the broker does not open its tap: " + cli::visible_line(answer.error().text));
  if (answer.error().fault == peer::Fault::kTimedOut) --asked_in_;  // Later, then.
  return exit_code_of(answer.error());
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
  part(peer_, kParting);
  if (const std::string text = refusals_.dropped_text(); !text.empty()) cli::complain(text);
  return is_over() ? ExitCode::kRefused : ExitCode::kAsWanted;
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
