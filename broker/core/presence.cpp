// Who hears of whom: watches, presence, metadata, wills. SPEC.md, sections 4 and 18.
#include <fmt/format.h>

#include <algorithm>

#include "broker/core/router_impl.h"
#include "zpost/protocol/names.h"

namespace zpost::core {

void Router::Impl::on_watch(Session& session, const EnvelopeView& view) {
  const auto watch = decode_watch(view.body);
  if (!watch) return refuse_interest(session, view, watch.error());
  std::vector<std::string>& watches = session.watches;
  const auto known = std::find(watches.begin(), watches.end(), watch->pattern);
  if (known != watches.end() || !watch->on) {
    // To say it again changes nothing: what is there is told already.
    if (known != watches.end() && !watch->on) {
      watches.erase(known);
      if (watches.empty()) watch_nothing(session);
    }
    return answer_interest(session, view, Outcome::kDelivered);
  }
  if (watches.size() >= limits.watches) {
    return answer_interest(session, view, Outcome::kFull, Detail::kWatches);
  }
  if (!may_tell_all(session, view)) return;
  if (watches.empty()) watchers_.push_back(session.id);
  watches.emplace_back(watch->pattern);
  answer_interest(session, view, Outcome::kDelivered);
  for (const auto& other : sessions_) {
    if (other == nullptr || other.get() == &session) continue;
    if (other->state == Session::State::kExpected) continue;
    if (matches_name_pattern(watch->pattern, name_of(*other))) {
      send_presence(session, *other, "present", "");
    }
  }
}

void Router::Impl::on_describe(Session& session, const EnvelopeView& view) {
  auto metadata = decode_describe(view.body);
  if (!metadata) return refuse_interest(session, view, metadata.error());
  if (!may_tell_all(session, view)) return;
  const bool changed = *metadata != session.hello.metadata;
  session.hello.metadata = std::move(*metadata);
  answer_interest(session, view, Outcome::kDelivered);
  if (!changed) return;
  note_session(session, SessionChange::kChanged, Outcome::kNone);
  tell_presence(session, "changed", "");
}

/// Each new watch is a walk over all sessions, each change is told to all who watch: both only now
/// and then. If not, it is a violation.
bool Router::Impl::may_tell_all(Session& session, const EnvelopeView& view) {
  if (now_.steady_ns - session.watches_since >= kSecond) {
    session.watches_since = now_.steady_ns;
    session.new_watches = 0;
  }
  if (++session.new_watches <= 2 * limits.watches) return true;
  violation(session, fmt::format("{}: more than {} of them within a second", kind_name(view.kind()),
                                 2 * limits.watches));
  return false;
}

void Router::Impl::watch_nothing(Session& session) {
  session.watches.clear();
  std::erase(watchers_, session.id);
}

void Router::Impl::tell_presence(const Session& about, std::string_view event,
                                 std::string_view reason) {
  for (const SessionId id : watchers_) {
    Session& watcher = session_at(id);
    if (&watcher == &about) continue;
    const bool watches = std::any_of(
        watcher.watches.begin(), watcher.watches.end(),
        [&](const std::string& pattern) { return matches_name_pattern(pattern, name_of(about)); });
    if (watches) send_presence(watcher, about, event, reason);
  }
}

void Router::Impl::send_presence(Session& watcher, const Session& about, std::string_view event,
                                 std::string_view reason) {
  const ByteBuffer body =
      encode(Presence{std::string(event), std::string(name_of(about)), about.hello.instance,
                      std::string(reason), about.hello.metadata});
  // Beyond these limits presence is not told: `who` has it.
  const EnvelopeFields fields{.kind = Kind::kPresence, .to = name_of(watcher), .body = body};
  if (watcher.stream.bytes > limits.queue || own_is_full(encoded_bound(fields))) return;
  append_from_broker(watcher, fields, kUncounted);
}

/// What a peer that vanished wanted to be said. REQUIRES: its name is nobody's any more.
void Router::Impl::send_will(const Session& session) {
  if (!session.hello.will) return;
  const Will& will = *session.hello.will;
  Meta meta;
  meta.content_type = will.content_type;
  meta.will = true;
  meta.retain = will.retain && will.kind == Kind::kPublish;
  const EnvelopeFields fields{.kind = will.kind,
                              .to = will.to,
                              .from = name_of(session),
                              .id = session.highest_id + 1,
                              .meta = meta,
                              .body = will.body};
  if (own_is_full(encoded_bound(fields))) return;
  if (will.kind == Kind::kPublish) return publish_will(fields);
  const NameId to = directory.find(will.to);
  const SessionId recipient = to == kNone ? kNone : directory.session(to);
  if (recipient == kNone) return;
  append_from_broker(session_at(recipient), fields, kBrokerPayload);
}

void Router::Impl::publish_will(const EnvelopeFields& fields) {
  const auto begin = static_cast<std::uint32_t>(out_->arena.size());
  append_envelope(out_->arena, fields);
  const auto size = static_cast<std::uint32_t>(out_->arena.size() - begin);
  if (fields.meta.retain) {
    FrameReader reader(Bytes(out_->arena).subspan(begin, size));
    EnvelopeView view;
    if (reader.next(view) && may_retain(view, view.bytes.size())) keep_retained(view);
  }
  for (const Subscriber& each : routes_.audience(routes_.route(fields.to).audience).members) {
    ++accounting.copies;
    ++accounting.held;
    deliver(session_at(each.session), {Source::kArena, begin, size, 1}, each.policy);
  }
}

}  // namespace zpost::core
