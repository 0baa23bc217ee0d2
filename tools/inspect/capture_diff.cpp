#include "tools/inspect/capture_diff.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <unordered_map>

#include "peer/cli/shared/text.h"

namespace zpost::inspect {
namespace {

const std::vector<DiffEnvelope>& stream_of(const DiffSide& side, const DiffStream& stream) {
  static const std::vector<DiffEnvelope> none;
  const auto found = side.streams().find(stream);
  return found == side.streams().end() ? none : found->second;
}

std::unordered_map<std::uint64_t, std::size_t> places_by_id(
    const std::vector<DiffEnvelope>& envelopes) {
  std::unordered_map<std::uint64_t, std::size_t> places;
  for (std::size_t i = 0; i < envelopes.size(); ++i) places.emplace(envelopes[i].id, i);
  return places;
}

std::string outcome_word(const DiffEnvelope& envelope) {
  if (envelope.replied) return "replied";
  return envelope.outcome == Outcome::kNone ? "" : std::string(outcome_name(envelope.outcome));
}

void put_if_other(std::vector<DiffChange>& changes, const char* what, std::string_view first,
                  std::string_view second) {
  if (first == second) return;
  changes.push_back({what, cli::visible_line(first), cli::visible_line(second)});
}

std::string number_text(std::uint64_t number) {
  return number == 0 ? "" : std::to_string(number);
}

/// The least of at least so many in a hundred.
std::uint64_t percentile(const std::vector<std::uint64_t>& sorted, std::size_t percent) {
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::optional<DiffLatency> latency_of(const std::vector<DiffEnvelope>& envelopes) {
  std::vector<std::uint64_t> all;
  for (const DiffEnvelope& envelope : envelopes) {
    if (envelope.latency_ns) all.push_back(*envelope.latency_ns);
  }
  if (all.empty()) return std::nullopt;
  std::ranges::sort(all);
  return DiffLatency{percentile(all, 50), percentile(all, 99)};
}

}  // namespace

DiffCounts& DiffCounts::operator+=(const DiffCounts& other) {
  first += other.first;
  second += other.second;
  same += other.same;
  changed += other.changed;
  only_first += other.only_first;
  only_second += other.only_second;
  redacted += other.redacted;
  cut += other.cut;
  return *this;
}

DiffPairing pairing_of(const DiffSide& first, const DiffSide& second) {
  for (const auto& [stream, envelopes] : first.streams()) {
    const auto& others = stream_of(second, stream);
    if (others.empty()) continue;
    const auto places = places_by_id(envelopes);
    const bool meet = std::ranges::any_of(
        others, [&places](const DiffEnvelope& other) { return places.contains(other.id); });
    if (meet) return DiffPairing::kById;
  }
  return DiffPairing::kByOrder;
}

std::vector<DiffOverview> CaptureDiff::run(const DiffSide& first, const DiffSide& second) {
  std::set<DiffStream> all;
  for (const DiffSide* const side : {&first, &second}) {
    for (const auto& [stream, envelopes] : side->streams()) all.insert(stream);
  }
  std::vector<DiffOverview> overviews;
  overviews.reserve(all.size());
  for (const DiffStream& stream : all) {
    overviews.push_back(compare(stream, stream_of(first, stream), stream_of(second, stream)));
  }
  return overviews;
}

DiffOverview CaptureDiff::compare(const DiffStream& stream, const Envelopes& first,
                                  const Envelopes& second) {
  stream_ = &stream;
  counts_ = {.first = first.size(), .second = second.size()};
  first_alone_.clear();
  second_alone_.clear();
  if (pairing_ == DiffPairing::kById) {
    pair_by_id(first, second);
  } else {
    pair_by_order(first, second);
  }
  for (const std::size_t i : first_alone_) put_single(DiffKind::kOnlyFirst, first[i]);
  for (const std::size_t j : second_alone_) put_single(DiffKind::kOnlySecond, second[j]);
  return {stream, counts_, latency_of(first), latency_of(second)};
}

void CaptureDiff::pair_by_id(const Envelopes& first, const Envelopes& second) {
  auto places = places_by_id(second);
  std::size_t next = 0;  // Behind the furthest place met in the second.
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto found = places.find(first[i].id);
    if (found == places.end()) {
      first_alone_.push_back(i);
      continue;
    }
    const std::size_t place = found->second;
    put_pair(first[i], second[place], place < next);
    next = std::max(next, place + 1);
    places.erase(found);
  }
  for (const auto& [id, place] : places) second_alone_.push_back(place);
  std::ranges::sort(second_alone_);
}

/// As the lines of two texts are, but that one is looked for in the neighbourhood only.
void CaptureDiff::pair_by_order(const Envelopes& first, const Envelopes& second) {
  first_prints_ = prints_of(first);
  second_prints_ = prints_of(second);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < first.size() && j < second.size()) {
    if (are_alike(first, i, second, j)) {
      put_pair(first[i++], second[j++], false);
      continue;
    }
    const Alone alone = look_ahead(first, i, second, j);
    for (std::size_t n = 0; n < alone.first; ++n) first_alone_.push_back(i++);
    for (std::size_t n = 0; n < alone.second; ++n) second_alone_.push_back(j++);
    if (alone.first + alone.second == 0) put_pair(first[i++], second[j++], false);
  }
  while (i < first.size()) first_alone_.push_back(i++);
  while (j < second.size()) second_alone_.push_back(j++);
  pair_moved(first, second);
}

