#include "peer/src/ledger.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "zpost/protocol/names.h"

namespace zpost::peer {
namespace {

/// The encoded length of the first `count` envelopes of `run`.
std::uint32_t bytes_of_front(const Run& run, std::uint32_t count) {
  if (run.each != 0) return run.each * count;
  FrameReader reader(run.view());
  EnvelopeView view;
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < count && reader.next(view); ++i) bytes += view.bytes.size();
  return static_cast<std::uint32_t>(bytes);
}

/// The run that `id` belongs to, in runs in id order.
auto run_of(std::deque<Run>& runs, std::uint64_t id) {
  const auto after = std::ranges::upper_bound(runs, id, {}, &Run::first_id);
  if (after == runs.begin()) return runs.end();
  const auto run = std::prev(after);
  return id <= run->last_id() ? run : runs.end();
}

/// Whether a request whose outcome this is was accepted, so that it is settled besides.
bool ends_accepted(Outcome outcome) {
  return outcome == Outcome::kLost || outcome == Outcome::kExpired ||
         outcome == Outcome::kCancelled || outcome == Outcome::kNoReply;
}

/// What the envelope `id` of `run` has as its recipient.
std::string recipient_in(const Run& run, std::uint64_t id) {
  FrameReader reader(run.view());
  EnvelopeView view;
  while (reader.next(view)) {
    if (view.id == id) return std::string(view.to);
  }
  return {};
}

}  // namespace

Ledger::Recipient& Ledger::open_account(std::string_view name) {
  auto found = recipients_.find(name);
  if (found == recipients_.end()) {
    if (recipients_.size() >= kMaxIdleAccounts) forget_idle();
    found = recipients_.try_emplace(std::string(name)).first;
    found->second.name = name;
    found->second.prefix = EnvelopePrefix(Kind::kSend, name, own_name_);
  }
  last_ = &found->second;
  return *last_;
}

const Ledger::Recipient* Ledger::find(std::string_view name) const {
  const auto found = recipients_.find(name);
  return found == recipients_.end() ? nullptr : &found->second;
}

Ledger::Recipient* Ledger::find(std::string_view name) {
  const auto found = recipients_.find(name);
  return found == recipients_.end() ? nullptr : &found->second;
}

void Ledger::forget_idle() {
  if (!backlog_.empty()) return;  // It points to accounts that have nothing outstanding.
  last_ = nullptr;
  topics_ = nullptr;
  std::erase_if(recipients_, [](const auto& entry) { return entry.second.outstanding == 0; });
}

std::size_t Ledger::admitted(const Recipient& to, std::uint64_t cost, std::size_t count) const {
  const auto left = [cost](std::uint64_t limit, std::uint64_t used) {
    return limit > used ? (limit - used) / cost : 0;
  };
  const std::uint64_t fit = std::min(left(credit_, sent_), left(pair_, to.outstanding));
  if (fit == 0) return admits(to, cost) ? std::min<std::size_t>(count, 1) : 0;
  return std::min<std::uint64_t>(fit, count);
}

void Ledger::keep(Recipient& to, Run run) {
  assert(to.runs.empty() || to.runs.back().last_id() < run.first_id);
  hold(run);
  to.runs.push_back(std::move(run));
}

void Ledger::hold(const Run& run) {
  FrameBuffer& frame = *run.frame.operator->();
  if (frame.kept == 0) capacity_kept_ += frame.capacity;
  frame.kept += run.bytes;
  bytes_kept_ += run.bytes;
}

void Ledger::drop(const Run& run) {
  FrameBuffer& frame = *run.frame.operator->();
  frame.kept -= run.bytes;
  bytes_kept_ -= run.bytes;
  if (frame.kept != 0) return;
  capacity_kept_ -= frame.capacity;
  capacity_compacted_ = std::min(capacity_compacted_, capacity_kept_);
}

// --- Memory --------------------------------------------------------------------------------------

void Ledger::compact_if_sparse() {
  // Not again until as much has come anew, so that the work is in proportion to what was sent.
  if (capacity_kept_ < kMostlyUsed * bytes_kept_ + kSpareBytes) return;
  if (capacity_kept_ < 2 * capacity_compacted_) return;
  for (auto& [name, to] : recipients_) compact(to.runs);
  capacity_compacted_ = capacity_kept_;
}

