// Requests until their replies, and calls through services. SPEC.md, section 17.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/core/router_impl.h"
#include "zpost/protocol/names.h"

namespace zpost::core {

namespace {

constexpr std::uint64_t kNoDeadline = std::uint64_t{1} << 61;
/// Buffers of calls that wait for their next, and how large one may be.
constexpr std::size_t kSpareBuffers = 1024;
constexpr std::size_t kSpareBytes = 1024;

}  // namespace

// ---- Offers
// --------------------------------------------------------------------------------------

void Router::Impl::on_offer(Session& session, const EnvelopeView& view) {
  const auto offer = decode_offer(view.body);
  if (!offer) return refuse_interest(session, view, offer.error());
  const ServiceId known = services_.find(offer->service);
  if (known != kNone && session.offers.contains(known)) {
    worker_of(known, session.id)->capacity = offer->capacity;
    answer_interest(session, view, Outcome::kDelivered);
    return serve(known);
  }
  if (session.offers.size() >= limits.offers) {
    return answer_interest(session, view, Outcome::kFull, Detail::kOffers);
  }
  if (offers_ >= limits.all_offers) {
    return answer_interest(session, view, Outcome::kFull, Detail::kAllOffers);
  }
  const ServiceId id = services_.find_or_make(offer->service);
  services_[id].workers.push_back({session.id, offer->capacity, take_left(session, id)});
  session.offers.insert(id);
  ++offers_;
  answer_interest(session, view, Outcome::kDelivered);
  serve(id);
}

void Router::Impl::on_withdraw(Session& session, const EnvelopeView& view) {
  const auto name = decode_withdraw(view.body);
  if (!name) return refuse_interest(session, view, name.error());
  const ServiceId id = services_.find(name->name);
  if (id != kNone && session.offers.erase(id) > 0) {
    --offers_;
    remove_worker(id, session);
  }
  answer_interest(session, view, Outcome::kDelivered);
}

void Router::Impl::withdraw_all(Session& session) {
  for (const ServiceId id : session.offers) remove_worker(id, session);
  offers_ -= session.offers.size();
  session.offers.clear();
}

/// What it has in hand stays with it, and takes up its places should it offer the service again.
void Router::Impl::remove_worker(ServiceId id, Session& session) {
  Service& service = services_[id];
  const std::uint64_t in_hand = worker_of(id, session.id)->in_hand;
  if (in_hand > 0) session.left_in_hand[id] = in_hand;
  std::erase_if(service.workers, [&](const Worker& each) { return each.session == session.id; });
  if (!service.workers.empty()) return;
  service.alone_since = now_.steady_ns;
  erase_if_unused(id);
}

/// The calls of a service that it withdrew and still has in hand, no longer counted apart.
std::uint64_t Router::Impl::take_left(Session& session, ServiceId id) {
  const auto left = session.left_in_hand.find(id);
  if (left == session.left_in_hand.end()) return 0;
  const std::uint64_t in_hand = left->second;
  session.left_in_hand.erase(left);
  return in_hand;
}

void Router::Impl::erase_if_unused(ServiceId id) {
  if (services_[id].workers.empty() && services_[id].calls == 0) services_.erase(id);
}

Worker* Router::Impl::worker_of(ServiceId id, SessionId session) {
  for (Worker& each : services_[id].workers) {
    if (each.session == session) return &each;
  }
  return nullptr;
}

// ---- Calls
// ---------------------------------------------------------------------------------------

/// The pair of what the session sends to the service; kNoPair: no room.
PairIndex Router::Impl::service_pair(Session& session, std::string_view service) {
  std::array<char, 1 + kMaxNameBytes> name{};
  name[0] = kServiceMark;
  std::copy(service.begin(), service.end(), name.begin() + 1);
  return find_or_make_pair(session, {name.data(), 1 + service.size()});
}

/// What forbids a call that is in order so far.
Outcome Router::Impl::check_call(const Session& session, const EnvelopeView& view,
                                 std::size_t size) {
  if (const Outcome wrong = check_exchange(session); wrong != Outcome::kNone) return wrong;
  if (over_memory() || held_bytes + call_bytes_ + size > limits.memory) return Outcome::kFull;
  if (meta_entries(view) >= kMaxMetaEntries) return Outcome::kMalformed;
  const ServiceId id = services_.find(view.to);
  if (id == kNone) {
    // Its workers may come back from an earlier run, as recipients do.
    const bool expected = now_.steady_ns < session.expects_until && services_.size() < limits.peers;
    if (!expected) return Outcome::kNoWorker;
  }
  const std::size_t waiting = id == kNone ? 0 : services_[id].waiting;
  if (waiting < limits.service_queue) return Outcome::kNone;
  detail_ = Detail::kServiceQueue;
  return Outcome::kFull;
}

/// The same for requests as well.
Outcome Router::Impl::check_exchange(const Session& session) {
  if (meta_.deadline_ns != 0 && meta_.deadline_ns <= clock()) return Outcome::kExpired;
  const bool many = session.exchanges >= limits.calls;
  if (!many && exchanges_.size() < limits.all_calls) return Outcome::kNone;
  detail_ = many ? Detail::kCalls : Detail::kAllCalls;
  return Outcome::kFull;
}

ExchangeId Router::Impl::open_exchange(Session& session, const EnvelopeView& view) {
  const ExchangeId id = exchanges_.open(session.name, view.id, session);
  directory.acquire(session.name);
  exchanges_[id].received_ns = now_.steady_ns;
  ++session.exchanges;
  // One in a hundred years is none.
  const bool counts = meta_.deadline_ns != 0 && meta_.deadline_ns - clock() < kNoDeadline;
  if (counts) exchanges_.set_deadline(id, meta_.deadline_ns);
  return id;
}

void Router::Impl::call(Session& session, PairIndex index, const EnvelopeView& view) {
  const ExchangeId id = open_exchange(session, view);
  Exchange& call = exchanges_[id];
  const bool is_new = services_.find(view.to) == kNone;
  const ServiceId service = services_.find_or_make(view.to);
  if (is_new) services_[service].alone_since = now_.steady_ns;
  call.service = service;
  ++services_[service].calls;
  call.pair = index;
  call.cost = cost_of(view.bytes.size());
  call.idempotent = meta_.idempotent;
  keep_bytes(call, view.bytes);
  Pair& pair = pairs_[index];
  ++pair.held_count;
  pair.held_cost += call.cost;
  pair.last_id = view.id;
  call.number = unsettled_[index].add(view.id, 1);
  ++accounting.held;
  if (noting()) note_call(call, TapEvent::kReceived, view);
  if (services_[service].queue.empty()) {
    if (Worker* const worker = next_worker(services_[service])) return hand_to(id, *worker);
  }
  enqueue_call(id, false);
  serve(service);
  if (noting() && exchanges_[id].queued) note_waiting(exchanges_[id], HeldWhy::kNoFreeWorker);
}

void Router::Impl::enqueue_call(ExchangeId id, bool first) {
  Exchange& call = exchanges_[id];
  Service& service = services_[call.service];
  call.queued = true;
  ++service.waiting;
  ++waiting_calls;
  if (first) {
    service.queue.push_front(call.caller, id);
  } else {
    service.queue.push(call.caller, id);
  }
}

/// Hands waiting calls to workers as long as there are both.
void Router::Impl::serve(ServiceId id) {
  Service& service = services_[id];
  while (!service.queue.empty()) {
    Worker* const worker = service.waiting > 0 ? next_worker(service) : nullptr;
    if (worker == nullptr && service.waiting > 0) return;
    const ExchangeId call = service.queue.pop();
    exchanges_[call].queued = false;
    if (worker == nullptr || !exchanges_[call].open) {  // It was given up while it waited.
      free_exchange(call);
      if (services_[id].name.empty()) return;
      continue;
    }
    --service.waiting;
    --waiting_calls;
    hand_to(call, *worker);
  }
}

/// Who has the smallest share of its capacity in use, and is there; null: nobody has room.
const Worker* Router::Impl::least_busy(const Service& service) const {
  const Worker* best = nullptr;
  const std::size_t count = service.workers.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Worker& each = service.workers[(service.next_worker + i) % count];
    if (each.in_hand >= each.capacity) continue;
    if (sessions_[each.session]->state != Session::State::kActive) continue;
    if (best == nullptr || each.in_hand * best->capacity < best->in_hand * each.capacity) {
      best = &each;
    }
  }
  return best;
}

