#include <algorithm>
#include <array>
#include <span>

#include "zpost/protocol/control.h"
#include "zpost/protocol/names.h"

namespace zpost {
namespace {

constexpr std::size_t kMaxKeys = 64;
constexpr std::size_t kMaxListed = 32;  // Versions, abilities.
constexpr std::size_t kMaxElements = 16;
constexpr std::size_t kHexDigits = 32;
constexpr std::uint64_t kUnconfirmedFlag = 1;

/// Reads the values of one body. A read that fails leaves the reader's error.
class BodyReader {
 public:
  explicit BodyReader(Bytes body) : reader_(body) {}

  [[nodiscard]] MsgpackReader& raw() { return reader_; }

  [[nodiscard]] bool fail(ReadError error) { return reader_.fail_at(reader_.position(), error); }

  bool uint(std::uint64_t& value) { return reader_.read_uint(value); }

  bool boolean(bool& value) { return reader_.read_bool(value); }

  bool text(std::string_view& value) {
    return reader_.read_str(value) && (is_utf8(value) || fail(ReadError::kNotText));
  }

  bool text(std::string& value, std::size_t limit) {
    std::string_view view;
    if (!text(view)) return false;
    if (view.size() > limit) return fail(ReadError::kTooLong);
    value = view;
    return true;
  }

  bool text(std::string& value) { return text(value, reader_.left()); }

  /// 32 hex digits, or nothing where `or_empty`.
  bool hex(std::string& value, bool or_empty) {
    std::string_view view;
    if (!text(view)) return false;
    if (!is_hex(view, kHexDigits) && !(or_empty && view.empty())) {
      return fail(ReadError::kOutOfRange);
    }
    value = view;
    return true;
  }

  bool name(std::string& value) {
    return text(value, kMaxNameBytes) && (is_name(value) || fail(ReadError::kOutOfRange));
  }

  bool outcome(Outcome& value) {
    std::uint64_t number = 0;
    if (!uint(number)) return false;
    if (number == 0 || number > 0xffff) return fail(ReadError::kOutOfRange);
    value = static_cast<Outcome>(number);
    return true;
  }

  bool metadata(Metadata& value);

  bool topic_pattern(std::string_view& value) {
    return text(value) && (is_topic_pattern(value) || fail(ReadError::kOutOfRange));
  }

  bool name(std::string_view& value) {
    return text(value) && (is_name(value) || fail(ReadError::kOutOfRange));
  }

  /// Skips the elements an array has beyond the known ones.
  bool skip_rest(std::size_t count, std::size_t known) {
    for (std::size_t i = known; i < count; ++i) {
      if (!reader_.skip()) return false;
    }
    return true;
  }

