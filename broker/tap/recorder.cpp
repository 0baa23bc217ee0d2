#include "broker/tap/recorder.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "zpost/protocol/kinds.h"

namespace zpost::tap {

namespace {

// The first byte of a record: its event, and what follows.
constexpr std::uint8_t kEventBits = 0x0f;
constexpr std::uint8_t kSeveral = 0x10;  // Count, and the last id.
constexpr std::uint8_t kHasKind = 0x20;  // Else it is a send.
constexpr std::uint8_t kHasCode = 0x40;
constexpr std::uint8_t kAlsoForwarded = 0x80;  // At once: a record of its own when it is read.
// Or no event: one of its sender's two latest records again, of the same time, its ids one up.
constexpr std::uint8_t kEarlier = 0x10;      // The one before the latest.
constexpr std::uint8_t kOtherSender = 0x20;  // Than that of the record before: its number follows.

constexpr std::size_t kMostRecordBytes = 80;
constexpr auto kUsualKind = static_cast<std::uint8_t>(Kind::kSend);

void put_number(std::vector<std::byte>& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::byte>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::byte>(value));
}

/// Small ones of either sign are short.
void put_signed(std::vector<std::byte>& out, std::int64_t value) {
  put_number(out, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

/// Whether its ids are a sender's, each above the one before.
bool has_ids(TapEvent event) {
  return event != TapEvent::kSession && event != TapEvent::kMissed && event != TapEvent::kDropped;
}

/// Whether `next`, an envelope's record, says the same of the next id as `record` of its own.
bool repeats(const TapRecord& record, const TapRecord& next) {
  return record.count == 1 && record.event == next.event && record.kind == next.kind &&
         record.code == next.code && record.to == next.to && record.bytes == next.bytes &&
         record.first_id + 1 == next.first_id && record.last_id + 1 == next.last_id;
}

}  // namespace

void Recorder::Context::remember(const TapRecord& record) {
  time_ns = record.time_ns;
  from = record.from;
  if (!has_ids(record.event)) return;
  History& sender = senders[record.from];
  sender.earlier = std::exchange(sender.latest, record);
}

std::size_t Recorder::Block::weight() const {
  std::size_t bytes_held = sizeof *this + bytes.capacity() + senders.capacity() * sizeof(Sender);
  for (const Sender& each : senders) bytes_held += each.name.capacity();
  return bytes_held;
}

void Recorder::add(const TapRecord& record, const NameUse& from, const NameUse& to) {
  if (limit_ == 0) return;
  const std::size_t names = from.name.size() + to.name.size();
  if (open_.bytes.size() + kMostRecordBytes + names > kBlockBytes) seal();
  if (open_.records == 0) begin_block();
  bool grows = false;
  if (was_forwarded(record)) {
    open_.bytes[last_head_] |= std::byte{kAlsoForwarded};
    last_head_ = SIZE_MAX;
  } else {
    const std::uint32_t from_here = local(from);
    grows = continues_last(record);
    write(grows ? take_back(record, from_here) : record, from_here, local(to));
  }
  if (!grows) {
    ++open_.records;
    ++records_;
    ++added_;
  }
  open_.sessions = open_.sessions || record.event == TapEvent::kSession;
  open_.first_ns = std::min(open_.first_ns, record.time_ns);
  open_.last_ns = std::max(open_.last_ns, record.time_ns);
}

void Recorder::begin_block() {
  open_.bytes.reserve(kBlockBytes);
  open_.senders.assign(1, {});
  open_names_ = sizeof(Sender);
  open_.first_ns = UINT64_MAX;
  open_.begins_at = added_;
  context_ = {};
  context_.senders.resize(1);
  last_head_ = SIZE_MAX;
}

void Recorder::seal() {
  if (open_.records == 0) return;
  open_.bytes.shrink_to_fit();
  bytes_ += open_.weight();
  blocks_.push_back(std::exchange(open_, {}));
  ++next_serial_;
  while (bytes_ > limit_ && !blocks_.empty()) drop_oldest();
}

void Recorder::drop_oldest() {
  bytes_ -= blocks_.front().weight();
  records_ -= blocks_.front().records;
  blocks_.pop_front();
}

/// The open block's number for a name.
std::uint32_t Recorder::local(const NameUse& name) {
  if (name.number == 0) return 0;
  if (name.number >= places_.size()) places_.resize(name.number + 1);
  Place& place = places_[name.number];
  if (place.serial == next_serial_ && place.version == name.version) return place.local;
  place = {next_serial_, name.version, static_cast<std::uint32_t>(open_.senders.size())};
  open_.senders.push_back({std::string(name.name)});
  open_names_ += sizeof(Sender) + name.name.size();
  context_.senders.emplace_back();
  return place.local;
}

/// Whether it is the last one's run going on: several frames of a turn.
bool Recorder::continues_last(const TapRecord& record) const {
  return last_head_ != SIZE_MAX && record.event == TapEvent::kReceived &&
         last_.event == TapEvent::kReceived && record.from == last_.from && record.to == last_.to &&
         record.kind == last_.kind && record.time_ns == last_.time_ns && record.code == 0 &&
         last_.code == 0 && goes_on_with(last_, record) &&
         UINT32_MAX - last_.count > record.count && UINT32_MAX - last_.bytes > record.bytes;
}

/// Takes the last record out again: with this one, they are one.
TapRecord Recorder::take_back(const TapRecord& record, std::uint32_t from) {
  TapRecord whole = last_;
  whole.last_id = record.last_id;
  whole.count += record.count;
  whole.bytes += record.bytes;
  open_.bytes.resize(last_head_);
  context_.time_ns = before_last_.time_ns;
  context_.from = before_last_.from;
  context_.senders[from] = before_last_.history;
  return whole;
}

/// Whether it says that what the last one tells of was forwarded at once.
bool Recorder::was_forwarded(const TapRecord& record) const {
  return last_head_ != SIZE_MAX && record.event == TapEvent::kForwarded &&
         last_.event == TapEvent::kReceived && record.code == 0 && last_.code == 0 &&
         record.from == last_.from && record.to == last_.to && record.first_id == last_.first_id &&
         record.last_id == last_.last_id && record.count == last_.count &&
         record.time_ns == last_.time_ns;
}

void Recorder::write(TapRecord record, std::uint32_t from, std::uint32_t to) {
  last_ = record;
  last_head_ = open_.bytes.size();
  before_last_ = {context_.time_ns, context_.from, context_.senders[from]};
  record.from = from;
  record.to = to;
  if (!write_repeat(record)) write_whole(record);
  context_.remember(record);
  if (!has_ids(record.event)) return;
  Sender& sender = open_.senders[from];
  sender.least = std::min(sender.least, record.first_id);
  sender.most = std::max({sender.most, record.first_id, record.last_id});
}

/// False: it is none, or not of an envelope by itself.
bool Recorder::write_repeat(const TapRecord& record) {
  const bool may = record.count == 1 && has_ids(record.event);
  if (!may || record.time_ns != context_.time_ns) return false;
  const History& sender = context_.senders[record.from];
  const bool latest = repeats(sender.latest, record);
  if (!latest && !repeats(sender.earlier, record)) return false;
  std::uint8_t head = latest ? 0 : kEarlier;
  if (record.from != context_.from) head |= kOtherSender;
  open_.bytes.push_back(static_cast<std::byte>(head));
  if (record.from != context_.from) put_number(open_.bytes, record.from);
  return true;
}

void Recorder::write_whole(const TapRecord& record) {
  std::vector<std::byte>& out = open_.bytes;
  const bool several = record.count != 1 || record.last_id != record.first_id;
  auto head = static_cast<std::uint8_t>(record.event);
  if (several) head |= kSeveral;
  if (record.kind != kUsualKind) head |= kHasKind;
  if (record.code != 0) head |= kHasCode;
  out.push_back(static_cast<std::byte>(head));
  put_signed(out, static_cast<std::int64_t>(record.time_ns - context_.time_ns));
  put_number(out, record.from);
  put_number(out, record.to);
  if (has_ids(record.event)) {
    const std::uint64_t last_id = context_.senders[record.from].latest.first_id;
    put_signed(out, static_cast<std::int64_t>(record.first_id - last_id));
  } else {
    put_number(out, record.event == TapEvent::kMissed ? record.missed : record.first_id);
  }
  put_number(out, record.bytes);
  if (several) {
    put_number(out, record.count);
    put_signed(out, static_cast<std::int64_t>(record.last_id - record.first_id));
  }
  if (record.kind != kUsualKind) out.push_back(static_cast<std::byte>(record.kind));
  if (record.code != 0) put_number(out, record.code);
}

std::uint64_t Recorder::oldest_ns() const {
  if (!blocks_.empty()) return blocks_.front().first_ns;
  return open_.records == 0 ? 0 : open_.first_ns;
}

bool Recorder::may_have(std::uint64_t serial, std::string_view from, std::uint64_t id) const {
  return std::ranges::any_of(block(serial).senders, [&](const Sender& sender) {
    return (from.empty() || sender.name == from) && sender.least <= id && id <= sender.most;
  });
}

bool Recorder::has_sender(std::uint64_t serial, std::string_view name) const {
  return std::ranges::any_of(block(serial).senders,
                             [&](const Sender& sender) { return sender.name == name; });
}

bool Recorder::overlaps(std::uint64_t serial, std::uint64_t since_ns,
                        std::uint64_t until_ns) const {
  const Block& here = block(serial);
  return here.last_ns >= since_ns && here.first_ns <= until_ns;
}

std::uint64_t Recorder::Reader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    assert(!rest_.empty());
    const auto next = std::to_integer<std::uint64_t>(rest_.front());
    rest_ = rest_.subspan(1);
    value |= (next & 0x7f) << shift;
    if (next < 0x80) return value;
  }
}

