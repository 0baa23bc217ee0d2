#include "tools/inspect/json_record.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "peer/cli/shared/base64.h"
#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "tools/inspect/tail_line.h"
#include "zpost/protocol/envelope.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using cli::Json;

/// An object whose keys are asked for; the first that is wrong is remembered.
class Keys {
 public:
  explicit Keys(const Json& json) : json_(json) {}

  [[nodiscard]] bool has(const char* key) const { return json_.contains(key); }

  /// Empty: it is not there.
  [[nodiscard]] std::string text(const char* key) {
    if (!has(key)) return "";
    const Json& value = json_[key];
    if (value.is_string()) return value.get<std::string>();
    fail(key, "is no text");
    return "";
  }

  /// A number, or an id in digits. 0: it is not there.
  [[nodiscard]] std::uint64_t number(
      const char* key, std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    if (!has(key)) return 0;
    const Json& value = json_[key];
    std::uint64_t number = 0;
    if (value.is_number_unsigned()) {
      number = value.get<std::uint64_t>();
    } else if (!value.is_string() || !is_digits(value.get_ref<const std::string&>(), number)) {
      fail(key, "is no whole number");
    }
    if (number > most) fail(key, fmt::format("is {}, the most is {}", number, most));
    return number;
  }

  [[nodiscard]] bool flag(const char* key) {
    if (!has(key)) return false;
    if (json_[key].is_boolean()) return json_[key].get<bool>();
    fail(key, "is neither true nor false");
    return false;
  }

  /// The number of a word; `name` gives the word for a number below `end`. 0: it is not there.
  template <typename Code, typename Name>
  [[nodiscard]] Code word(const char* key, unsigned end, Name name) {
    const std::string word = text(key);
    if (word.empty()) return Code{};
    for (unsigned number = 0; number < end; ++number) {
      const auto code = static_cast<Code>(number);
      if (name(code) == word && word != "unknown") return code;
    }
    fail(key, fmt::format("is \"{}\", which is not known", cli::visible_line(word)));
    return Code{};
  }

  /// The same of a word without which the record says nothing.
  template <typename Code, typename Name>
  [[nodiscard]] Code needed_word(const char* key, unsigned end, Name name) {
    if (text(key).empty()) fail(key, "is not there");
    return word<Code>(key, end, name);
  }

  void fail(const char* key, const std::string& what) {
    if (wrong_.empty()) wrong_ = fmt::format("\"{}\" {}", key, what);
  }

  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  static bool is_digits(const std::string& text, std::uint64_t& number) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end && !text.empty();
  }

  const Json& json_;
  std::string wrong_;
};

// Above every code there is.
constexpr unsigned kMostWords = 128;

std::uint64_t time_of(Keys& keys) {
  const std::string text = keys.text("time");
  const std::optional<std::uint64_t> time = cli::ns_of_utc_time(text);
  if (!time) {
    keys.fail("time",
              fmt::format("is \"{}\", not such as {}", cli::visible_line(text), cli::utc_time(0)));
  }
  return time.value_or(0);
}

std::uint16_t outcome_of(Keys& keys, const char* key) {
  return static_cast<std::uint16_t>(keys.word<Outcome>(key, kOutcomeTableSize, outcome_name));
}

/// What the code means depends on the event.
void put_code(Keys& keys, TapRecord& record) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint16_t>::max();
  switch (record.event) {
    case TapEvent::kHeld:
      record.code =
          static_cast<std::uint16_t>(keys.needed_word<HeldWhy>("why", kMostWords, held_name));
      return;
    case TapEvent::kForwarded:
      record.code =
          static_cast<std::uint16_t>(keys.flag("again") ? 1 : keys.number("queues", kMost));
      return;
    case TapEvent::kFlow:
      record.code =
          static_cast<std::uint16_t>(keys.needed_word<FlowChange>("flow", kMostWords, flow_name));
      return;
    case TapEvent::kAsked:
      if (keys.text("op") == op_name(AdminOp::kOther)) return;
      record.code = static_cast<std::uint16_t>(keys.word<AdminOp>("op", kMostWords, op_name));
      return;
    case TapEvent::kAssigned:
      record.code = static_cast<std::uint16_t>(keys.number("attempt", kMost));
      return;
    case TapEvent::kAnswered:
      record.code = outcome_of(keys, "outcome");
      if (const std::uint64_t reply = keys.number("reply"); reply != 0) record.last_id = reply;
      return;
    default:
      record.code = outcome_of(keys, "outcome");
      return;
  }
}