 private:
  MsgpackReader reader_;
};

bool BodyReader::metadata(Metadata& value) {
  const std::size_t start = reader_.position();
  std::size_t count = 0;
  if (!reader_.read_map(count, kMaxMetadataBytes / 2)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    std::string key;
    std::string_view text_value;
    if (!text(key) || !text(text_value)) return false;
    if (reader_.position() - start > kMaxMetadataBytes) return fail(ReadError::kTooLong);
    if (!value.emplace(std::move(key), text_value).second) return fail(ReadError::kDuplicateKey);
  }
  return true;
}

bool read_versions(BodyReader& body, Hello& hello) {
  std::size_t count = 0;
  if (!body.raw().read_array(count, kMaxListed)) return false;
  hello.versions.clear();
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t version = 0;
    if (!body.uint(version)) return false;
    hello.versions.push_back(version);
  }
  return true;
}

bool read_abilities(BodyReader& body, Hello& hello) {
  std::size_t count = 0;
  if (!body.raw().read_array(count, kMaxListed)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view ability;
    if (!body.text(ability)) return false;
    hello.acks = hello.acks || ability == "acks";
    hello.resume = hello.resume || ability == "resume";
    hello.pong = hello.pong || ability == "pong";
  }
  return true;
}

bool read_event(BodyReader& body, Presence& presence) {
  if (!body.text(presence.event)) return false;
  const std::string_view event = presence.event;
  const bool known =
      event == "present" || event == "joined" || event == "left" || event == "changed";
  return known || body.fail(ReadError::kOutOfRange);
}

enum class Need : std::uint8_t { kOptional, kRequired };

/// One key of a body that is a map.
template <typename T>
struct Key {
  std::string_view name;
  bool (*read)(BodyReader&, T&);
  Need need = Need::kOptional;
};

bool read_will_kind(BodyReader& body, Will& will) {
  std::uint64_t number = 0;
  if (!body.uint(number)) return false;
  will.kind = number == static_cast<std::uint64_t>(Kind::kPublish) ? Kind::kPublish : Kind::kSend;
  return number == static_cast<std::uint64_t>(will.kind) || body.fail(ReadError::kOutOfRange);
}

bool read_will_body(BodyReader& body, Will& will) {
  Bytes bytes;
  bool is_text = false;
  if (!body.raw().read_body(bytes, is_text)) return false;
  if (bytes.size() > kMaxWillBytes) return body.fail(ReadError::kTooLong);
  will.body.assign(bytes.begin(), bytes.end());
  return true;
}

constexpr Key<Will> kWillKeys[] = {
    {"kind", read_will_kind, Need::kRequired},
    {"to", [](BodyReader& b, Will& w) { return b.text(w.to, kMaxTopicBytes); }, Need::kRequired},
    {"content_type",
     [](BodyReader& b, Will& w) { return b.text(w.content_type, kMaxContentTypeBytes); }},
    {"body", read_will_body},
    {"retain", [](BodyReader& b, Will& w) { return b.boolean(w.retain); }},
};

bool read_will(BodyReader& body, Hello& hello);
bool read_ranges(BodyReader& body, std::vector<LaneRange>& ranges);

constexpr Key<Hello> kHelloKeys[] = {
    {"instance", [](BodyReader& b, Hello& h) { return b.hex(h.instance, false); }, Need::kRequired},
    {"versions", read_versions, Need::kRequired},
    {"software", [](BodyReader& b, Hello& h) { return b.text(h.software, kMaxSoftwareBytes); }},
    {"abilities", read_abilities},
    {"window", [](BodyReader& b, Hello& h) { return b.uint(h.window_bytes); }},
    {"frames", [](BodyReader& b, Hello& h) { return b.uint(h.window_frames); }},
    {"run", [](BodyReader& b, Hello& h) { return b.hex(h.run, true); }},
    {"epoch", [](BodyReader& b, Hello& h) { return b.uint(h.epoch); }},
    {"taken", [](BodyReader& b, Hello& h) { return b.uint(h.taken); }},
    {"outcomes", [](BodyReader& b, Hello& h) { return b.uint(h.outcomes); }},
    {"demand", [](BodyReader& b, Hello& h) { return b.uint(h.demand.emplace()); }},
    {"backlog", [](BodyReader& b, Hello& h) { return b.uint(h.backlog); }},
    {"metadata", [](BodyReader& b, Hello& h) { return b.metadata(h.metadata); }},
    {"will", read_will},
    {"doubts", [](BodyReader& b, Hello& h) { return read_ranges(b, h.doubts); }},
};

constexpr Key<Welcome> kWelcomeKeys[] = {
    {"version", [](BodyReader& b, Welcome& w) { return b.uint(w.version); }, Need::kRequired},
    {"broker", [](BodyReader& b, Welcome& w) { return b.text(w.broker); }},
    {"run", [](BodyReader& b, Welcome& w) { return b.hex(w.run, false); }, Need::kRequired},
    {"epoch", [](BodyReader& b, Welcome& w) { return b.uint(w.epoch); }, Need::kRequired},
    {"resumed", [](BodyReader& b, Welcome& w) { return b.boolean(w.resumed); }},
    {"first_id", [](BodyReader& b, Welcome& w) { return b.uint(w.first_id); }, Need::kRequired},
    {"highest_id", [](BodyReader& b, Welcome& w) { return b.uint(w.highest_id); }},
    {"received", [](BodyReader& b, Welcome& w) { return b.uint(w.received); }},
    {"credit", [](BodyReader& b, Welcome& w) { return b.uint(w.credit); }, Need::kRequired},
    {"pair", [](BodyReader& b, Welcome& w) { return b.uint(w.pair); }, Need::kRequired},
    {"taken", [](BodyReader& b, Welcome& w) { return b.uint(w.taken); }},
    {"outcomes", [](BodyReader& b, Welcome& w) { return b.uint(w.outcomes); }},
    {"window", [](BodyReader& b, Welcome& w) { return b.uint(w.window_bytes); }},
    {"max_envelope", [](BodyReader& b, Welcome& w) { return b.uint(w.max_envelope_bytes); },
     Need::kRequired},
    {"max_frame", [](BodyReader& b, Welcome& w) { return b.uint(w.max_frame_bytes); }},
    {"heartbeat_ms", [](BodyReader& b, Welcome& w) { return b.uint(w.heartbeat_ms); }},
    {"silence_ms", [](BodyReader& b, Welcome& w) { return b.uint(w.silence_ms); }},
    {"resume_ms", [](BodyReader& b, Welcome& w) { return b.uint(w.resume_ms); }},
    {"time", [](BodyReader& b, Welcome& w) { return b.uint(w.time_ns); }},
    {"earlier_taken", [](BodyReader& b, Welcome& w) { return b.uint(w.earlier_taken.emplace()); }},
};

constexpr Key<Refusal> kRefusalKeys[] = {
    {"code", [](BodyReader& b, Refusal& r) { return b.outcome(r.code); }, Need::kRequired},
    {"text", [](BodyReader& b, Refusal& r) { return b.text(r.text); }},
    {"retry", [](BodyReader& b, Refusal& r) { return b.boolean(r.retry); }},
};

constexpr Key<Goodbye> kGoodbyeKeys[] = {
    {"taken", [](BodyReader& b, Goodbye& g) { return b.uint(g.taken); }},
    {"outcomes", [](BodyReader& b, Goodbye& g) { return b.uint(g.outcomes); }},
};

constexpr Key<Presence> kPresenceKeys[] = {
    {"event", read_event, Need::kRequired},
    {"peer", [](BodyReader& b, Presence& p) { return b.name(p.peer); }, Need::kRequired},
    {"instance", [](BodyReader& b, Presence& p) { return b.hex(p.instance, true); }},
    {"reason", [](BodyReader& b, Presence& p) { return b.text(p.reason); }},
    {"metadata", [](BodyReader& b, Presence& p) { return b.metadata(p.metadata); }},
};

Error malformed(std::string where, std::string_view what) {
  where += ": ";
  where += what;
  return {Outcome::kMalformed, std::move(where)};
}

std::string key_path(std::string_view body, std::string_view key) {
  return std::string(body) + "." + std::string(key);
}

/// The keys seen so far, known or not: a map must not say one thing twice.
class KeySet {
 public:
  /// False if `key` was there. REQUIRES: called at most kMaxKeys times.
  bool insert(std::string_view key) {
    const auto end = keys_.begin() + static_cast<std::ptrdiff_t>(count_);
    if (std::find(keys_.begin(), end, key) != end) return false;
    keys_[count_++] = key;
    return true;
  }