void Ledger::compact(std::deque<Run>& runs) {
  const auto sparse = [](const Run& run) {
    return run.frame->kept * kMostlyUsed < run.frame->capacity;
  };
  for (auto first = runs.begin(); first != runs.end();) {
    std::size_t bytes = 0;
    auto last = first;
    while (last != runs.end() && sparse(*last) &&
           (bytes == 0 || bytes + last->bytes <= kTogether)) {
      bytes += last++->bytes;
    }
    if (first == last) {
      ++first;
      continue;
    }
    FrameRef together = first->frame->pool->acquire(bytes);
    for (; first != last; ++first) move_to(*first, together);
  }
}

/// Moves a copy to the end of another frame.
void Ledger::move_to(Run& run, const FrameRef& frame) {
  std::memcpy(frame->bytes.get() + frame->size, run.view().data(), run.bytes);
  drop(run);
  run.offset = static_cast<std::uint32_t>(frame->size);
  run.frame = frame;
  frame->size += run.bytes;
  hold(run);
}

// --- Receipts and failures -----------------------------------------------------------------------

void Ledger::set_limits(std::uint64_t credit, std::uint64_t pair) {
  credit_ = std::max(credit, sent_);
  pair_ = pair;
}

Run Ledger::split_front(Run& run, std::uint32_t count) {
  Run front = run;
  front.count = count;
  front.bytes = bytes_of_front(run, count);
  run.offset += front.bytes;
  run.bytes -= front.bytes;
  run.count -= count;
  run.first_id += count;
  return front;
}

void Ledger::tell(const Recipient& to, const Run& run, Outcome outcome,
                  std::vector<Settlement>& out) {
  std::uint64_t first = run.first_id;
  const auto piece = [&](std::uint64_t end) {
    if (end == first) return;
    if (!run.request) unsettled_ -= end - first;
    out.push_back({to.name, first, end - first, outcome, run.request});
  };
  for (auto told = std::ranges::lower_bound(to.told, first);
       told != to.told.end() && *told <= run.last_id(); ++told) {
    piece(*told);
    first = *told + 1;
  }
  piece(run.last_id() + 1);
}

void Ledger::pop_front(Recipient& to, const ReceiptEntry& receipt, std::vector<Settlement>& out) {
  Run& front = to.runs.front();
  const bool whole = front.last_id() <= receipt.id;
  const Run covered =
      whole ? std::move(front)
            : split_front(front, static_cast<std::uint32_t>(receipt.id - front.first_id + 1));
  if (whole) to.runs.pop_front();
  to.outstanding -= covered.cost();
  outstanding_ -= covered.cost();
  tell(to, covered, receipt.unconfirmed ? Outcome::kUnconfirmed : Outcome::kDelivered, out);
  drop(covered);
}

void Ledger::settle(const ReceiptEntry& receipt, std::vector<Settlement>& out) {
  Recipient* const to = find(receipt.recipient);
  if (to == nullptr) return;
  while (!to->runs.empty() && to->runs.front().first_id <= receipt.id) {
    pop_front(*to, receipt, out);
  }
  const auto covered = std::ranges::upper_bound(to->told, receipt.id);
  to->told.erase(to->told.begin(), covered);
  compact_if_sparse();
}

Ledger::Recipient* Ledger::holder_of(std::string_view to, std::uint64_t id) {
  Recipient* const named = find(to);
  if (named != nullptr && run_of(named->runs, id) != named->runs.end()) return named;
  for (auto& [name, other] : recipients_) {
    if (run_of(other.runs, id) != other.runs.end()) return &other;
  }
  return nullptr;
}

std::optional<Ledger::Told> Ledger::tell_one(std::string_view to_name, std::uint64_t id,
                                             Outcome outcome) {
  Recipient* const to = holder_of(to_name, id);
  if (to == nullptr) return std::nullopt;
  const Run& run = *run_of(to->runs, id);
  const auto place = std::ranges::lower_bound(to->told, id);
  if (place != to->told.end() && *place == id) return std::nullopt;
  Told told{is_name(to->name) ? to->name : recipient_in(run, id), run.request};
  if (!told.request) --unsettled_;
  if (to->name == to_name || (told.request && ends_accepted(outcome))) {
    to->told.insert(place, id);
  } else {
    cut_out(*to, id);
  }
  told.doubtful = id <= doubtful_;
  return told;
}

