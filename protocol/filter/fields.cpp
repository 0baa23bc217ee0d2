#include "protocol/filter/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <vector>

#include "zpost/protocol/kinds.h"
#include "zpost/protocol/outcomes.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::filter {

namespace {

constexpr std::array kFields{FieldInfo{Field::kFrom, Type::kText, "from"},
                             FieldInfo{Field::kTo, Type::kText, "to"},
                             FieldInfo{Field::kPeer, Type::kText, "peer"},
                             FieldInfo{Field::kTopic, Type::kTopic, "topic"},
                             FieldInfo{Field::kService, Type::kText, "service"},
                             FieldInfo{Field::kKind, Type::kWord, "kind"},
                             FieldInfo{Field::kEvent, Type::kWord, "event"},
                             FieldInfo{Field::kOutcome, Type::kWord, "outcome"},
                             FieldInfo{Field::kHeld, Type::kWord, "held"},
                             FieldInfo{Field::kChange, Type::kWord, "change"},
                             FieldInfo{Field::kId, Type::kNumber, "id"},
                             FieldInfo{Field::kCount, Type::kNumber, "count"},
                             FieldInfo{Field::kSize, Type::kSize, "size"},
                             FieldInfo{Field::kBytes, Type::kSize, "bytes"},
                             FieldInfo{Field::kQueues, Type::kNumber, "queues"},
                             FieldInfo{Field::kAttempt, Type::kNumber, "attempt"},
                             FieldInfo{Field::kLatency, Type::kDuration, "latency"},
                             FieldInfo{Field::kInReplyTo, Type::kNumber, "in_reply_to"},
                             FieldInfo{Field::kContentType, Type::kText, "content_type"},
                             FieldInfo{Field::kRejected, Type::kFlag, "rejected"},
                             FieldInfo{Field::kBody, Type::kAny, "body"}};

struct Word {
  std::string_view name;
  std::uint64_t number;
};

template <typename Number>
constexpr Word word(std::string_view name, Number number) {
  return {name, static_cast<std::uint64_t>(number)};
}

constexpr std::array kEvents{
    word("received", TapEvent::kReceived),   word("forwarded", TapEvent::kForwarded),
    word("held", TapEvent::kHeld),           word("failed", TapEvent::kFailed),
    word("delivered", TapEvent::kDelivered), word("session", TapEvent::kSession),
    word("assigned", TapEvent::kAssigned),   word("answered", TapEvent::kAnswered),
    word("dropped", TapEvent::kDropped),     word("flow", TapEvent::kFlow),
    word("asked", TapEvent::kAsked)};

constexpr std::array kHeldWords{
    word("window-full", HeldWhy::kWindowFull),    word("away", HeldWhy::kAway),
    word("not-there-yet", HeldWhy::kNotThereYet), word("pipe-full", HeldWhy::kPipeFull),
    word("no-demand", HeldWhy::kNoDemand),        word("no-free-worker", HeldWhy::kNoFreeWorker),
    word("worker-gone", HeldWhy::kWorkerGone)};

constexpr std::array kChanges{
    word("joined", SessionChange::kJoined),   word("resumed", SessionChange::kResumed),
    word("away", SessionChange::kAway),       word("over", SessionChange::kOver),
    word("refused", SessionChange::kRefused), word("changed", SessionChange::kChanged)};

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kSizeUnits{Unit{"", 1},          Unit{"B", 1},        Unit{"kB", 1e3},
                                Unit{"MB", 1e6},      Unit{"GB", 1e9},     Unit{"KiB", 1 << 10},
                                Unit{"MiB", 1 << 20}, Unit{"GiB", 1 << 30}};
constexpr std::array kDurationUnits{Unit{"ns", 1},    Unit{"us", 1e3}, Unit{"µs", 1e3},
                                    Unit{"ms", 1e6},  Unit{"s", 1e9},  Unit{"m", 60e9},
                                    Unit{"h", 3600e9}};

/// "unknown" is how a number without a name is called.
template <typename Name>
void add_named(std::vector<Word>& words, std::uint64_t end, Name name_of) {
  for (std::uint64_t number = 1; number < end; ++number) {
    const std::string_view name = name_of(number);
    if (name != "unknown" && name != "none") words.push_back({name, number});
  }
}

std::vector<Word> words_of(Field field) {
  std::vector<Word> words;
  switch (field) {
    case Field::kEvent:
      return {kEvents.begin(), kEvents.end()};
    case Field::kHeld:
      return {kHeldWords.begin(), kHeldWords.end()};
    case Field::kChange:
      return {kChanges.begin(), kChanges.end()};
    case Field::kKind:
      add_named(words, 128, [](auto number) { return kind_name(static_cast<Kind>(number)); });
      return words;
    case Field::kOutcome:
      add_named(words, kOutcomeTableSize,
                [](auto number) { return outcome_name(static_cast<Outcome>(number)); });
      return words;
    default:
      return words;
  }
}

/// Changes of one character that make `a` into `b`.
std::size_t changes(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// Of `known` the one a slip or two away, or of which `word` is the beginning; empty: none is.
template <typename Words>
std::string_view nearest(std::string_view word, const Words& known) {
  constexpr std::size_t kLongest = 32;
  constexpr std::size_t kMostSlips = 2;
  std::string_view best;
  std::size_t least = std::min(kMostSlips, (word.size() + 1) / 2) + 1;
  if (word.size() > kLongest) return best;
  for (const auto& each : known) {
    const bool is_cut = word.size() > 1 && each.name.starts_with(word);
    const std::size_t away = is_cut ? 1 : changes(word, each.name);
    if (away >= least) continue;
    least = away;
    best = each.name;
  }
  return best;
}

template <typename Units>
std::optional<std::uint64_t> read_with_unit(std::string_view text, const Units& units) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.begin(), text.end(), number, std::chars_format::fixed);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view name(end, static_cast<std::size_t>(text.end() - end));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    const double value = number * unit.factor;
    if (!(value < 9.2e18)) return std::nullopt;
    return static_cast<std::uint64_t>(value);
  }
  return std::nullopt;
}

}  // namespace