  [[nodiscard]] bool contains(std::string_view key) const {
    const auto end = keys_.begin() + static_cast<std::ptrdiff_t>(count_);
    return std::find(keys_.begin(), end, key) != end;
  }

 private:
  std::array<std::string_view, kMaxKeys> keys_;
  std::size_t count_ = 0;
};

/// Reads the key that `reader` stands at, and its value. `what` names the body in errors.
template <typename T, std::size_t N>
Result<void> read_entry(BodyReader& reader, const char* what, const Key<T> (&keys)[N], KeySet& seen,
                        T& value) {
  std::string_view name;
  if (!reader.text(name)) return malformed(what, read_error_name(reader.raw().error()));
  const auto key = std::find_if(std::begin(keys), std::end(keys),
                                [name](const Key<T>& known) { return known.name == name; });
  // Only known names are repeated in errors: the others are a stranger's bytes.
  const std::string path = key == std::end(keys) ? std::string(what) : key_path(what, key->name);
  if (!seen.insert(name)) return malformed(path, read_error_name(ReadError::kDuplicateKey));
  const bool read = key == std::end(keys) ? reader.raw().skip() : key->read(reader, value);
  if (!read) return malformed(path, read_error_name(reader.raw().error()));
  return {};
}

template <typename T, std::size_t N>
Result<T> decode_map(const char* what, Bytes body, const Key<T> (&keys)[N]) {
  BodyReader reader(body);
  KeySet seen;
  T value;
  std::size_t count = 0;
  if (!reader.raw().read_map(count, kMaxKeys)) {
    return malformed(what, read_error_name(reader.raw().error()));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (auto entry = read_entry(reader, what, keys, seen, value); !entry) return entry.error();
  }
  for (const Key<T>& key : keys) {
    if (key.need == Need::kRequired && !seen.contains(key.name)) {
      return malformed(key_path(what, key.name), "missing");
    }
  }
  if (!reader.raw().at_end()) return malformed(what, "trailing bytes");
  return value;
}

bool read_will(BodyReader& body, Hello& hello) {
  KeySet seen;
  std::size_t count = 0;
  Will& will = hello.will.emplace();
  if (!body.raw().read_map(count, kMaxKeys)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    // What is wrong is told as `hello.will`; the reader knows why.
    if (!read_entry(body, "will", kWillKeys, seen, will)) return false;
  }
  const bool complete = seen.contains("kind") && seen.contains("to");
  const bool named = will.kind == Kind::kPublish ? is_topic(will.to) : is_name(will.to);
  if (!complete) return body.fail(ReadError::kTooFew);
  return named || body.fail(ReadError::kOutOfRange);
}

/// Reads the elements of a body that is an array, one after the other, until the first error.
class ArrayReader {
 public:
  ArrayReader(const char* what, Bytes body, std::size_t least) : what_(what), reader_(body) {
    const bool read = reader_.raw().read_array(count_, kMaxElements);
    expect(nullptr, read && (count_ >= least || reader_.fail(ReadError::kTooFew)));
  }