void Ledger::cut_out(Recipient& to, std::uint64_t id) {
  const auto place = run_of(to.runs, id);
  Run rest = *place;
  const Run before = id == rest.first_id
                         ? Run()
                         : split_front(rest, static_cast<std::uint32_t>(id - rest.first_id));
  const Run failed = split_front(rest, 1);
  to.outstanding -= failed.cost();
  outstanding_ -= failed.cost();
  drop(failed);
  auto next = to.runs.erase(place);
  if (rest.count != 0) next = to.runs.insert(next, rest);
  if (before.count != 0) to.runs.insert(next, before);
}

void Ledger::note_answered(std::string_view to_name, std::uint64_t id) {
  cut_out_of_backlog(id);
  Recipient* const to = find(to_name);
  if (to == nullptr || run_of(to->runs, id) == to->runs.end()) return;
  const auto place = std::ranges::lower_bound(to->told, id);
  if (place == to->told.end() || *place != id) to->told.insert(place, id);
}

void Ledger::cut_out_of_backlog(std::uint64_t id) {
  const auto place = std::ranges::find_if(backlog_, [id](const Queued& queued) {
    return queued.run.first_id <= id && id <= queued.run.last_id();
  });
  if (place == backlog_.end()) return;
  Queued rest = *place;
  Queued before{rest.to, {}};
  if (id != rest.run.first_id) {
    before.run = split_front(rest.run, static_cast<std::uint32_t>(id - rest.run.first_id));
  }
  drop(split_front(rest.run, 1));
  auto next = backlog_.erase(place);
  if (rest.run.count != 0) next = backlog_.insert(next, std::move(rest));
  if (before.run.count != 0) backlog_.insert(next, std::move(before));
}

void Ledger::welcomed(const Welcome& welcome, Continuation continuation,
                      std::vector<Settlement>& out) {
  if (continuation != Continuation::kResumed) next_id_ = std::max(next_id_, welcome.first_id);
  // Another run of the broker has nothing of what this instance sent, and may want nothing of it:
  // then another instance had the name in between.
  const std::uint64_t has = welcome.highest_id;
  if (continuation == Continuation::kNewRun) doubtful_ = handed_;
  if (continuation != Continuation::kResumed) lose_backlog(has, out);
  for (auto& [name, to] : recipients_) {
    if (continuation != Continuation::kResumed) lose(to, has, out);
    requeue(to, has);
  }
  std::ranges::sort(backlog_, {}, [](const Queued& queued) { return queued.run.first_id; });
  refuse_larger_than(welcome.max_envelope_bytes, out);
  sent_ = welcome.received;
  recount();
  set_limits(welcome.credit, welcome.pair);
}

void Ledger::lose(Recipient& to, std::uint64_t up_to, std::vector<Settlement>& out) {
  while (!to.runs.empty() && to.runs.front().first_id <= up_to) {
    Run& front = to.runs.front();
    const bool whole = front.last_id() <= up_to;
    const Run gone =
        whole ? std::move(front)
              : split_front(front, static_cast<std::uint32_t>(up_to - front.first_id + 1));
    if (whole) to.runs.pop_front();
    tell(to, gone, Outcome::kLost, out);
    drop(gone);
  }
}

/// Copies that an earlier welcome made wait for their turn.
void Ledger::lose_backlog(std::uint64_t up_to, std::vector<Settlement>& out) {
  while (!backlog_.empty() && backlog_.front().run.first_id <= up_to) {
    auto& [to, run] = backlog_.front();
    const bool whole = run.last_id() <= up_to;
    const Run gone = whole ? std::move(run)
                           : split_front(run, static_cast<std::uint32_t>(up_to - run.first_id + 1));
    tell(*to, gone, Outcome::kLost, out);
    drop(gone);
    if (whole) backlog_.pop_front();
  }
}