/// How many of one side are alone before the next that is alike; none: they are a pair that
/// changed.
CaptureDiff::Alone CaptureDiff::look_ahead(const Envelopes& first, std::size_t i,
                                           const Envelopes& second, std::size_t j) const {
  for (std::size_t ahead = 1; ahead <= kLookAhead; ++ahead) {
    if (i + ahead < first.size() && are_alike(first, i + ahead, second, j)) return {ahead, 0};
    if (j + ahead < second.size() && are_alike(first, i, second, j + ahead)) return {0, ahead};
  }
  return {};
}

/// What is left alone in both with the same body stands elsewhere in the other.
void CaptureDiff::pair_moved(const Envelopes& first, const Envelopes& second) {
  std::multimap<std::uint64_t, std::size_t> left;
  for (const std::size_t j : second_alone_) {
    if (second_prints_[j]) left.emplace(*second_prints_[j], j);
  }
  std::set<std::size_t> met;
  std::erase_if(first_alone_, [&](std::size_t i) {
    if (!first_prints_[i]) return false;
    const auto found = left.lower_bound(*first_prints_[i]);
    if (found == left.end() || found->first != *first_prints_[i]) return false;
    put_pair(first[i], second[found->second], true);
    met.insert(found->second);
    left.erase(found);
    return true;
  });
  std::erase_if(second_alone_, [&met](std::size_t j) { return met.contains(j); });
}

bool CaptureDiff::are_alike(const Envelopes& first, std::size_t i, const Envelopes& second,
                            std::size_t j) const {
  const DiffEnvelope& a = first[i];
  const DiffEnvelope& b = second[j];
  if (!a.has_body || !b.has_body) return true;
  if (first_prints_[i] && second_prints_[j]) return *first_prints_[i] == *second_prints_[j];
  const ShownEnvelope shown_a = a.shown();
  const ShownEnvelope shown_b = b.shown();
  return compare_bodies({shown_a, a.redacted}, {shown_b, b.redacted}, bodies_).match !=
         BodyMatch::kDifferent;
}

CaptureDiff::Prints CaptureDiff::prints_of(const Envelopes& envelopes) const {
  Prints prints;
  prints.reserve(envelopes.size());
  for (const DiffEnvelope& envelope : envelopes) {
    const ShownEnvelope shown = envelope.shown();
    prints.push_back(envelope.has_body ? body_fingerprint({shown, envelope.redacted}, bodies_)
                                       : std::nullopt);
  }
  return prints;
}

void CaptureDiff::put_pair(const DiffEnvelope& first, const DiffEnvelope& second, bool moved) {
  std::vector<DiffChange> changes;
  DiffCounts marks;
  if (moved) changes.push_back({"order", "", ""});
  put_if_other(changes, "outcome", outcome_word(first), outcome_word(second));
  put_if_other(changes, "queues", number_text(first.queues), number_text(second.queues));
  put_meta_changes(first, second, changes);
  put_body_change(first, second, changes, marks);
  if (changes.empty()) {
    ++counts_.same;
    counts_ += marks;
    return;
  }
  ++counts_.changed;
  tell_({DiffKind::kChanged, *stream_, &first, &second, std::move(changes)});
}

void CaptureDiff::put_single(DiffKind kind, const DiffEnvelope& envelope) {
  const bool is_first = kind == DiffKind::kOnlyFirst;
  ++(is_first ? counts_.only_first : counts_.only_second);
  tell_({kind, *stream_, is_first ? &envelope : nullptr, is_first ? nullptr : &envelope});
}

void CaptureDiff::put_body_change(const DiffEnvelope& first, const DiffEnvelope& second,
                                  std::vector<DiffChange>& changes, DiffCounts& counts) const {
  if (!first.has_body && !second.has_body) return;
  if (!first.has_body || !second.has_body) {
    ++counts.cut;
    return;
  }
  const ShownEnvelope a = first.shown();
  const ShownEnvelope b = second.shown();
  BodyDifference body = compare_bodies({a, first.redacted}, {b, second.redacted}, bodies_);
  switch (body.match) {
    case BodyMatch::kDifferent:
      for (BodyPlace& place : body.places) {
        changes.push_back(
            {std::move(place.where), std::move(place.first), std::move(place.second)});
      }
      return;
    case BodyMatch::kRedacted:
      ++counts.redacted;
      return;
    case BodyMatch::kCut:
      ++counts.cut;
      return;
    case BodyMatch::kSame:
      return;
  }
}

/// Ids and traces are new ones in every run.
void CaptureDiff::put_meta_changes(const DiffEnvelope& first, const DiffEnvelope& second,
                                   std::vector<DiffChange>& changes) const {
  if (!first.has_body || !second.has_body) return;
  put_if_other(changes, "content_type", first.content_type, second.content_type);
  put_if_other(changes, "rejected", first.rejected ? "true" : "", second.rejected ? "true" : "");
  if (pairing_ == DiffPairing::kById) {
    put_if_other(changes, "trace", first.trace, second.trace);
    put_if_other(changes, "in_reply_to", number_text(first.in_reply_to),
                 number_text(second.in_reply_to));
  } else {
    put_if_other(changes, "in_reply_to", first.in_reply_to != 0 ? "there" : "",
                 second.in_reply_to != 0 ? "there" : "");
  }
}

}  // namespace zpost::inspect