/// Whether the worker that had the latest call of this turn is hardly busier than `best`.
bool Router::Impl::may_go_on(const Service& service, const Worker& best) const {
  if (service.served_at != now_.steady_ns) return false;
  if (service.latest_worker >= service.workers.size()) return false;
  const Worker& latest = service.workers[service.latest_worker];
  const std::uint64_t more = latest.capacity / kEvenShare;
  const bool there = sessions_[latest.session]->state == Session::State::kActive;
  if (!there || more == 0 || latest.in_hand >= latest.capacity) return false;
  return latest.in_hand < best.in_hand * latest.capacity / best.capacity + more;
}

/// The same, and the search among equals goes on behind it. But what comes at once goes to one
/// worker while it is hardly busier: a frame that is torn between workers comes back as several,
/// each of which costs the caller as much as the one.
Worker* Router::Impl::next_worker(Service& service) {
  const Worker* const best = least_busy(service);
  if (best == nullptr) return nullptr;
  if (may_go_on(service, *best)) return &service.workers[service.latest_worker];
  const auto place = static_cast<std::size_t>(best - service.workers.data());
  service.next_worker = place + 1;
  service.latest_worker = place;
  service.served_at = now_.steady_ns;
  return &service.workers[place];
}

void Router::Impl::hand_to(ExchangeId id, Worker& worker) {
  Exchange& call = exchanges_[id];
  Session& session = session_at(worker.session);
  ++worker.in_hand;
  ++call.attempts;
  call.in_stream = true;
  exchanges_.hold(id, session);
  commit_ranges();  // What is in the stream before goes before it.
  const std::size_t begin = out_->arena.size();
  if (call.attempts == 1) {
    out_->arena.insert(out_->arena.end(), call.bytes.begin(), call.bytes.end());
  } else {
    append_marked(out_->arena, read_call(call), call.attempts);
  }
  const auto size = static_cast<std::uint32_t>(out_->arena.size() - begin);
  session.stream.bytes += size;
  held_bytes += size;
  session.stream.runs.push_back(
      {call.id, kCallCopy, 1, id, size, static_cast<std::uint8_t>(Kind::kCall), call.received_ns});
  append(session, Source::kArena, static_cast<std::uint32_t>(begin), size, 1);
  if (noting()) {
    const auto attempt = static_cast<std::uint16_t>(std::min<std::uint32_t>(call.attempts, 65'535));
    note_exchange(call, TapEvent::kAssigned, session.name, call.id, attempt);
  }
  if (session.stream.bundles.back().bytes >= kBundleBytes) flush_stream(session);
  touch(session);
}

EnvelopeView Router::Impl::read_call(const Exchange& call) {
  FrameReader reader(call.bytes);
  EnvelopeView view;
  (void)reader.next(view);
  return view;
}

/// The worker took it, or what it was sent does not matter any more.
void Router::Impl::take_call(ExchangeId id, bool confirmed) {
  Exchange& call = exchanges_[id];
  call.in_stream = false;
  --accounting.held;
  ++(confirmed ? accounting.delivered : accounting.unconfirmed);
  latencies_.delivery(static_cast<std::uint8_t>(Kind::kCall))
      .add(now_.steady_ns - call.received_ns, 1);
  if (noting() && call.holder != kNone) {
    const Outcome outcome = confirmed ? Outcome::kDelivered : Outcome::kUnconfirmed;
    note_exchange(call, TapEvent::kDelivered, session_at(call.holder).name, call.id,
                  static_cast<std::uint16_t>(outcome));
  }
  if (!confirmed && !call.settled) pairs_[call.pair].last_unconfirmed_id = call.id;
  settle_call(call);
  if (!call.open) return free_exchange(id);
  if (!call.idempotent) drop_bytes(call);
}

/// Settles it with the pair, once.
void Router::Impl::settle_call(Exchange& call) {
  if (call.settled) return;
  call.settled = true;
  settle_entry(call.pair, call.number);
  give_back(call.pair, 1, call.cost);
}

/// One of those that hold an entry up is done. True if it was the last.
bool Router::Impl::settle_entry(PairIndex index, std::uint64_t number) {
  const auto unsettled = unsettled_.find(index);
  if (!unsettled->second.settle(number)) return false;
  Pair& pair = pairs_[index];
  pair.last_taken_id = unsettled->second.advance(pair.last_taken_id);
  if (unsettled->second.empty()) unsettled_.erase(unsettled);
  return true;
}

void Router::Impl::keep_bytes(Exchange& call, Bytes bytes) {
  if (!spare_buffers_.empty()) {
    call.bytes = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
  }
  call.bytes.assign(bytes.begin(), bytes.end());
  call_bytes_ += bytes.size();
}

void Router::Impl::drop_bytes(Exchange& call) {
  call_bytes_ -= call.bytes.size();
  const std::size_t capacity = call.bytes.capacity();
  const bool is_spare = capacity > 0 && capacity <= kSpareBytes;
  if (is_spare && spare_buffers_.size() < kSpareBuffers) {
    spare_buffers_.push_back(std::move(call.bytes));
  }
  call.bytes = {};
}

/// A call in the stream of a worker whose session is over.
void Router::Impl::recall(ExchangeId id, Outcome why) {
  Exchange& call = exchanges_[id];
  call.in_stream = false;
  if (!call.open) {
    lose_copies(1, why);
    settle_call(call);
    return free_exchange(id);
  }
  release_worker(id);
  if (draining) return fail_call(id, why);
  if (noting()) note_waiting(call, HeldWhy::kWorkerGone);
  enqueue_call(id, true);
  due_services_.push_back(call.service);
}

/// It has no holder any more.
void Router::Impl::release_worker(ExchangeId id) {
  Exchange& call = exchanges_[id];
  Session& holder = session_at(call.holder);
  if (call.service != kNone) {
    if (Worker* const worker = worker_of(call.service, holder.id)) {
      --worker->in_hand;
    } else if (const auto left = holder.left_in_hand.find(call.service);
               left != holder.left_in_hand.end() && --left->second == 0) {
      holder.left_in_hand.erase(left);
    }
  }
  exchanges_.let_go(id, holder);
}

/// An open call that is in no stream fails as an envelope does.
void Router::Impl::fail_call(ExchangeId id, Outcome why) {
  Exchange& call = exchanges_[id];
  if (call.settled) {
    lose_copies(1, why);
    return end_exchange(id, why);
  }
  call.settled = true;
  Pair& pair = pairs_[call.pair];
  Session& asker = session_at(call.asker);
  --accounting.held;
  --pair.held_count;
  pair.held_cost -= call.cost;
  settle_entry(call.pair, call.number);
  fail(asker, {call.pair, call.id, static_cast<std::uint8_t>(Kind::kCall), call.cost, why});
  --asker.exchanges;
  close_exchange(id);
}

// ---- How exchanges end
// ---------------------------------------------------------------------------

/// Tells the caller what became of a request or call that was taken, or may have been.
void Router::Impl::end_exchange(ExchangeId id, Outcome why, Detail detail) {
  Exchange& exchange = exchanges_[id];
  Session& asker = session_at(exchange.asker);
  asker.outcomes.push_back(
      {.id = exchange.id, .code = why, .detail = detail, .ends_exchange = true});
  ++accounting.exchanges_failed;
  if (noting()) {
    const NameId holder = exchange.holder == kNone ? kBrokerName : session_at(exchange.holder).name;
    note_exchange(exchange, TapEvent::kAnswered, holder, exchange.id,
                  static_cast<std::uint16_t>(why));
  }
  touch(asker);
  close_exchange(id);
}

/// The same for one that is given up: who may have it is told.
void Router::Impl::give_up_exchange(ExchangeId id, Outcome why) {
  Exchange& exchange = exchanges_[id];
  if (exchange.queued) {
    --services_[exchange.service].waiting;
    --waiting_calls;
    return fail_call(id, why);
  }
  Session& holder = session_at(exchange.holder);
  if (holder.state != Session::State::kExpected && !own_is_full(kMaxPlainHeaderBytes)) {
    append_from_broker(holder,
                       {.kind = Kind::kCancel,
                        .to = name_of(holder),
                        .from = directory.name(exchange.caller),
                        .id = exchange.id},
                       kUncounted);
  }
  end_exchange(id, why);
}

void Router::Impl::close_exchange(ExchangeId id) {
  Exchange& exchange = exchanges_[id];
  if (exchange.holder != kNone) release_worker(id);
  const ServiceId service = exchange.service;
  exchanges_.close(id, session_at(exchange.asker));
  if (service != kNone) due_services_.push_back(service);
  if (!exchange.in_stream && !exchange.queued) free_exchange(id);
}

void Router::Impl::free_exchange(ExchangeId id) {
  Exchange& exchange = exchanges_[id];
  drop_bytes(exchange);
  directory.release(exchange.caller);
  const ServiceId service = exchange.service;
  exchanges_.free(id);
  if (service == kNone) return;
  --services_[service].calls;
  erase_if_unused(service);
}

/// Workers have room again: their services go on.
void Router::Impl::serve_due() {
  for (std::size_t i = 0; i < due_services_.size(); ++i) {
    const ServiceId id = due_services_[i];
    if (!services_[id].name.empty()) serve(id);
  }
  due_services_.clear();
}

/// The request's envelope fails, which ends it. False: it had ended before.
bool Router::Impl::forget_request(Session& asker, std::uint64_t request) {
  const ExchangeId id = exchanges_.find(asker.name, request);
  if (id == kNone) return false;
  --asker.exchanges;
  close_exchange(id);
  return true;
}

/// The envelope of a request that has its outcome, or its reply, goes nowhere any more: its cost
/// returns, and its sender is told nothing a second time.
void Router::Impl::lose_answered(Session& asker, PairIndex pair, std::uint64_t request,
                                 std::uint64_t cost, Outcome why) {
  accounting.fail(why);
  pairs_[pair].last_taken_id = request;
  settled(asker, cost, 1);
  mark_dirty(pair);
}

// ---- Replies, cancels, ends of sessions
// ----------------------------------------------------------

/// A reply was accepted, or failed with `outcome`.
void Router::Impl::on_reply(const Session& session, const EnvelopeView& reply, NameId caller,
                            Outcome outcome) {
  if (!meta_.in_reply_to) return;
  const ExchangeId id = exchanges_.find(caller, *meta_.in_reply_to);
  if (id == kNone || exchanges_[id].holder != session.id) {
    if (outcome == Outcome::kNone) ++accounting.late_replies;
    return;
  }
  if (outcome != Outcome::kNone) {
    end_exchange(id, Outcome::kNoReply,
                 outcome == Outcome::kTooLarge ? Detail::kReplyTooLarge : Detail::kReplyFailed);
  } else if (!meta_.more) {
    const Exchange& exchange = exchanges_[id];
    --session_at(exchange.asker).exchanges;
    (exchange.service == kNone ? latencies_.request : latencies_.call)
        .add(now_.steady_ns - exchange.received_ns, 1);
    if (noting()) note_exchange(exchange, TapEvent::kAnswered, session.name, reply.id, 0);
    close_exchange(id);
  }
  serve_due();
}

void Router::Impl::on_cancel(Session& session, const EnvelopeView& view) {
  const ExchangeId id = exchanges_.find(session.name, view.id);
  if (id == kNone) return;
  commit_ranges();
  give_up_exchange(id, Outcome::kCancelled);
  serve_due();
}

/// The session is over: what it had taken and not answered.
void Router::Impl::end_held(Session& session) {
  while (session.held != kNone) {
    const ExchangeId id = session.held;
    Exchange& exchange = exchanges_[id];
    const bool again = exchange.service != kNone && exchange.idempotent && !draining;
    if (!again) {
      end_exchange(id, Outcome::kLost);
      continue;
    }
    release_worker(id);
    ++accounting.copies;
    ++accounting.held;
    enqueue_call(id, true);
    due_services_.push_back(exchange.service);
  }
}

/// The session is over: nobody waits for the replies to what it asked.
void Router::Impl::end_asked(Session& session) {
  while (session.asked != kNone) give_up_exchange(session.asked, Outcome::kCancelled);
}

void Router::Impl::expire_exchanges() {
  for (ExchangeId id = exchanges_.due(clock()); id != kNone; id = exchanges_.due(clock())) {
    give_up_exchange(id, Outcome::kExpired);
  }
  serve_due();
}

/// Services that nobody offers any more, and what waits for them.
void Router::Impl::sweep_services() {
  services_.each([&](ServiceId id) {
    Service& service = services_[id];
    if (!service.workers.empty() || now_.steady_ns - service.alone_since < limits.resume_ns) return;
    ++service.calls;  // It stays until this is done.
    while (!service.queue.empty()) {
      const ExchangeId call = service.queue.pop();
      exchanges_[call].queued = false;
      if (!exchanges_[call].open) {
        free_exchange(call);
        continue;
      }
      --service.waiting;
      --waiting_calls;
      fail_call(call, Outcome::kNoWorker);
    }
    --service.calls;
    erase_if_unused(id);
  });
  serve_due();
}

/// Its services go on now that it is there again.
void Router::Impl::serve_offers(Session& session) {
  for (const ServiceId id : session.offers) serve(id);
}

}  // namespace zpost::core
