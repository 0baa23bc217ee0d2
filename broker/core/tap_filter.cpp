#include "broker/core/tap_filter.h"

#include <algorithm>

#include "broker/core/question_map.h"
#include "zpost/protocol/limits.h"
#include "zpost/protocol/names.h"

namespace zpost::core {

namespace {

// What a record shows beyond this is cut: a record must fit a tap envelope.
constexpr std::uint64_t kMaxSnap = 16 << 10;

bool matches(const std::string& pattern, std::string_view name) {
  return pattern.empty() || matches_name_pattern(pattern, name);
}

/// A recipient's name, the topic of a publish, or the service of a call, which has an @ before it.
bool matches_target(const std::string& pattern, std::string_view name) {
  if (name.starts_with('@')) name.remove_prefix(1);
  return matches(pattern, name) ||
         (is_topic_pattern(pattern) && is_topic(name) && matches_topic_pattern(pattern, name));
}

bool read_pattern(MsgpackReader& reader, std::string& pattern, bool or_topic) {
  std::string_view text;
  if (!reader.read_str(text)) return false;
  const bool good = text.empty() || is_name_pattern(text) || (or_topic && is_topic_pattern(text));
  pattern = text;
  return good;
}

bool read_text(MsgpackReader& reader, std::string& text) {
  std::string_view read;
  if (!reader.read_str(read)) return false;
  text = read;
  return true;
}

bool read_kinds(MsgpackReader& reader, std::bitset<128>& kinds) {
  std::size_t count = 0;
  if (!reader.read_array(count, kinds.size())) return false;
  for (; count > 0; --count) {
    std::uint64_t kind = 0;
    if (!reader.read_uint(kind) || kind >= kinds.size()) return false;
    kinds.set(kind);
  }
  return true;
}

std::optional<bool> read_entry(MsgpackReader& reader, std::string_view key, TapFilter& filter) {
  if (key == "from") return read_pattern(reader, filter.from, false);
  if (key == "to") return read_pattern(reader, filter.to, true);
  if (key == "kinds") return read_kinds(reader, filter.kinds);
  if (key == "filter") return read_text(reader, filter.filter);
  if (key == "each") return reader.read_bool(filter.each);
  if (key != "snap") return std::nullopt;
  std::uint64_t snap = 0;
  if (!reader.read_uint(snap)) return false;
  filter.snap = static_cast<std::uint32_t>(std::min(snap, kMaxSnap));
  return true;
}

std::optional<bool> read_entry(MsgpackReader& reader, std::string_view key, RecallWish& wish) {
  if (key == "id") return reader.read_uint(wish.id.emplace());
  if (key == "since") return reader.read_uint(wish.since_ns);
  if (key == "until") return reader.read_uint(wish.until_ns);
  if (key == "latest") return reader.read_uint(wish.latest);
  return read_entry(reader, key, wish.filter);
}

template <typename Wish>
Result<Wish> parse(Bytes request) {
  Wish wish;
  const auto read = read_question_map(request, [&](MsgpackReader& reader, std::string_view key) {
    return read_entry(reader, key, wish);
  });
  if (!read) return read.error();
  return wish;
}

/// Sessions, and a sender that must wait, concern whatever is under way.
bool has_ids(TapEvent event) {
  return event != TapEvent::kSession && event != TapEvent::kMissed && event != TapEvent::kFlow;
}

/// Whether the record speaks of the envelope `id`. A reply's id is beside its request's.
bool speaks_of(const TapRecord& record, std::uint64_t id) {
  if (record.event == TapEvent::kAnswered) return record.first_id == id;
  return has_id(record, id);
}

}  // namespace

bool TapFilter::wants(const TapRecord& record, std::string_view from_name,
                      std::string_view to_name) const {
  if (record.event == TapEvent::kSession) {
    if (from.empty() && to.empty()) return true;
    return (!from.empty() && matches_name_pattern(from, from_name)) ||
           (!to.empty() && matches_name_pattern(to, from_name));
  }
  if (kinds.any() && !kinds.test(record.kind & 0x7fU)) return false;
  return matches(from, from_name) && matches_target(to, to_name);
}

bool RecallWish::wants(const TapRecord& record, std::string_view from_name,
                       std::string_view to_name) const {
  if (record.time_ns < since_ns || record.time_ns > until_ns) return false;
  if (id && has_ids(record.event) && !speaks_of(record, *id)) return false;
  return record.event == TapEvent::kMissed || filter.wants(record, from_name, to_name);
}

Result<TapFilter> parse_tap_filter(Bytes request) {
  return parse<TapFilter>(request);
}

Result<RecallWish> parse_recall(Bytes request) {
  return parse<RecallWish>(request);
}

}  // namespace zpost::core
