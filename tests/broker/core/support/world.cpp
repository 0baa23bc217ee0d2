#include "tests/broker/core/support/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "zpost/protocol/envelope.h"

namespace zpost::core::test {

namespace {

constexpr std::int64_t kExpelGrace = kSecond;
constexpr int kMostTurnsAtOnce = 10'000;

}  // namespace

void require(bool claim, std::string_view what) {
  if (!claim) throw Broken(std::string(what));
}

World::World(const Limits& limits, BrokerIdentity identity)
    : router_(limits, std::move(identity)) {}

BrokerIdentity World::default_identity() {
  return {.name = "zpost", .run = std::string(32, 'f'), .id_floor = 0};
}

// ---- Connections
// ---------------------------------------------------------------------------------

ConnectionId World::connect(std::string_view name) {
  const auto spare = std::find_if(links_.begin(), links_.end(), [](const Link& link) {
    return link.state == Link::State::kForgotten;
  });
  const auto id = static_cast<ConnectionId>(spare - links_.begin());
  if (spare == links_.end()) {
    links_.emplace_back();
    uses_.push_back(0);
  }
  links_[id] = Link{};
  links_[id].name = name;
  ++uses_[id];
  return id;
}

ConnectionId World::connect_unnamed() {
  const ConnectionId id = connect("");
  link(id).named = false;
  return id;
}

void World::send(ConnectionId connection, std::string frame) {
  if (link(connection).state == Link::State::kGone) return;
  send_late(connection, std::move(frame));
}

void World::send_late(ConnectionId connection, std::string frame) {
  ++link(connection).readable;
  sent_.push_back({connection, uses_[connection], false, std::move(frame)});
}

void World::send_multipart(ConnectionId connection) {
  ++link(connection).readable;
  sent_.push_back({connection, uses_[connection], true, {}});
}

std::vector<std::string> World::receive(ConnectionId connection, std::size_t count) {
  std::deque<std::string>& inbox = links_.at(connection).inbox;
  std::vector<std::string> frames;
  for (; !inbox.empty() && frames.size() < count; inbox.pop_front()) {
    frames.push_back(std::move(inbox.front()));
  }
  return frames;
}

void World::set_room(ConnectionId connection, std::size_t frames) {
  link(connection).room = frames;
}

void World::lose(ConnectionId connection, bool late) {
  Link& lost = link(connection);
  if (lost.state == Link::State::kGone) return;
  lost.state = Link::State::kGone;
  lost.loss_due = true;
  lost.loss_first = late;
  lost.inbox.clear();
}

void World::lose_sent(ConnectionId connection) {
  lose(connection);
  std::erase_if(sent_, [&](const Sent& sent) {
    return sent.connection == connection && sent.use == uses_[connection];
  });
  link(connection).readable = 0;
}

void World::mute(ConnectionId connection) {
  Link& muted = link(connection);
  if (muted.state == Link::State::kLive) muted.state = Link::State::kMute;
  muted.inbox.clear();
}

void World::hand_over(ConnectionId connection) {
  Link& taken_over = link(connection);
  const std::string name = taken_over.name;
  std::erase_if(sent_, [&](const Sent& sent) { return sent.connection == connection; });
  taken_over = Link{};
  taken_over.name = name;
  taken_over.handover = true;
}

void World::forget(ConnectionId connection) {
  lose_sent(connection);
  links_[connection].state = Link::State::kForgotten;
  links_[connection].loss_due = false;
  router_.on_connection_forgotten(connection);
  for (Queue& queue : queues_) {
    if (queue.connection == connection) queue.connection = kNone;
  }
}

bool World::alive(ConnectionId connection) const {
  if (connection >= links_.size()) return false;
  const Link::State state = links_[connection].state;
  return state == Link::State::kLive || state == Link::State::kMute;
}

std::size_t World::unread(ConnectionId connection) const {
  return links_.at(connection).inbox.size();
}

bool World::expelled(ConnectionId connection) const {
  return links_.at(connection).expelled;
}

// ---- Turns and time
// ------------------------------------------------------------------------------

void World::turn(std::size_t frames) {
  shut_expelled();
  tell_gone(true);
  for (std::size_t i = 0; i < frames && !sent_.empty(); ++i) {
    Sent sent = std::move(sent_.front());
    sent_.pop_front();
    read(std::move(sent));
  }
  tell_gone(false);
  if (now_.steady_ns >= router_.next_deadline()) {
    router_.tick(now_, out_);
    apply({});
  }
  router_.flush(now_, out_);
  apply({});
  router_.on_executed({}, now_, out_);
  apply({});
}

void World::settle() {
  for (int i = 0; i < kMostTurnsAtOnce; ++i) {
    turn();
    if (sent_.empty() && router_.next_deadline() > now_.steady_ns) return;
  }
  throw Broken("the router never rests: its deadline does not move");
}

void World::advance(std::int64_t ns) {
  const std::int64_t until = now_.steady_ns + ns;
  while (now_.steady_ns < until) {
    std::int64_t next = std::min(until, router_.next_deadline());
    for (const Link& link : links_) next = std::min(next, link.expel_at);
    next = std::max(next, now_.steady_ns);
    if (wall_runs_) now_.wall_ns += static_cast<std::uint64_t>(next - now_.steady_ns);
    now_.steady_ns = next;
    settle();
  }
}

void World::read(Sent sent) {
  Link& from = link(sent.connection);
  if (sent.use != uses_[sent.connection]) return;
  --from.readable;
  if (from.expelled) return;
  if (from.handover) {
    from.handover = false;
    router_.on_handover(sent.connection, now_, out_);
    apply(sent.frame);
  }
  if (!from.named) {
    router_.on_bad_identity(sent.connection, now_, out_);
  } else if (sent.multipart) {
    router_.on_multipart(sent.connection, now_, out_);
  } else {
    router_.on_frame(sent.connection, from.name, as_bytes(sent.frame), now_, out_);
  }
  apply(sent.frame);
}

/// libzmq's monitor may tell of the end before the last frames are read.
void World::tell_gone(bool before_reading) {
  for (ConnectionId id = 0; id < links_.size(); ++id) {
    Link& gone = links_[id];
    if (!gone.loss_due || (before_reading && !gone.loss_first)) continue;
    gone.loss_due = false;
    router_.on_disconnected(id, now_, out_);
    apply({});
  }
}

void World::shut_expelled() {
  for (ConnectionId id = 0; id < links_.size(); ++id) {
    if (links_[id].expel_at > now_.steady_ns) continue;
    links_[id].expel_at = kNever;
    if (!alive(id)) continue;
    links_[id].state = Link::State::kGone;
    links_[id].loss_due = true;
  }
}

void World::apply(std::string_view frame) {
  for (bool again = true; again;) {
    execute(frame);
    out_.clear();
    after_step();
    const std::vector<Blocked> blocked = std::exchange(blocked_, {});
    const std::vector<ConnectionId> unreachable = std::exchange(unreachable_, {});
    again = !blocked.empty() || !unreachable.empty();
    if (!blocked.empty()) router_.on_executed(blocked, now_, out_);
    for (const ConnectionId connection : unreachable) {
      router_.on_disconnected(connection, now_, out_);
    }
    frame = {};
  }
}

void World::execute(std::string_view frame) {
  ++lists_;
  for (const Action& action : out_.list) execute(action, frame);
  for (const LogLine& line : out_.log) log_.push_back(line.text);
  tap_.insert(tap_.end(), out_.tap.begin(), out_.tap.end());
  std::erase_if(blocked_, [](const Blocked& blocked) { return blocked.session == kNone; });
}

void World::execute(const Action& action, std::string_view frame) {
  const auto bytes = [&] {
    const std::string_view source =
        action.source == Source::kFrame ? frame : as_text(Bytes(out_.arena));
    require(std::size_t{action.offset} + action.length <= source.size(), "bytes beyond the source");
    return source.substr(action.offset, action.length);
  };
  switch (action.op) {
    case Op::kOpen:
      if (action.session >= queues_.size()) queues_.resize(action.session + 1);
      require(!queues_[action.session].exists, "a session was opened twice");
      require(action.connection == kNone || alive(action.connection) ||
                  links_[action.connection].state == Link::State::kGone,
              "a session was opened on a forgotten connection");
      queues_[action.session] = Queue{};
      queues_[action.session].exists = true;
      queues_[action.session].connection = action.connection;
      return;
    case Op::kBind:
      queue(action.session).connection = action.connection;
      return;
    case Op::kUnbind:
      queue(action.session).connection = kNone;
      return;
    case Op::kAppend:
      if (action.topics) return append_topics(queue(action.session), bytes(), action.fresh);
      return append(queue(action.session), bytes(), action.fresh);
    case Op::kWhole:
      ++whole_frames_;
      if (action.topics) {
        append_topics(queue(action.session), frame, true);
        queue(action.session).topics_open = false;
        return;
      }
      append(queue(action.session), frame, true);
      queue(action.session).open = false;
      return;
    case Op::kTransmit:
      return transmit(action);
    case Op::kEnqueue:
      return enqueue(queue(action.session));
    case Op::kDropOldest:
      return drop_oldest(queue(action.session), action.count);
    case Op::kRelease:
      return release(queue(action.session), action.count);
    case Op::kRewind:
      return rewind(action);
    case Op::kControl:
      return control(action, bytes());
    case Op::kDrop:
      return drop(action.session);
    case Op::kExpel:
      return expel(action.connection);
    case Op::kTap:
    case Op::kRecall:
      require(!bytes().empty(), "a tap request without a body");
      ++tap_requests_;
      [[fallthrough]];
    case Op::kUntap:
      (void)queue(action.session);
      return;
  }
}

// ---- Queues
// --------------------------------------------------------------------------------------

void World::append(Queue& queue, std::string_view bytes, bool fresh) {
  require(!bytes.empty(), "nothing was appended");
  require(fresh || queue.open, "bytes for a closed bundle");
  if (fresh) queue.bundles.emplace_back();
  queue.open = true;
  fill(queue, queue.bundles.back(), bytes);
}

void World::append_topics(Queue& queue, std::string_view bytes, bool fresh) {
  require(!bytes.empty(), "nothing was appended");
  require(fresh || queue.topics_open, "bytes for a closed bundle of topics");
  if (fresh) queue.topics.emplace_back();
  queue.topics_open = true;
  fill(queue, queue.topics.back(), bytes);
}

void World::fill(Queue& queue, HeldBundle& bundle, std::string_view bytes) {
  bundle.bytes += bytes;
  bundle.charged += bytes.size();
  queue.bytes += bytes.size();
  FrameReader reader(as_bytes(bytes));
  EnvelopeView view;
  while (reader.next(view)) {
    if (!is_payload(view.kind())) continue;
    ++bundle.payload;
    ++queue.payload;
  }
  require(!reader.failed(), "what was appended is no sequence of envelopes");
}

void World::enqueue(Queue& queue) {
  require(!queue.topics.empty(), "no topics wait");
  queue.open = false;
  queue.bundles.push_back(std::move(queue.topics.front()));
  queue.topics.pop_front();
  if (queue.topics.empty()) queue.topics_open = false;
}

void World::drop_oldest(Queue& queue, std::uint32_t count) {
  require(count < queue.topics.size(), "the newest topics are dropped");
  for (; count > 0; --count) remove_front(queue, queue.topics);
}

void World::transmit(const Action& action) {
  Queue& queue = this->queue(action.session);
  require(queue.handed < queue.bundles.size(), "nothing waits to be transmitted");
  require(queue.connection != kNone, "transmit without a connection");
  if (queue.handed + 1 == queue.bundles.size()) queue.open = false;
  if (!blocked(action.session) && deliver(queue.connection, queue.bundles[queue.handed].bytes)) {
    ++queue.handed;
    return;
  }
  ++block(action.session).bundles;
}

void World::release(Queue& queue, std::uint32_t count) {
  require(count <= queue.handed, "a release of what was not handed over");
  queue.handed -= count;
  for (; count > 0; --count) remove_front(queue, queue.bundles);
}

void World::remove_front(Queue& queue, std::deque<HeldBundle>& bundles) {
  queue.bytes -= bundles.front().charged;
  queue.payload -= bundles.front().payload;
  bundles.pop_front();
}

void World::rewind(const Action& action) {
  Queue& queue = this->queue(action.session);
  unblock(action.session);
  queue.handed = 0;
  if (action.count == 0) return;
  require(!queue.bundles.empty(), "a rewind into nothing");
  HeldBundle& oldest = queue.bundles.front();
  FrameReader reader(as_bytes(oldest.bytes));
  EnvelopeView view;
  std::size_t cut = 0;
  for (std::uint32_t left = action.count; left > 0;) {
    require(reader.next(view), "a rewind beyond the oldest bundle");
    if (is_program_lane(view.kind())) --left;
    if (is_payload(view.kind())) {
      --oldest.payload;
      --queue.payload;
    }
    cut += view.bytes.size();
  }
  require(cut < oldest.bytes.size(), "a rewind of the whole bundle");
  oldest.bytes.erase(0, cut);
}

void World::control(const Action& action, std::string_view bytes) {
  require(!bytes.empty(), "an empty control frame");
  require(links_.at(action.connection).state != Link::State::kForgotten,
          "control to a forgotten connection");
  const bool told = action.session != kNone;
  if (told) (void)queue(action.session);
  if ((!told || !blocked(action.session)) && deliver(action.connection, bytes)) return;
  if (told) block(action.session).control = true;
}

void World::drop(SessionId session) {
  queue(session) = Queue{};
  unblock(session);
}

void World::expel(ConnectionId connection) {
  Link& expelled = link(connection);
  expelled.expelled = true;
  expelled.expel_at = now_.steady_ns + kExpelGrace;
}

bool World::deliver(ConnectionId connection, std::string_view bytes) {
  Link& to = link(connection);
  if (to.state == Link::State::kGone || to.state == Link::State::kForgotten) {
    unreachable_.push_back(connection);
    return false;
  }
  if (to.inbox.size() >= to.room) return false;
  if (to.state == Link::State::kLive) to.inbox.emplace_back(bytes);
  return true;
}

Blocked& World::block(SessionId session) {
  for (Blocked& blocked : blocked_) {
    if (blocked.session == session) return blocked;
  }
  return blocked_.emplace_back(Blocked{session, 0, false});
}

bool World::blocked(SessionId session) const {
  return std::any_of(blocked_.begin(), blocked_.end(),
                     [&](const Blocked& blocked) { return blocked.session == session; });
}

void World::unblock(SessionId session) {
  for (Blocked& blocked : blocked_) {
    if (blocked.session == session) blocked.session = kNone;
  }
}

World::Queue& World::queue(SessionId session) {
  require(session < queues_.size() && queues_[session].exists, "an action for no session");
  return queues_[session];
}

World::Link& World::link(ConnectionId connection) {
  require(connection < links_.size() && links_[connection].state != Link::State::kForgotten,
          "no such connection");
  return links_[connection];
}

// ---- The router, and what is checked after every step
// --------------------------------------------

void World::drain() {
  router_.drain(now_, out_);
  apply({});
}

void World::farewell() {
  router_.farewell(now_, out_);
  apply({});
}

bool World::send_from_broker(SessionId session, std::string_view body) {
  const bool sent = router_.send_from_broker(session, "text/plain", as_bytes(body), now_, out_);
  apply({});
  return sent;
}

std::vector<std::string> World::take_log() {
  return std::exchange(log_, {});
}

std::vector<TapNote> World::take_tap() {
  return std::exchange(tap_, {});
}

World::Held World::held() const {
  Held held;
  for (const Queue& queue : queues_) {
    held.bundles += queue.bundles.size() + queue.topics.size();
    held.bytes += queue.bytes;
    held.payload += queue.payload;
    // The oldest bundle is kept until the last of its envelopes is taken.
    if (queue.handed > 0) held.maybe_taken += queue.bundles.front().payload;
  }
  return held;
}

std::uint64_t World::largest_queue() const {
  std::uint64_t largest = 0;
  for (const Queue& queue : queues_) largest = std::max(largest, queue.bytes);
  return largest;
}

SessionId World::session_of(ConnectionId connection) const {
  for (SessionId id = 0; id < queues_.size(); ++id) {
    if (queues_[id].exists && queues_[id].connection == connection) return id;
  }
  return kNone;
}

void World::after_step() {
  const Accounting& accounting = router_.accounting();
  require(accounting.balanced(), "the accounting does not balance");
  Held held = this->held();
  require(router_.held_bytes() == held.bytes, [&] {
    return fmt::format("held_bytes is {}, the queues hold {}", router_.held_bytes(), held.bytes);
  });
  held.payload += router_.waiting_calls();
  const bool fits =
      accounting.held <= held.payload && accounting.held + held.maybe_taken >= held.payload;
  require(fits, [&] {
    return fmt::format("held is {}, the queues hold {} (maybe {} less)", accounting.held,
                       held.payload, held.maybe_taken);
  });
  const auto sessions = std::count_if(queues_.begin(), queues_.end(),
                                      [](const Queue& queue) { return queue.exists; });
  require(router_.sessions() + router_.expected() == static_cast<std::size_t>(sessions),
          "sessions() or expected() miscounts");
}

}  // namespace zpost::core::test