  [[nodiscard]] bool has(std::size_t elements) const { return count_ >= elements; }

  template <typename Read>
  ArrayReader& element(const char* name, Read read) {
    ++known_;
    if (!failed_) expect(name, read(reader_));
    return *this;
  }

  /// Skips what is beyond the known elements. Error: the first thing that was wrong.
  [[nodiscard]] Result<void> finish() {
    if (!failed_) expect(nullptr, reader_.skip_rest(count_, known_));
    if (failed_) return malformed(where_, read_error_name(reader_.raw().error()));
    if (!reader_.raw().at_end()) return malformed(what_, "trailing bytes");
    return {};
  }

 private:
  void expect(const char* name, bool read) {
    if (read) return;
    failed_ = true;
    where_ = name == nullptr ? std::string(what_) : key_path(what_, name);
  }

  const char* what_;
  BodyReader reader_;
  std::size_t count_ = 0;
  std::size_t known_ = 0;
  bool failed_ = false;
  std::string where_;
};

bool read_range(BodyReader& body, LaneRange& range) {
  std::size_t count = 0;
  if (!body.raw().read_array(count, kMaxElements)) return false;
  if (count < 2) return body.fail(ReadError::kTooFew);
  return body.uint(range.first) && body.uint(range.count) && body.skip_rest(count, 2);
}

bool read_ranges(BodyReader& body, std::vector<LaneRange>& ranges) {
  std::size_t count = 0;
  if (!body.raw().read_array(count, kMaxDoubts)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_range(body, ranges.emplace_back())) return false;
  }
  return true;
}

bool read_receipt_entry(BodyReader& body, ReceiptEntry& entry) {
  std::size_t count = 0;
  std::uint64_t flags = 0;
  if (!body.raw().read_array(count, kMaxElements)) return false;
  if (count < 3) return body.fail(ReadError::kTooFew);
  if (!body.text(entry.recipient) || !body.uint(entry.id) || !body.uint(flags)) return false;
  entry.unconfirmed = (flags & kUnconfirmedFlag) != 0;
  return body.skip_rest(count, 3);
}

bool read_receipt_entries(BodyReader& body, std::vector<ReceiptEntry>& entries) {
  std::size_t count = 0;
  // Every entry takes a byte at least, so more than are left cannot be there.
  if (!body.raw().read_array(count, body.raw().left())) return false;
  for (std::size_t i = 0; i < count; ++i) {
    ReceiptEntry entry;
    if (!read_receipt_entry(body, entry)) return false;
    entries.push_back(entry);
  }
  return true;
}

}  // namespace

Result<Hello> decode_hello(Bytes body) {
  return decode_map<Hello>("hello", body, kHelloKeys);
}

Result<Welcome> decode_welcome(Bytes body) {
  return decode_map<Welcome>("welcome", body, kWelcomeKeys);
}

Result<Refusal> decode_refusal(Bytes body) {
  return decode_map<Refusal>("refused", body, kRefusalKeys);
}

Result<Goodbye> decode_goodbye(Bytes body) {
  if (body.empty()) return Goodbye{};
  return decode_map<Goodbye>("goodbye", body, kGoodbyeKeys);
}

Result<Presence> decode_presence(Bytes body) {
  return decode_map<Presence>("presence", body, kPresenceKeys);
}

Result<Ack> decode_ack(Bytes body) {
  Ack ack;
  ArrayReader array("ack", body, 2);
  array.element("taken", [&ack](BodyReader& b) { return b.uint(ack.taken); });
  array.element("outcomes", [&ack](BodyReader& b) { return b.uint(ack.outcomes); });
  if (array.has(3)) array.element("credit", [&ack](BodyReader& b) { return b.uint(ack.credit); });
  if (array.has(4)) {
    array.element("demand", [&ack](BodyReader& b) { return b.uint(ack.demand.emplace()); });
  }
  if (auto end = array.finish(); !end) return end.error();
  return ack;
}