std::optional<FieldInfo> field_named(std::string_view name) {
  const auto* const found = std::ranges::find(kFields, name, &FieldInfo::name);
  if (found == kFields.end()) return std::nullopt;
  return *found;
}

std::string_view field_name(Field field) {
  return std::ranges::find(kFields, field, &FieldInfo::field)->name;
}

bool is_in_envelope(Field field) {
  return field == Field::kInReplyTo || field == Field::kContentType || field == Field::kRejected ||
         field == Field::kBody;
}

std::optional<std::uint64_t> number_of_word(Field field, std::string_view word) {
  for (const Word& each : words_of(field)) {
    if (each.name == word) return each.number;
  }
  return std::nullopt;
}

std::string field_names() {
  std::string all;
  for (const FieldInfo& each : kFields) {
    all += fmt::format("{}{}", all.empty() ? "" : ", ", each.name);
  }
  return all;
}

std::string nearest_field(std::string_view word) {
  const std::string_view near = nearest(word, kFields);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near);
}

std::string nearest_word(Field field, std::string_view word) {
  const std::vector<Word> words = words_of(field);
  const std::string_view near = nearest(word, words);
  if (!near.empty()) return fmt::format("; did you mean {}?", near);
  std::string all;
  for (const Word& each : words) all += fmt::format("{}{}", all.empty() ? "" : ", ", each.name);
  return fmt::format("; there are {}", all);
}

std::optional<std::uint64_t> read_size(std::string_view text) {
  return read_with_unit(text, kSizeUnits);
}

std::optional<std::uint64_t> read_duration(std::string_view text) {
  return read_with_unit(text, kDurationUnits);
}

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  if (error != std::errc() || end != text.end()) return std::nullopt;
  return number;
}

}  // namespace zpost::filter
