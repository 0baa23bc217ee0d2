#include "tools/inspect/replay_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/units.h"

namespace zpost::inspect {
namespace {

using peer::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kTryAgain{5};  // When somebody has no credit.
constexpr milliseconds kGlance{100};  // At signals, and at what is given up.
// A library tells a deadline that passed by itself; this much later nobody is to be trusted.
constexpr milliseconds kGrace{2000};

std::vector<std::uint64_t> offsets_of(const ReplayPlan& plan) {
  std::vector<std::uint64_t> offsets;
  offsets.reserve(plan.items.size());
  std::uint64_t latest = 0;
  for (const ReplayItem& item : plan.items) {
    latest = std::max(latest, item.time_ns);  // Clocks of brokers may have been set back.
    offsets.push_back(latest);
  }
  return offsets;
}

bool is_to_be_cancelled(const ReplayItem& item) {
  return item.outcome == Outcome::kCancelled && item.is_exchange();
}

/// As long as it took then, a year at most: a clock's numbers end somewhere.
std::chrono::nanoseconds time_to_end(const ReplayItem& item) {
  constexpr std::uint64_t kLongest = 365ULL * 86'400 * 1'000'000'000;
  const std::uint64_t took = item.end_ns - std::min(item.end_ns, item.time_ns);
  return std::chrono::nanoseconds(std::min(took, kLongest));
}

ReplayedReply reply_of(peer::Message&& message) {
  return {{std::move(message.body), message.body_is_text, std::move(message.content_type)}, false};
}

/// A no comes as a failure: its reason is the body of the reply.
ReplayedReply no_of(const peer::Failure& failure) {
  const Bytes reason = as_bytes(failure.text);
  return {{{reason.begin(), reason.end()}, true, ""}, true};
}

}  // namespace

ReplayRun::ReplayRun(const ReplayPlan& plan, const Cast& cast, const ReplayManner& manner,
                     const ReplayCompany& company, ReplayReport& report)
    : plan_(plan),
      cast_(cast),
      manner_(manner),
      players_(company.players),
      audience_(company.audience),
      report_(report),
      answers_(plan, company.players, manner.step ? 0 : manner.speed, manner.stand_in),
      schedule_(offsets_of(plan), manner.speed),
      queues_(company.players.size()) {
  for (const ReplaySender& sender : plan.senders) {
    senders_.push_back(players_.by_recorded_name(sender.name));
  }
  for (std::size_t player = 0; player < players_.size(); ++player) {
    const auto presence = plan.presences.find(players_.recorded_name(player));
    moves_.emplace_back(presence == plan.presences.end() ? nullptr : &presence->second);
  }
}

ReplayEnding ReplayRun::run(ReplayInbox& inbox, const cli::StopSignals& stop,
                            ReplayKeyboard* keyboard) {
  if (manner_.step) schedule_.pause(Clock::now());
  do {
    ++loop_;
    begin_loop(Clock::now());
    while (!is_loop_over() && !ending_) {
      turn(inbox, keyboard);
      if (stop.asked()) ending_ = ReplayEnding::kSignalled;
    }
  } while (loop_ < manner_.loops && !ending_);
  cli::show_last_line("");
  finish_unsent();
  return ending_.value_or(ReplayEnding::kComplete);
}

void ReplayRun::begin_loop(ReplayTime now) {
  progress_.taken.assign(plan_.items.size(), false);
  progress_.ended.assign(plan_.items.size(), false);
  for (std::size_t i = 0; i < plan_.items.size(); ++i) progress_.ended[i] = !cast_.is_sent[i];
  ended_prefix_.assign(plan_.senders.size(), 0);
  schedule_.begin(now);
  last_sign_ = now;
  shown_next_.reset();
  cancels_.clear();
  for (std::size_t player = 0; player < moves_.size(); ++player) {
    const bool is_here = moves_[player].begin();
    if (is_here != players_.is_here(player)) move(player, is_here, now);
  }
}

bool ReplayRun::is_loop_over() const {
  return schedule_.is_over() && waiting_ == 0 && flights_.empty();
}

/// What the end came before.
void ReplayRun::finish_unsent() {
  report_.add_unfinished(flights_.size());
  if (!ending_) return;
  std::uint64_t unsent = waiting_ + (manner_.loops - loop_) * cast_.sent_count();
  for (std::size_t i = schedule_.next(); !schedule_.is_over() && i < plan_.items.size(); ++i) {
    if (cast_.is_sent[i]) ++unsent;
  }
  report_.add_unsent(unsent);
}

void ReplayRun::turn(ReplayInbox& inbox, ReplayKeyboard* keyboard) {
  ReplayTime now = Clock::now();
  enqueue_due(now);
  send_waiting(now);
  move_players(now);
  cancel_due(now);
  answers_.send(now);
  show_progress(keyboard, now);
  await(inbox, keyboard, now);
  now = Clock::now();
  for (ReplayNews& news : inbox.take()) hear(news);
  if (keyboard != nullptr) {
    for (const ReplayKey& key : keyboard->take()) obey(key, now);
  }
  give_up_silent(now);
}

// ---- Sending
// ---------------------------------------------------------------------------------------

void ReplayRun::enqueue_due(ReplayTime now) {
  while (const std::optional<std::size_t> place = schedule_.take(now)) {
    if (!cast_.is_sent[*place]) continue;
    queues_[senders_[plan_.items[*place].sender]].places.push_back(*place);
    ++waiting_;
  }
}

void ReplayRun::send_waiting(ReplayTime now) {
  for (std::size_t player = 0; player < queues_.size(); ++player) {
    Queue& queue = queues_[player];
    while (!queue.places.empty() && flights_.size() < kMaxOnTheWay) {
      if (!send_first(player, queue, now)) break;
      queue.places.pop_front();
      queue.blocked_since.reset();
      --waiting_;
    }
  }
}

bool ReplayRun::send_first(std::size_t player, Queue& queue, ReplayTime now) {
  const std::size_t place = queue.places.front();
  const ReplayItem& item = plan_.items[place];
  if (!may_go(place)) return false;
  if (item.queues) {
    audience_.gather(players_.name(player), cast_.targets[place], *item.queues);
  }
  const ReplayTime before = Clock::now();
  const peer::Answer<std::uint64_t> id =
      players_.send(player, item, {place, loop_, cast_.targets[place], timeout_of(item)});
  if (id) {
    flights_.emplace(place, Flight{player, *id, before});
    if (is_to_be_cancelled(item)) cancels_.emplace(before + time_to_end(item), Cancel{place, *id});
    ++sent_;
    last_sign_ = now;
    return true;
  }
  const peer::Failure& failure = id.error();
  const bool has_no_credit =
      failure.fault == peer::Fault::kWouldBlock || failure.fault == peer::Fault::kTimedOut;
  if (has_no_credit) {
    if (!queue.blocked_since) queue.blocked_since = now;
    if (now - *queue.blocked_since < manner_.patience()) return false;
  }
  end(place, {.outcome = failure.outcome, .text = "not sent: " + failure.text}, now);
  return true;
}

/// Nobody sends what they sent after an answer before they have that answer, or know that none
/// comes.
bool ReplayRun::may_go(std::size_t place) {
  const ReplayItem& item = plan_.items[place];
  const std::vector<std::size_t>& order = plan_.senders[item.sender].ended;
  std::size_t& prefix = ended_prefix_[item.sender];
  while (prefix < order.size() && progress_.ended[order[prefix]]) ++prefix;
  return prefix >= item.after && have_moved_before(place);
}

/// Whether those are here, and those are gone, who were then: of the sender and the recipients.
bool ReplayRun::have_moved_before(std::size_t place) const {
  const ReplayItem& item = plan_.items[place];
  const auto is_past = [this, place](std::size_t player) {
    return player == ReplayPlayers::kNobody || moves_[player].are_done_before(place);
  };
  const std::size_t sender = senders_[item.sender];
  if (!is_past(sender) || !players_.is_here(sender)) return false;
  const Role* const recipient = cast_.recipient_of(item);
  if (recipient == nullptr) return true;
  return is_past(players_.by_recorded_name(recipient->recorded)) &&
         std::ranges::all_of(recipient->workers, [&](const std::string& worker) {
           return is_past(players_.by_recorded_name(worker));
         });
}

/// At any speed a requester's patience is as long as it was, as a deadline is.
void ReplayRun::cancel_due(ReplayTime now) {
  while (!cancels_.empty() && cancels_.begin()->first <= now) {
    const Cancel cancel = cancels_.begin()->second;
    cancels_.erase(cancels_.begin());
    const auto flight = flights_.find(cancel.place);
    if (flight == flights_.end() || flight->second.id != cancel.id) continue;
    // It may have its answer at this moment.
    (void)players_.peer(flight->second.player).cancel(cancel.id);
  }
}

// ---- Who comes and goes
// ----------------------------------------------------------------------------

void ReplayRun::move_players(ReplayTime now) {
  bool moved = false;
  for (std::size_t player = 0; player < moves_.size() && !ending_; ++player) {
    ReplayMoves& moves = moves_[player];
    while (const ReplayMove* const next = moves.next()) {
      if (!schedule_.has_reached(next->place, next->time_ns, now)) break;
      if (!has_sent_all_before(player, next->place) || !moves.is_ready(progress_)) break;
      move(player, next->joins, now);
      moves.pass();
      moved = true;
    }
  }
  if (moved) send_waiting(now);
}

bool ReplayRun::has_sent_all_before(std::size_t player, std::size_t place) const {
  const std::deque<std::size_t>& waiting = queues_[player].places;
  return waiting.empty() || waiting.front() >= place;
}

void ReplayRun::move(std::size_t player, bool joins, ReplayTime now) {
  last_sign_ = now;
  if (joins) {
    if (!players_.join(player)) ending_ = ReplayEnding::kPlayerLost;
    return;
  }
  answers_.forget(player);
  players_.leave(player);
  std::vector<std::size_t> open;
  for (const auto& [place, flight] : flights_) {
    if (flight.player == player) open.push_back(place);
  }
  std::ranges::sort(open);
  for (const std::size_t place : open) end(place, {.sender_left = true}, now);
}

milliseconds ReplayRun::timeout_of(const ReplayItem& item) const {
  if (manner_.timeout.count() > 0) return manner_.timeout;
  if (item.deadline_ns == 0) {
    const auto cancelled_after = std::chrono::ceil<milliseconds>(time_to_end(item)) + kGrace;
    return is_to_be_cancelled(item) ? std::max(cancelled_after, manner_.patience())
                                    : manner_.patience();
  }
  const auto recorded = std::chrono::ceil<milliseconds>(
      std::chrono::nanoseconds(std::min<std::uint64_t>(item.deadline_ns, INT64_MAX)));
  return recorded;
}

// ---- What becomes of it
// ----------------------------------------------------------------------------

void ReplayRun::hear(ReplayNews& news) {
  switch (news.what) {
    case ReplayNews::What::kOutcome:
      return hear_outcome(news);
    case ReplayNews::What::kReply:
      return hear_reply(news);
    case ReplayNews::What::kLost:
      if (!ending_) cli::complain(news.text + ": the replay ends here");
      ending_ = ReplayEnding::kBrokerLost;
      return;
  }
}

void ReplayRun::hear_outcome(const ReplayNews& news) {
  const std::optional<std::size_t> place = players_.place_of(news.player, news.report.id);
  if (!place || plan_.items[*place].is_exchange()) return;
  end(*place,
      {.outcome = news.report.outcome, .text = news.report.text, .queues = news.report.count},
      news.at);
}

void ReplayRun::hear_reply(ReplayNews& news) {
  const auto flight = flights_.find(news.place);
  if (flight == flights_.end() || news.loop != loop_) return;
  const ReplayItem& item = plan_.items[news.place];
  std::vector<ReplayedReply>& replies = flight->second.replies;
  peer::Answer<peer::Message>& reply = *news.reply;
  if (reply) {
    const bool is_last = !reply->more;
    // More than were recorded are counted; one is kept to be shown.
    if (replies.size() > item.replies.size()) {
      replies.emplace_back();
    } else {
      replies.push_back(reply_of(std::move(*reply)));
    }
    if (!is_last) return;
    return end(news.place, {Outcome::kDelivered, "", std::move(replies)}, news.at);
  }
  const peer::Failure& failure = reply.error();
  if (failure.outcome == Outcome::kRejected) {
    replies.push_back(no_of(failure));
    return end(news.place, {Outcome::kDelivered, "", std::move(replies)}, news.at);
  }
  const Outcome outcome =
      failure.fault == peer::Fault::kTimedOut ? Outcome::kTimedOut : failure.outcome;
  end(news.place, {outcome, failure.text, {}}, news.at);
}

void ReplayRun::end(std::size_t place, const ReplayedEnd& now, ReplayTime at) {
  if (progress_.ended[place]) return;
  progress_.ended[place] = true;
  std::uint64_t latency_ns = 0;
  if (const auto flight = flights_.find(place); flight != flights_.end()) {
    const auto took = std::chrono::nanoseconds(at - flight->second.sent_at).count();
    latency_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0));
    players_.forget(flight->second.player, flight->second.id);
    flights_.erase(flight);
  }
  last_sign_ = std::max(last_sign_, at);
  const ReplayItem& item = plan_.items[place];
  const Role* const recipient = cast_.recipient_of(item);
  const Part part = recipient == nullptr ? Part::kReal : recipient->part;
  const Comparison comparison = lacks_audience(item, now)
                                    ? Comparison{.not_compared =
                                                     "it had more subscribers than can "
                                                     "be stood in for"}
                                    : compare(item, now, part, manner_.bodies);
  report_.add(place, manner_.loops > 1 ? loop_ : 0, now, comparison, latency_ns);
}