void Ledger::abandon(std::vector<Settlement>& out) {
  for (auto& [name, to] : recipients_) lose(to, UINT64_MAX, out);
  lose_backlog(UINT64_MAX, out);
  recount();
}

void Ledger::requeue(Recipient& to, std::uint64_t above) {
  std::deque<Run> kept;
  for (Run& run : to.runs) {
    if (run.last_id() <= above) {
      kept.push_back(std::move(run));
      continue;
    }
    if (run.first_id <= above) {
      kept.push_back(split_front(run, static_cast<std::uint32_t>(above - run.first_id + 1)));
    }
    requeue_untold(to, std::move(run));
  }
  to.runs = std::move(kept);
  const std::uint64_t last = to.runs.empty() ? 0 : to.runs.back().last_id();
  to.told.erase(std::ranges::upper_bound(to.told, last), to.told.end());
}

void Ledger::requeue_untold(Recipient& to, Run run) {
  for (auto told = std::ranges::lower_bound(to.told, run.first_id);
       told != to.told.end() && *told <= run.last_id(); ++told) {
    if (*told > run.first_id) {
      const auto count = static_cast<std::uint32_t>(*told - run.first_id);
      backlog_.push_back({&to, split_front(run, count)});
    }
    const bool last = run.count == 1;
    drop(last ? run : split_front(run, 1));
    if (last) return;
  }
  backlog_.push_back({&to, std::move(run)});
}

/// Copies that no frame can carry would wait for ever, and everything behind them.
void Ledger::refuse_larger_than(std::uint64_t limit, std::vector<Settlement>& out) {
  std::deque<Queued> fitting;
  for (Queued& queued : std::exchange(backlog_, {})) {
    Run& rest = queued.run;
    // Envelopes of different lengths part only where one of them may be too large.
    while (rest.each == 0 && rest.bytes > limit && rest.count > 1) {
      sort_out({queued.to, split_front(rest, 1)}, limit, fitting, out);
    }
    sort_out(std::move(queued), limit, fitting, out);
  }
  backlog_ = std::move(fitting);
}

void Ledger::sort_out(Queued queued, std::uint64_t limit, std::deque<Queued>& fitting,
                      std::vector<Settlement>& out) {
  const std::uint32_t largest = queued.run.each != 0 ? queued.run.each : queued.run.bytes;
  if (largest <= limit) return fitting.push_back(std::move(queued));
  const bool doubtful = queued.run.first_id <= doubtful_;
  tell(*queued.to, queued.run, doubtful ? Outcome::kLost : Outcome::kTooLarge, out);
  drop(queued.run);
}

Ledger::Backlog Ledger::backlog() const {
  Backlog all;
  if (backlog_.empty()) return all;
  all.next_to = backlog_.front().to->name;
  for (const Queued& queued : backlog_) {
    all.envelopes += queued.run.count;
    all.bytes += queued.run.bytes;
  }
  return all;
}

std::uint64_t Ledger::cost_kept() const {
  std::uint64_t cost = 0;
  for (const Queued& queued : backlog_) cost += queued.run.cost();
  for (const auto& [name, to] : recipients_) {
    for (const Run& run : to.runs) cost += run.cost();
  }
  return cost;
}

void Ledger::recount() {
  outstanding_ = 0;
  for (auto& [name, to] : recipients_) {
    to.outstanding = 0;
    for (const Run& run : to.runs) to.outstanding += run.cost();
    outstanding_ += to.outstanding;
  }
}

Ledger::Queued Ledger::next_copy(std::size_t room) {
  if (backlog_.empty()) return {};
  Queued& front = backlog_.front();
  const bool alike = front.run.each != 0;
  const std::uint32_t each = alike ? front.run.each : bytes_of_front(front.run, 1);
  std::size_t count = alike ? std::min<std::size_t>(front.run.count, room / front.run.each)
                            : std::size_t{each <= room};
  count = admitted(*front.to, cost_of(each), count);
  if (count == 0) return {};
  Queued next{front.to, split_front(front.run, static_cast<std::uint32_t>(count))};
  if (front.run.count == 0) backlog_.pop_front();
  drop(next.run);  // Kept again with the frame it goes in.
  charge(*next.to, next.run.cost());
  return next;
}

}  // namespace zpost::peer
