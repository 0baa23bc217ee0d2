#include "peer/src/inbox.h"

#include <algorithm>
#include <utility>

namespace zpost::peer {

namespace {

/// The broker's choice is not told. Fewer only mean that an ack comes by time.
constexpr std::size_t kUsualWindowFrames = 64;

}  // namespace

bool Inbox::meta_has_mark(const EnvelopeView& view) {
  if (!is_ordered(view)) return false;
  const Result<Meta> meta = read_meta(view);
  return !meta || has_mark(*meta);
}

void Inbox::open_entry() {
  if (!open_.views.empty()) parts_.push_back(std::exchange(open_, {}));
  if (open_.views.capacity() == 0) open_.views = std::exchange(spare_, {});
  open_.first_lane = position_;
}

void Inbox::end_frame(const Keeper& frame, std::size_t bytes) {
  if (open_.views.empty()) return;
  open_.frame_bytes = bytes;
  parts_.push_back(std::exchange(open_, {}));
  for (Entry& part : parts_) {
    part.frame = frame;
    entries_.push_back(std::move(part));
  }
  parts_.clear();
}

bool Inbox::accept_outcome() {
  if (++outcome_position_ <= outcomes_) return false;
  outcomes_ = outcome_position_;
  return true;
}

void Inbox::begin_giving() {
  if (untaken_) return;
  taken_ = complete();
  untaken_ = true;
}

void Inbox::finish_front() {
  Entry& front = entries_.front();
  if (front.frame_bytes != 0) {
    given_bytes_ += front.frame_bytes;
    ++given_frames_;
  }
  if (spare_.capacity() < front.views.capacity()) {
    front.views.clear();
    spare_ = std::move(front.views);
  }
  entries_.pop_front();
}

EnvelopeView Inbox::give_one(Keeper& frame) {
  begin_giving();
  Entry& front = entries_.front();
  const EnvelopeView view = front.views[front.next++];
  if (frame != front.frame) frame = front.frame;
  ++counts_.given;
  if (front.left() == 0) finish_front();
  return view;
}

void Inbox::give(std::size_t max, std::vector<EnvelopeView>& views, std::vector<Keeper>& frames) {
  begin_giving();
  // One frame's worth is enough: its bytes are in the cache, and the next call is cheap.
  while (views.size() < std::min(max, kFullBatch) && !entries_.empty()) {
    Entry& front = entries_.front();
    if (frames.empty() || frames.back() != front.frame) frames.push_back(front.frame);
    const std::size_t count = std::min(max - views.size(), front.left());
    counts_.given += count;
    if (views.empty() && count == front.views.size()) {
      views.swap(front.views);
      finish_front();
      continue;
    }
    const auto first = front.views.begin() + static_cast<std::ptrdiff_t>(front.next);
    views.insert(views.end(), first, first + static_cast<std::ptrdiff_t>(count));
    front.next += count;
    if (front.left() == 0) finish_front();
  }
}

bool Inbox::remove(std::string_view from, std::uint64_t id) {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    for (std::size_t i = entry->next; i < entry->views.size(); ++i) {
      const EnvelopeView& view = entry->views[i];
      if (view.id != id || view.from != from) continue;
      if (view.kind() != Kind::kRequest && view.kind() != Kind::kCall) continue;
      cut_out(entry, i);
      ++counts_.given;
      if (!untaken_) counts_.taken = counts_.given;
      return true;
    }
  }
  return false;
}

/// Splits the entry around one of its views, which is left out.
void Inbox::cut_out(std::deque<Entry>::iterator entry, std::size_t index) {
  const auto at = entry->views.begin() + static_cast<std::ptrdiff_t>(index);
  Entry rest{entry->frame,
             {at + 1, entry->views.end()},
             0,
             entry->first_lane + index + 1,
             entry->frame_bytes};
  entry->views.erase(at, entry->views.end());
  if (!rest.views.empty()) {
    entry->frame_bytes = 0;
    entry = std::prev(entries_.insert(std::next(entry), std::move(rest)));
  }
  if (entry->left() > 0) return;
  if (entry->frame_bytes != 0) {
    given_bytes_ += entry->frame_bytes;
    ++given_frames_;
  }
  entries_.erase(entry);
}

void Inbox::take() {
  if (!untaken_) return;
  untaken_ = false;
  counts_.taken = counts_.given;
}

Ack Inbox::make_ack() {
  acked_taken_ = ackable();
  acked_outcomes_ = outcome_position_;
  given_bytes_ = 0;
  given_frames_ = 0;
  return {acked_taken_, acked_outcomes_, 0};
}

std::uint64_t Inbox::welcomed(const Welcome& welcome, std::size_t window_frames) {
  std::uint64_t unacknowledged = 0;
  if (!welcome.resumed) {
    const std::uint64_t held = complete();
    // Acks may have been lost with the connection.
    const std::uint64_t acked = welcome.earlier_taken.value_or(acked_taken_);
    unacknowledged = held > acked ? held - acked : 0;
    discard();
    received_ = 0;
    outcomes_ = 0;
    untaken_ = false;
  }
  // The hello said the rest.
  untold_doubts_.clear();
  const std::uint64_t settled = welcome.resumed ? welcome.taken : UINT64_MAX;
  std::erase_if(doubts_, [settled](const LaneRange& range) {
    return range.first + range.count - 1 <= settled;
  });
  position_ = hurried_position_ = welcome.taken;
  received_ = std::max(received_, position_);
  outcome_position_ = welcome.outcomes;
  outcomes_ = std::max(outcomes_, outcome_position_);
  acked_taken_ = position_;
  acked_outcomes_ = outcome_position_;
  given_bytes_ = 0;
  given_frames_ = 0;
  urgent_bytes_ = std::max<std::size_t>(welcome.window_bytes / 16, 1);
  const std::size_t frames = window_frames == 0 ? kUsualWindowFrames : window_frames;
  urgent_frames_ = std::max<std::size_t>(frames / 4, 1);
  return unacknowledged;
}

/// The mark says that the program had it. The broker is told where that is not sure: a copy that
/// failed in an earlier run of the broker may come again when later ones have passed.
void Inbox::drop(const EnvelopeView& view) {
  ++counts_.duplicates;
  if (watermarks_.passed(view.from, view.id)) return;
  for (std::vector<LaneRange>* const ranges : {&doubts_, &untold_doubts_}) {
    if (!ranges->empty() && ranges->back().first + ranges->back().count == position_) {
      ++ranges->back().count;
      continue;
    }
    if (ranges->size() == kMaxDoubts) {
      // The two oldest become one: what is between them may be called lost, but nothing delivered.
      LaneRange& second = (*ranges)[1];
      second.count += second.first - ranges->front().first;
      second.first = ranges->front().first;
      ranges->erase(ranges->begin());
    }
    ranges->push_back({position_, 1});
  }
}

void Inbox::discard() {
  // The latest first, so that each sender's mark ends below its oldest envelope given back.
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    for (std::size_t i = entry->views.size(); i > entry->next; --i) {
      const EnvelopeView& view = entry->views[i - 1];
      if (has_mark(view)) watermarks_.take_back(view.from, view.id);
    }
  }
  entries_.clear();
}

}  // namespace zpost::peer