bool ReplayRun::lacks_audience(const ReplayItem& item, const ReplayedEnd& now) const {
  return manner_.stand_in && item.queues && *item.queues > ReplayAudience::kMaxSubscribers &&
         now.queues && *now.queues < *item.queues;
}

/// Sends whose recipient takes nothing have no deadline of their own.
void ReplayRun::give_up_silent(ReplayTime now) {
  if (flights_.empty() || ending_) return;
  std::vector<std::size_t> silent;
  for (const auto& [place, flight] : flights_) {
    const ReplayItem& item = plan_.items[place];
    const milliseconds patience =
        item.is_exchange() ? timeout_of(item) + kGrace : manner_.patience();
    if (now - flight.sent_at > patience) silent.push_back(place);
  }
  std::ranges::sort(silent);
  for (const std::size_t place : silent) {
    end(place,
        {.text = fmt::format("no outcome within {}", cli::duration_text(manner_.patience()))}, now);
  }
}

// ---- Waiting
// ---------------------------------------------------------------------------------------

void ReplayRun::await(ReplayInbox& inbox, ReplayKeyboard* keyboard, ReplayTime now) {
  descriptors_.clear();
  players_.add_descriptors(descriptors_);
  audience_.add_descriptors(descriptors_);
  descriptors_.push_back({.fd = inbox.descriptor(), .events = POLLIN, .revents = 0});
  if (keyboard != nullptr) {
    descriptors_.push_back({.fd = STDIN_FILENO, .events = POLLIN, .revents = 0});
  }
  const auto wait = std::chrono::ceil<milliseconds>(wake_at(now) - Clock::now());
  const auto bounded = std::clamp<milliseconds::rep>(wait.count(), 0, kGlance.count());
  if (::poll(descriptors_.data(), descriptors_.size(), static_cast<int>(bounded)) <= 0) return;
  audience_.receive();
  for (std::size_t player = 0; player < players_.size(); ++player) {
    if (descriptors_[player].revents != 0) answers_.receive(player, progress_, Clock::now());
  }
}

ReplayTime ReplayRun::wake_at(ReplayTime now) const {
  ReplayTime at = now + kGlance;
  if (const auto due = schedule_.due()) at = std::min(at, *due);
  if (const auto due = answers_.due()) at = std::min(at, *due);
  if (const auto due = next_move_at(now)) at = std::min(at, *due);
  if (!cancels_.empty()) at = std::min(at, cancels_.begin()->first);
  const auto is_blocked = [](const Queue& queue) { return queue.blocked_since.has_value(); };
  if (std::ranges::any_of(queues_, is_blocked)) at = std::min(at, now + kTryAgain);
  return at;
}

/// Those that wait for something else are tried after each turn; they must not keep it busy.
std::optional<ReplayTime> ReplayRun::next_move_at(ReplayTime now) const {
  std::optional<ReplayTime> first;
  for (const ReplayMoves& moves : moves_) {
    const ReplayMove* const next = moves.next();
    if (next == nullptr || schedule_.next() < next->place) continue;
    const std::optional<ReplayTime> at = schedule_.when_at(next->time_ns);
    if (at && *at > now && (!first || *at < *first)) first = at;
  }
  return first;
}

}  // namespace zpost::inspect