Result<Receipt> decode_receipt(Bytes body) {
  Receipt receipt;
  ArrayReader array("receipt", body, 2);
  array.element("credit", [&receipt](BodyReader& b) { return b.uint(receipt.credit); });
  array.element("pair", [&receipt](BodyReader& b) { return b.uint(receipt.pair); });
  if (array.has(3)) {
    array.element("entries",
                  [&receipt](BodyReader& b) { return read_receipt_entries(b, receipt.entries); });
  }
  if (auto end = array.finish(); !end) return end.error();
  return receipt;
}

Result<OutcomeNotice> decode_outcome(Bytes body) {
  OutcomeNotice notice;
  ArrayReader array("outcome", body, 3);
  array.element("code", [&notice](BodyReader& b) { return b.outcome(notice.code); });
  array.element("recipient", [&notice](BodyReader& b) { return b.text(notice.recipient); });
  array.element("text", [&notice](BodyReader& b) { return b.text(notice.text); });
  if (array.has(4)) {
    array.element("count", [&notice](BodyReader& b) { return b.uint(notice.count.emplace()); });
  }
  if (auto end = array.finish(); !end) return end.error();
  return notice;
}

Result<Watch> decode_watch(Bytes body) {
  Watch watch;
  ArrayReader array("watch", body, 1);
  array.element("pattern", [&watch](BodyReader& b) {
    return b.text(watch.pattern) &&
           (is_name_pattern(watch.pattern) || b.fail(ReadError::kOutOfRange));
  });
  if (array.has(2)) array.element("on", [&watch](BodyReader& b) { return b.boolean(watch.on); });
  if (auto end = array.finish(); !end) return end.error();
  return watch;
}

Result<Subscribe> decode_subscribe(Bytes body) {
  Subscribe subscribe;
  ArrayReader array("subscribe", body, 1);
  array.element("pattern", [&](BodyReader& b) { return b.topic_pattern(subscribe.pattern); });
  if (array.has(2)) {
    array.element("policy", [&](BodyReader& b) {
      std::uint64_t number = 0;
      if (!b.uint(number)) return false;
      if (number > static_cast<std::uint64_t>(SlowPolicy::kDisconnect)) {
        return b.fail(ReadError::kOutOfRange);
      }
      subscribe.policy = static_cast<SlowPolicy>(number);
      return true;
    });
  }
  if (array.has(3)) {
    array.element("flags", [&](BodyReader& b) {
      std::uint64_t flags = 0;
      if (!b.uint(flags)) return false;
      subscribe.excludes_own = (flags & 1) != 0;
      subscribe.skips_retained = (flags & 2) != 0;
      return true;
    });
  }
  if (auto end = array.finish(); !end) return end.error();
  return subscribe;
}

Result<Name> decode_unsubscribe(Bytes body) {
  Name name;
  ArrayReader array("unsubscribe", body, 1);
  array.element("pattern", [&name](BodyReader& b) { return b.topic_pattern(name.name); });
  if (auto end = array.finish(); !end) return end.error();
  return name;
}

Result<Offer> decode_offer(Bytes body) {
  Offer offer;
  ArrayReader array("offer", body, 1);
  array.element("service", [&offer](BodyReader& b) { return b.name(offer.service); });
  if (array.has(2)) {
    array.element("capacity", [&offer](BodyReader& b) {
      return b.uint(offer.capacity) && (offer.capacity > 0 || b.fail(ReadError::kOutOfRange));
    });
  }
  if (auto end = array.finish(); !end) return end.error();
  return offer;
}

Result<Name> decode_withdraw(Bytes body) {
  Name name;
  ArrayReader array("withdraw", body, 1);
  array.element("service", [&name](BodyReader& b) { return b.name(name.name); });
  if (auto end = array.finish(); !end) return end.error();
  return name;
}

Result<Gap> decode_gap(Bytes body) {
  Gap gap;
  ArrayReader array("gap", body, 1);
  array.element("count", [&gap](BodyReader& b) { return b.uint(gap.count); });
  if (auto end = array.finish(); !end) return end.error();
  return gap;
}

Result<Doubt> decode_doubt(Bytes body) {
  Doubt doubt;
  BodyReader reader(body);
  if (!read_ranges(reader, doubt.ranges)) {
    return malformed("doubt", read_error_name(reader.raw().error()));
  }
  if (!reader.raw().at_end()) return malformed("doubt", "trailing bytes");
  return doubt;
}

Result<Metadata> decode_describe(Bytes body) {
  Metadata metadata;
  BodyReader reader(body);
  if (!reader.metadata(metadata)) {
    return malformed("describe", read_error_name(reader.raw().error()));
  }
  if (!reader.raw().at_end()) return malformed("describe", "trailing bytes");
  return metadata;
}

}  // namespace zpost
