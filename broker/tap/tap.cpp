#include "broker/tap/tap.h"

#include <algorithm>
#include <cassert>

namespace zpost::tap {

void Tap::open(core::SessionId session, Bytes request) {
  const auto filter = core::parse_tap_filter(request);
  assert(filter.has_value());
  listeners_.insert_or_assign(session, Listener(*filter));
  router_.set_tap(true);
}

void Tap::close(core::SessionId session) {
  if (listeners_.erase(session) == 0 || !listeners_.empty()) return;
  router_.set_tap(false);
  names_.clear();
  names_.shrink_to_fit();
}

void Tap::take(const std::vector<core::TapNote>& notes, Bytes frame) {
  if (listeners_.empty()) return;
  for (const core::TapNote& note : notes) {
    // In this order: the second may make room for more names.
    const std::uint32_t most = std::max(note.record.from, note.record.to);
    if (most >= names_.size()) names_.resize(most + 1);
    const NameUse from = use_of(note.record.from);
    const NameUse to = use_of(note.record.to);
    const Bytes shown = note.length == 0 ? Bytes{} : frame.subspan(note.offset, note.length);
    for (auto& [session, listener] : listeners_) listener.offer(note.record, from, to, shown);
  }
}

/// REQUIRES: number < names_.size().
NameUse Tap::use_of(std::uint32_t number) {
  if (number == core::kBrokerName) return {};
  Name& known = names_[number];
  const std::string_view name = router_.name_of(number);
  // A name that is gone by the end of its last step keeps its text.
  if (!name.empty() && name != known.text) {
    known.text = name;
    ++known.version;
  }
  return {number, known.version, known.text};
}

bool Tap::flush(core::Now now, core::Actions& out) {
  bool sent = false;
  for (auto& [session, listener] : listeners_) {
    if (listener.next_body().empty()) listener.tell_missed(now.wall_ns);
    const Bytes body = listener.next_body();
    if (body.empty() || !router_.send_from_broker(session, kTapContentType, body, now, out)) {
      continue;
    }
    listener.pop_body();
    sent = true;
  }
  return sent;
}

}  // namespace zpost::tap
