#include "broker/tap/listener.h"

#include <algorithm>
#include <cstring>

#include "zpost/protocol/names.h"

namespace zpost::tap {

namespace {

std::size_t padded(std::size_t bytes) {
  return (bytes + 7) / 8 * 8;
}

// Two names and a record that shows nothing.
constexpr std::size_t kMaxNames = 2 * (sizeof(TapRecord) + kMaxNameBytes);

}  // namespace

void Listener::offer(const TapRecord& record, const NameUse& from, const NameUse& to, Bytes shown) {
  if (!program_) {
    if (filter_.wants(record, from.name, to.name)) pack_run(record, from, to, shown);
    return;
  }
  filter::Subject subject = filter::subject_of(record, from.name, to.name);
  if (program_->asks_for_latency()) latencies_.learn_or_tell(subject, record.time_ns);
  if (!filter_.wants(record, from.name, to.name)) return;
  if (record.event == TapEvent::kReceived && program_->looks_into_envelopes()) {
    return pack_wanted(record, from, to, shown);
  }
  if (program_->wants(subject)) pack_run(record, from, to, shown);
}

void Listener::pack_run(const TapRecord& record, const NameUse& from, const NameUse& to,
                        Bytes shown) {
  const bool some_hidden = shown.size() > filter_.snap || shown.size() < record.bytes;
  const bool in_parts = filter_.each && some_hidden && !cut(shown).empty() && record.count > 1;
  if (in_parts) return pack_each(record, from, to, shown);
  pack(record, from, to, cut(shown));
}

/// A run in parts that show of each envelope what is asked for. One that is cut ends its part.
void Listener::pack_each(const TapRecord& record, const NameUse& from, const NameUse& to,
                         Bytes shown) {
  TapRecord part = record;
  part.count = part.bytes = 0;
  Bytes extra = shown.first(0);
  std::uint32_t left = record.count;
  std::uint32_t bytes_left = record.bytes;
  const auto end_part = [&] {
    if (part.count > 0) pack(part, from, to, extra);
    part.count = part.bytes = 0;
  };
  ShownReader reader(shown);
  for (ShownEnvelope envelope; left > 0 && reader.next(envelope); --left) {
    const Bytes visible = cut(reader.bytes());
    if (extra.size() + visible.size() > kMaxPart) end_part();
    if (part.count == 0) {
      part.first_id = envelope.id;
      extra = {visible.data(), 0};
    }
    extra = {extra.data(), extra.size() + visible.size()};
    part.last_id = envelope.id;
    part.bytes += static_cast<std::uint32_t>(envelope.size);
    bytes_left -= static_cast<std::uint32_t>(envelope.size);
    ++part.count;
    if (visible.size() < envelope.size) end_part();
  }
  end_part();
  if (left == 0) return;
  const std::uint64_t step = (record.last_id - record.first_id) / (record.count - 1);
  TapRecord rest = record;
  rest.first_id = record.last_id - step * (left - 1);
  rest.count = left;
  rest.bytes = bytes_left;
  pack(rest, from, to, {});
}

void Listener::pack_wanted(const TapRecord& record, const NameUse& from, const NameUse& to,
                           Bytes shown) {
  TapRecord one = record;
  one.count = 1;
  std::uint32_t left = record.count;
  ShownReader reader(shown);
  for (ShownEnvelope envelope; left > 0 && reader.next(envelope); --left) {
    one.first_id = one.last_id = envelope.id;
    one.bytes = static_cast<std::uint32_t>(envelope.size);
    filter::Subject subject = filter::subject_of(one, from.name, to.name);
    subject.envelope = &envelope;
    if (program_->wants(subject)) pack(one, from, to, cut(reader.bytes()));
  }
  if (left == 0) return;
  filter::Subject rest = filter::subject_of(record, from.name, to.name);
  rest.envelope_elsewhere = true;
  if (program_->wants(rest)) lose(1);
}

Bytes Listener::cut(Bytes shown) const {
  return shown.first(std::min<std::size_t>(shown.size(), filter_.snap));
}

void Listener::pack(const TapRecord& record, const NameUse& from, const NameUse& to, Bytes extra) {
  const std::size_t need = kMaxNames + sizeof record + padded(extra.size());
  if (staged_.size() - sent_ + need > most_) {
    ++missed_;
    ++next_sequence_;
    return;
  }
  tell(from, record.time_ns);
  tell(to, record.time_ns);
  put(record, extra);
}

void Listener::tell_missed(std::uint64_t time_ns) {
  if (missed_ == 0 || staged_.size() - sent_ + sizeof(TapRecord) > most_) return;
  TapRecord record;
  record.event = TapEvent::kMissed;
  record.time_ns = time_ns;
  put(record, {});
}

bool Listener::is_told(const NameUse& use) const {
  return use.name.empty() || (use.number < told_.size() && told_[use.number] == use.version);
}

void Listener::tell(const NameUse& use, std::uint64_t time_ns) {
  if (is_told(use)) return;
  if (use.number >= told_.size()) told_.resize(use.number + 1);
  told_[use.number] = use.version;
  TapRecord record;
  record.event = TapEvent::kName;
  record.time_ns = time_ns;
  record.from = use.number;
  put(record, as_bytes(use.name));
}

void Listener::put(TapRecord record, Bytes extra) {
  record.sequence = next_sequence_++;
  record.extra = static_cast<std::uint32_t>(extra.size());
  record.missed = std::exchange(missed_, 0);
  const std::size_t begin = staged_.size();
  staged_.resize(begin + sizeof record + padded(extra.size()));
  std::memcpy(staged_.data() + begin, &record, sizeof record);
  if (!extra.empty()) {
    std::memcpy(staged_.data() + begin + sizeof record, extra.data(), extra.size());
  }
  fill_body();
}

/// Takes more whole records into the next body, up to the first that does not fit: so each is
/// looked at once, but for that one.
void Listener::fill_body() {
  while (sent_ + body_bytes_ < staged_.size()) {
    TapRecord record;
    std::memcpy(&record, staged_.data() + sent_ + body_bytes_, sizeof record);
    const std::size_t size = sizeof record + padded(record.extra);
    if (body_bytes_ + size > kMaxBody) return;
    body_bytes_ += size;
  }
}

void Listener::pop_body() {
  sent_ += std::exchange(body_bytes_, 0);
  fill_body();
  if (sent_ < staged_.size() && sent_ < most_) return;
  staged_.erase(staged_.begin(), staged_.begin() + static_cast<std::ptrdiff_t>(sent_));
  sent_ = 0;
}

}  // namespace zpost::tap