std::int64_t Recorder::Reader::signed_number() {
  const std::uint64_t value = number();
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

NameUse Recorder::Reader::name(std::uint64_t local) const {
  if (local == 0) return {};
  return {static_cast<std::uint32_t>(local), 1, block_.senders[local].name};
}

bool Recorder::Reader::next(Found& found) {
  if (std::exchange(has_joined_, false)) {
    found = joined_;
    return true;
  }
  if (rest_.empty()) return false;
  const auto head = std::to_integer<std::uint8_t>(rest_.front());
  rest_ = rest_.subspan(1);
  TapRecord& record = found.record = {};
  (head & kEventBits) == 0 ? read_repeat(head, record) : read_whole(head, record);
  context_.remember(record);
  found.from = name(record.from);
  found.to = name(record.to);
  has_joined_ = (head & kAlsoForwarded) != 0;
  if (has_joined_) {
    joined_ = found;
    joined_.record.event = TapEvent::kForwarded;
  }
  return true;
}

void Recorder::Reader::read_repeat(std::uint8_t head, TapRecord& record) {
  if ((head & kOtherSender) != 0) context_.from = static_cast<std::uint32_t>(number());
  const History& sender = context_.senders[context_.from];
  record = (head & kEarlier) != 0 ? sender.earlier : sender.latest;
  record.time_ns = context_.time_ns;
  ++record.first_id;
  ++record.last_id;
}

void Recorder::Reader::read_whole(std::uint8_t head, TapRecord& record) {
  record.event = static_cast<TapEvent>(head & kEventBits);
  record.time_ns = context_.time_ns + static_cast<std::uint64_t>(signed_number());
  record.from = static_cast<std::uint32_t>(number());
  record.to = static_cast<std::uint32_t>(number());
  if (has_ids(record.event)) {
    const std::uint64_t last_id = context_.senders[record.from].latest.first_id;
    record.first_id = record.last_id = last_id + static_cast<std::uint64_t>(signed_number());
  } else {
    (record.event == TapEvent::kMissed ? record.missed : record.first_id) = number();
  }
  record.bytes = static_cast<std::uint32_t>(number());
  record.count = 1;
  if ((head & kSeveral) != 0) {
    record.count = static_cast<std::uint32_t>(number());
    record.last_id = record.first_id + static_cast<std::uint64_t>(signed_number());
  }
  record.kind = kUsualKind;
  if ((head & kHasKind) != 0) {
    record.kind = std::to_integer<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
  }
  if ((head & kHasCode) != 0) record.code = static_cast<std::uint16_t>(number());
}

}  // namespace zpost::tap
