#include "broker/tap/tap.h"

#include <pthread.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

namespace zpost::tap {

namespace {

// A nap in which more than this part of the ring came was too long.
constexpr std::size_t kMuchOfRing = 32;

std::uint64_t wall_ns() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

std::string what_is_wrong(std::string_view text, core::TapUse use) {
  const auto program = filter::Filter::compile(text);
  if (!program) return program.error().on_one_line(text);
  if (use == core::TapUse::kRecall && program->looks_into_envelopes()) {
    return "the recorder has neither bodies nor content types: a recall cannot ask for them";
  }
  return "";
}

/// REQUIRES: nothing is wrong with it.
std::optional<filter::Filter> compiled(const core::TapFilter& filter) {
  if (filter.filter.empty()) return std::nullopt;
  auto program = filter::Filter::compile(filter.filter);
  assert(program.has_value());
  return *std::move(program);
}

}  // namespace

Tap::Tap(core::Router& router, TapSettings settings)
    : router_(router),
      settings_(std::move(settings)),
      ring_(settings_.ring_bytes),
      desk_(ring_, mail_, settings_.recorder_bytes) {
  router_.set_filter_check(what_is_wrong);
  choose_detail();
  if (settings_.thread) thread_ = std::thread([this] { run(); });
}

Tap::~Tap() {
  stop_.store(true, std::memory_order_release);
  sleeper_.hurry();
  if (thread_.joinable()) thread_.join();
}

void Tap::choose_detail() {
  using core::TapDetail;
  const TapDetail least = settings_.recorder_bytes == 0 ? TapDetail::kNothing : TapDetail::kRuns;
  router_.set_tap(listeners_.empty() ? least : TapDetail::kTopics);
  snap_ = 0;
  for (const auto& [session, each] : listeners_) snap_ = std::max(snap_, each.snap);
  each_ = std::ranges::any_of(listeners_, [](const auto& entry) { return entry.second.each; });
}

template <typename Order>
void Tap::tell(Order order) {
  ring_.publish();
  mail_.tell({std::move(order), ring_.written()});
}

void Tap::open(core::SessionId session, Bytes request) {
  auto filter = core::parse_tap_filter(request);
  assert(filter.has_value());
  const std::uint64_t ticket = next_ticket_++;
  std::optional<filter::Filter> program = compiled(*filter);
  const bool looks = program && program->looks_into_envelopes();
  const bool each = filter->each && filter->snap > 0;
  const std::uint32_t snap = looks || each ? std::uint32_t{Listener::kMaxLook} : filter->snap;
  listeners_[session] = {ticket, snap, each};
  choose_detail();
  tell(OpenTap{session, ticket, *std::move(filter), std::move(program)});
  sleeper_.hurry();
}

void Tap::recall(core::SessionId session, Bytes request) {
  auto wish = core::parse_recall(request);
  assert(wish.has_value());
  const std::uint64_t ticket = recalls_[session] = next_ticket_++;
  std::optional<filter::Filter> program = compiled(wish->filter);
  tell(OpenRecall{session, ticket, *std::move(wish), std::move(program)});
  sleeper_.hurry();
}

void Tap::close(core::SessionId session) {
  const bool listened = listeners_.erase(session) != 0;
  const bool recalled = recalls_.erase(session) != 0;
  if (!listened && !recalled) return;
  if (listened) choose_detail();
  waiting_.erase(session);
  tell(CloseTap{session});
  sleeper_.call();
}

// ---- Notes
// ----------------------------------------------------------------------------------------

void Tap::take(const std::vector<core::TapNote>& notes, Bytes frame) {
  for (const core::TapNote& note : notes) {
    const bool in_parts = each_ && note.record.event == TapEvent::kReceived;
    if (in_parts && note.length > Listener::kMaxLook && note.record.count > 1) {
      put_in_parts(note, frame);
    } else {
      put_or_lose(note, frame);
    }
  }
  ring_.publish();
  ring_.half_full() ? sleeper_.hurry() : sleeper_.call();
}

void Tap::put_or_lose(const core::TapNote& note, Bytes frame) {
  if (put(note, frame)) return;
  ++lost_;
  ++missed_;
}

/// A received run in parts that are shown whole, so that none of its envelopes is left out.
void Tap::put_in_parts(const core::TapNote& note, Bytes frame) {
  FrameReader reader(frame.subspan(note.offset, note.length));
  core::TapNote part = note;
  part.record.count = part.length = 0;
  for (EnvelopeView view; reader.next(view);) {
    const auto size = static_cast<std::uint32_t>(view.bytes.size());
    if (part.record.count > 0 && part.length + size > Listener::kMaxLook) {
      put_or_lose(part, frame);
      part.offset += part.length;
      part.record.count = part.length = 0;
    }
    if (part.record.count == 0) part.record.first_id = view.id;
    part.record.last_id = view.id;
    ++part.record.count;
    part.record.bytes = part.length += size;
  }
  put_or_lose(part, frame);
}

bool Tap::put(const core::TapNote& note, Bytes frame) {
  if (!tell_name(note.record.from) || !tell_name(note.record.to)) return false;
  TapRecord record = note.record;
  record.missed = lost_;
  const std::size_t shown = std::min(note.length, snap_);
  const Bytes extra = shown == 0 ? Bytes{} : frame.subspan(note.offset, shown);
  if (!ring_.put(NoteRing::Type::kRecord, record, extra)) return false;
  lost_ = 0;
  return true;
}

/// The number's name goes before its first use. False: there is no room.
bool Tap::tell_name(std::uint32_t number) {
  if (number == core::kBrokerName) return true;
  if (number >= told_.size()) told_.resize(number + 1);
  const std::string_view name = router_.name_of(number);
  // A name that is gone by the end of its last step keeps its text.
  if (name.empty() || name == told_[number]) return true;
  TapRecord record;
  record.event = TapEvent::kName;
  record.from = number;
  if (!ring_.put(NoteRing::Type::kName, record, as_bytes(name))) return false;
  told_[number] = name;
  return true;
}

// ---- Bodies
// ----------------------------------------------------------------------------------------

/// What was packed for a listener that is gone by now, or asked anew, is nobody's.
bool Tap::is_wanted(const OutBody& body) const {
  if (body.channel == Channel::kRecall) {
    const auto found = recalls_.find(body.session);
    return found != recalls_.end() && found->second == body.ticket;
  }
  const auto found = listeners_.find(body.session);
  return found != listeners_.end() && found->second.ticket == body.ticket;
}

bool Tap::flush(core::Now now, core::Actions& out) {
  for (OutBody& body : mail_.take_bodies()) {
    if (is_wanted(body)) waiting_[body.session].push_back(std::move(body));
  }
  bool sent = false;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    std::deque<OutBody>& bodies = at->second;
    const OutBody& next = bodies.front();
    const char* const type = next.channel == Channel::kTap ? kTapContentType : kRecallContentType;
    if (!is_wanted(next)) {
      bodies.pop_front();
    } else if (router_.send_from_broker(at->first, type, next.bytes, now, out)) {
      tell(BodySent{at->first, next.channel, next.ticket});
      if (next.last) recalls_.erase(at->first);
      bodies.pop_front();
      sent = true;
    }
    at = bodies.empty() ? waiting_.erase(at) : std::next(at);
  }
  if (sent) sleeper_.call();
  return sent;
}

// ---- The thread
// ----------------------------------------------------------------------------------------

void Tap::work(std::uint64_t now_ns) {
  while (desk_.turn(now_ns).something) {
  }
}

void Tap::run() {
  const auto turn = [this] {
    const Desk::Done done = desk_.turn(wall_ns());
    if (done.bodies && settings_.wake) settings_.wake();
    return done.something || done.bodies;
  };
  ::pthread_setname_np(::pthread_self(), "zpost-tap");
  while (!stop_.load(std::memory_order_acquire)) {
    bool found = false;
    const std::uint64_t before = ring_.read();
    while (turn()) found = true;
    const bool much = ring_.read() - before > settings_.ring_bytes / kMuchOfRing;
    sleeper_.rest(found, much || desk_.is_watched(), turn);
  }
}

}  // namespace zpost::tap