void put_run(Keys& keys, TapEntry& entry) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  TapRecord& record = entry.record;
  entry.from = keys.text("from");
  entry.to = keys.text("to");
  record.kind = static_cast<std::uint8_t>(keys.word<Kind>("kind", kMostWords, kind_name));
  record.first_id = keys.number("id");
  record.last_id = keys.has("last_id") ? keys.number("last_id") : record.first_id;
  record.count = static_cast<std::uint32_t>(keys.number("count", kMost));
  record.bytes = static_cast<std::uint32_t>(keys.number("bytes", kMost));
  put_code(keys, record);
}

void put_session(Keys& keys, TapEntry& entry) {
  entry.from = keys.text("peer");
  entry.record.code = static_cast<std::uint16_t>(
      keys.needed_word<SessionChange>("change", kMostWords, change_name));
  // The broker says why a session is over where a run has its first id.
  entry.record.first_id = outcome_of(keys, "reason");
}

/// Text if it is written as text; everything else is in base64.
std::optional<ByteBuffer> body_of(Keys& keys, bool& is_text) {
  is_text = keys.has("body");
  if (is_text) {
    const std::string text = keys.text("body");
    const Bytes bytes = as_bytes(text);
    return ByteBuffer(bytes.begin(), bytes.end());
  }
  if (!keys.has("body_base64")) return std::nullopt;
  std::optional<ByteBuffer> bytes = cli::bytes_from_base64(keys.text("body_base64"));
  if (!bytes) keys.fail("body_base64", "is no base64");
  return bytes;
}

/// A body that was cut is announced as longer than it is.
void restore_envelope(Keys& keys, const TapEntry& entry, ByteBuffer& shown) {
  bool is_text = false;
  std::optional<ByteBuffer> body = body_of(keys, is_text);
  const Kind kind = static_cast<Kind>(entry.record.kind);
  if (!body || !is_payload(kind)) return;
  const std::string content_type = keys.text("content_type");
  const std::string trace = keys.text("trace");
  const bool cut = keys.flag("body_cut");
  if (cut) body->push_back({});
  std::string_view to = entry.to;
  if (kind == Kind::kCall && to.starts_with('@')) to.remove_prefix(1);
  EnvelopeFields fields{.kind = kind,
                        .to = to,
                        .from = entry.from,
                        .id = entry.record.first_id,
                        .body = *body,
                        .body_is_text = is_text};
  fields.meta.content_type = content_type;
  fields.meta.trace = trace;
  fields.meta.rejected = keys.flag("rejected");
  if (keys.has("in_reply_to")) fields.meta.in_reply_to = keys.number("in_reply_to");
  append_envelope(shown, fields);
  if (cut) shown.pop_back();
}

}  // namespace

Result<JsonRecord> record_from_json(std::string_view line, ByteBuffer& shown) {
  shown.clear();
  const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
  if (!json.is_object()) return Error{Outcome::kMalformed, "it is no JSON object"};
  Keys keys(json);
  JsonRecord read;
  TapRecord& record = read.entry.record;
  const std::string event = keys.text("event");
  const std::optional<TapEvent> known = event_from_name(event);
  if (!known || (!is_asked_for(*known) && *known != TapEvent::kMissed)) {
    keys.fail("event", fmt::format("is \"{}\", which is none of {}, missed",
                                   cli::visible_line(event), event_names()));
  }
  record.event = known.value_or(TapEvent::kMissed);
  record.time_ns = time_of(keys);
  record.sequence = keys.number("sequence");
  read.redacted = keys.flag("redacted");
  if (record.event == TapEvent::kMissed) {
    record.missed = read.entry.missed = keys.number("missed");
  } else if (record.event == TapEvent::kSession) {
    put_session(keys, read.entry);
  } else {
    put_run(keys, read.entry);
    if (record.event == TapEvent::kReceived) restore_envelope(keys, read.entry, shown);
  }
  if (!keys.wrong().empty()) return Error{Outcome::kMalformed, keys.wrong()};
  return read;
}

}  // namespace zpost::inspect
