// Sending: into the open frame while there is credit, and again after a loss.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "peer/src/state.h"
#include "zpost/protocol/names.h"

namespace zpost::peer {
namespace {

constexpr std::size_t kFrameBytes = std::size_t{256} * 1024;
/// From here on a frame to one recipient only is worth more than a full one: it passes the broker
/// without a copy.
constexpr std::size_t kWholeFrameBytes = std::size_t{32} * 1024;
/// How many full frames what may be outstanding to one recipient would fill, if bytes were its
/// cost.
constexpr std::size_t kFramesToOne = 8;

Failure invalid_argument(std::string text) {
  return {Fault::kInvalid, Outcome::kNone, std::move(text)};
}

std::optional<Failure> invalid_texts(const Draft& draft) {
  if (draft.meta.content_type.size() > kMaxContentTypeBytes) {
    return invalid_argument("content type: " + std::to_string(draft.meta.content_type.size()) +
                            " bytes, the limit is " + std::to_string(kMaxContentTypeBytes));
  }
  if (!is_utf8(draft.meta.content_type)) return invalid_argument("content type: not UTF-8");
  if (draft.meta.trace.size() > kMaxTraceBytes) {
    return invalid_argument("trace: " + std::to_string(draft.meta.trace.size()) +
                            " bytes, the limit is " + std::to_string(kMaxTraceBytes));
  }
  if (!is_utf8(draft.meta.trace)) return invalid_argument("trace: not UTF-8");
  if (draft.text && !is_utf8(as_text(draft.body))) return invalid_argument("text: not UTF-8");
  return std::nullopt;
}

EnvelopeFields fields_of(const Draft& draft, std::string_view from, std::uint64_t id) {
  return {draft.kind, draft.to, from, id, draft.meta, draft.body, draft.text};
}

std::size_t body_tag_bytes(std::size_t length, bool text) {
  std::byte tag[kMaxLengthBytes];
  const std::byte* const end = text ? put_str_tag(tag, length) : put_bin_tag(tag, length);
  return static_cast<std::size_t>(end - tag);
}

/// The exact encoded length, without a look at the body: it may be of any size.
std::size_t encoded_size(EnvelopeFields fields) {
  const std::size_t length = fields.body.size();
  fields.body = {};
  ByteBuffer rest;
  append_envelope(rest, fields);
  return rest.size() - body_tag_bytes(0, fields.body_is_text) +
         body_tag_bytes(length, fields.body_is_text) + length;
}

std::string named(std::string_view name) {
  if (name == kAllTopics) return "topics";
  if (name.starts_with(kServiceMark)) return "service " + std::string(name.substr(1));
  return name.empty() ? std::string("the broker") : std::string(name);
}

/// The name of the account that pays for a draft, without an allocation.
class AccountName {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): most names need no bytes here.
  explicit AccountName(const Draft& draft) {
    if (draft.kind == Kind::kPublish) {
      name_ = kAllTopics;
    } else if (draft.kind != Kind::kCall) {
      name_ = draft.to;
    } else {
      bytes_[0] = kServiceMark;
      std::ranges::copy(draft.to, bytes_.begin() + 1);
      name_ = {bytes_.data(), 1 + draft.to.size()};
    }
  }

  AccountName(const AccountName&) = delete;
  AccountName& operator=(const AccountName&) = delete;

  operator std::string_view() const { return name_; }  // NOLINT(google-explicit-constructor)

 private:
  std::array<char, 1 + kMaxNameBytes> bytes_;  // Set as far as name_ says.
  std::string_view name_;
};

std::optional<Failure> invalid_recipient(const Draft& draft) {
  if (draft.kind == Kind::kRequest && draft.to.empty()) return std::nullopt;
  if (draft.kind == Kind::kPublish) {
    if (is_topic(draft.to)) return std::nullopt;
    return invalid_argument("topic \"" + std::string(draft.to) +
                            "\": a topic is up to 16 segments like names, joined by /, 255 bytes "
                            "in all");
  }
  if (is_name(draft.to)) return std::nullopt;
  if (draft.kind == Kind::kCall) {
    return invalid_argument("service \"" + std::string(draft.to) +
                            "\": a service is [A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  }
  return invalid_argument("recipient \"" + std::string(draft.to) +
                          "\": a name is [A-Za-z0-9][A-Za-z0-9._-]{0,63}");
}

}  // namespace

Ledger::Recipient& State::account(const Draft& draft) {
  if (draft.kind == Kind::kPublish) return ledger_.topics();
  if (draft.kind == Kind::kCall) return ledger_.recipient(AccountName(draft));
  return ledger_.recipient(draft.to);
}

/// How a plain draft begins; `to` is its account.
const EnvelopePrefix& State::prefix(const Draft& draft, const Ledger::Recipient& to) {
  return draft.kind == Kind::kPublish ? topics_.get(draft.to) : to.prefix;
}

std::optional<Failure> State::invalid(const Draft& draft) const {
  if (auto failure = invalid_recipient(draft)) return failure;
  if (auto failure = invalid_texts(draft)) return failure;
  const std::size_t limit = welcome_.max_envelope_bytes;
  const EnvelopeFields fields = fields_of(draft, options_.name, ledger_.next_id());
  if (encoded_bound(fields) <= limit) return std::nullopt;
  const std::size_t exact = encoded_size(fields);  // Rare: near the limit the bound is too much.
  if (exact <= limit) return std::nullopt;
  return invalid_argument("body: " + std::to_string(draft.body.size()) +
                          " bytes make an envelope of " + std::to_string(exact) +
                          ", the broker's limit is " + std::to_string(limit));
}

std::size_t State::frame_capacity() const {
  // Several frames under way to one recipient, or its receipt stops us between any two.
  const std::size_t part = ledger_.pair_limit() / kFramesToOne;
  return std::min<std::size_t>(std::clamp(part, kWholeFrameBytes, kFrameBytes),
                               welcome_.max_frame_bytes);
}

void State::make_room(const Ledger::Recipient& to, std::size_t bytes) {
  if (open_.empty()) return;
  const bool whole = open_.size() >= kWholeFrameBytes && open_.last_recipient() != &to;
  if (whole || !open_.fits(bytes)) flush();
}

std::uint64_t State::finish_single(Ledger::Recipient& to, std::uint32_t bytes, bool request) {
  const std::uint64_t id = ledger_.take_id();
  open_.commit(to, {id, 1, bytes, bytes, request});
  ledger_.charge(to, cost_of(bytes));
  if (!request) ledger_.count_new(1);
  ++statistics_.sent;
  return id;
}

std::optional<std::uint64_t> State::try_plain(Ledger::Recipient& to, const EnvelopePrefix& prefix,
                                              Bytes body) {
  const std::size_t bytes = prefix.encoded_size(ledger_.next_id(), body.size());
  if (!admits(to, cost_of(bytes))) return std::nullopt;
  make_room(to, bytes);
  const bool now = open_.empty() && may_flush();
  std::byte* const out = open_.reserve(bytes, now ? bytes : frame_capacity());
  prefix.write(out, ledger_.next_id(), body);
  const std::uint64_t id = finish_single(to, static_cast<std::uint32_t>(bytes), false);
  if (now || may_flush()) flush();
  return id;
}

bool State::could_send(const Draft& draft) const {
  static const Ledger::Recipient fresh;
  const Ledger::Recipient* const known = ledger_.find(AccountName(draft));
  const EnvelopeFields fields = fields_of(draft, options_.name, ledger_.next_id());
  const std::size_t bytes = draft.plain() ? encoded_size(fields) : encoded_bound(fields);
  return admits(known != nullptr ? *known : fresh, cost_of(bytes));
}

std::string State::obstacle(const Draft& draft) const {
  if (!ledger_.resending()) return "no credit for " + named(AccountName(draft));
  const Ledger::Backlog first = ledger_.backlog();
  return std::to_string(first.envelopes) + " envelopes (" + std::to_string(first.bytes) +
         " bytes) from before the connection was lost go first, and there is no credit for the "
         "next one, to " +
         named(first.next_to);
}

std::optional<std::uint64_t> State::try_send(const Draft& draft) {
  Ledger::Recipient& to = account(draft);
  if (draft.plain()) return try_plain(to, prefix(draft, to), draft.body);
  const EnvelopeFields fields = fields_of(draft, options_.name, ledger_.next_id());
  const std::size_t bound = encoded_bound(fields);
  if (!admits(to, cost_of(bound))) return std::nullopt;
  return write_draft(to, fields, bound);
}

std::uint64_t State::write_draft(Ledger::Recipient& to, const EnvelopeFields& fields,
                                 std::size_t bound) {
  make_room(to, bound);
  const bool now = open_.empty() && may_flush();
  std::byte* const out = open_.reserve(bound, now ? bound : frame_capacity());
  const auto bytes = static_cast<std::uint32_t>(write_envelope(out, fields) - out);
  const bool asks = fields.kind == Kind::kRequest || fields.kind == Kind::kCall;
  const std::uint64_t id = finish_single(to, bytes, asks);
  if (now || may_flush()) flush();
  return id;
}

std::size_t State::try_send(const Draft& draft, std::span<const Bytes> bodies) {
  Ledger::Recipient& to = account(draft);
  const EnvelopePrefix& begin = prefix(draft, to);
  std::size_t sent = 0;
  while (sent < bodies.size() && !others_first(to)) {
    const std::size_t count = write_equals(to, begin, bodies.subspan(sent));
    if (count == 0) break;
    sent += count;
  }
  if (sent != 0 && may_flush()) flush();
  return sent;
}

/// Puts as many bodies as credit and the open frame admit into it, while their size is that of the
/// first: they are accounted for together.
std::size_t State::write_equals(Ledger::Recipient& to, const EnvelopePrefix& prefix,
                                std::span<const Bytes> bodies) {
  const std::size_t body_bytes = bodies.front().size();
  const std::size_t bytes = prefix.encoded_size(ledger_.next_id(), body_bytes);
  const std::size_t admitted = ledger_.admitted(to, cost_of(bytes), bodies.size());
  if (admitted == 0) return 0;
  make_room(to, bytes);
  std::byte* out = open_.reserve(bytes, frame_capacity());
  const std::size_t most = std::min(admitted, std::max<std::size_t>(open_.room() / bytes, 1));
  const std::uint64_t first = ledger_.next_id();
  std::uint32_t count = 0;
  for (; count < most && bodies[count].size() == body_bytes; ++count) {
    if (count > 0 && prefix.encoded_size(first + count, body_bytes) != bytes) break;
    out = prefix.write(out, first + count, bodies[count]);
  }
  const auto each = static_cast<std::uint32_t>(bytes);
  open_.commit(to, {ledger_.take_ids(count), count, count * each, each, false});
  ledger_.charge(to, count * cost_of(bytes));
  ledger_.count_new(count);
  statistics_.sent += count;
  return count;
}

void State::seal() {
  if (open_.empty()) return;
  (void)open_.seal(ledger_);
  ++frames_closed_;
}

void State::flush() {
  // Without a session frames wait in the ledger: the welcome says which must go.
  if (phase_ != Phase::kActive) return seal();
  if (open_.empty()) return;
  ++frames_closed_;
  ack_beside_payload();
  ledger_.note_handed(open_.last_id());
  sink_->send(open_.seal(ledger_));
}

// --- What was accepted before --------------------------------------------------------------------

void State::go_on_sending() {
  resend();
  say_cancels();
  send_deferred();
}

bool State::defer(const Draft& draft) {
  return reserve_.put(draft);
}

void State::send_deferred() {
  if (reserve_.empty() || ledger_.resending()) return;
  reserve_.offer([this](const Draft& draft) { return send_deferred(draft); });
}

bool State::send_deferred(const Draft& draft) {
  if (const auto failure = invalid(draft)) {  // A new session may have other limits.
    fail_deferred(draft, Outcome::kTooLarge, failure->text);
    return true;
  }
  Ledger::Recipient& to = account(draft);
  const EnvelopeFields fields = fields_of(draft, options_.name, ledger_.next_id());
  const std::size_t bound = encoded_bound(fields);
  if (!ledger_.admits(to, cost_of(bound))) return false;
  (void)write_draft(to, fields, bound);
  return true;
}

/// A reply that never went still gets an id, and its outcome.
void State::fail_deferred(const Draft& draft, Outcome outcome, std::string_view text) {
  ++statistics_.sent;
  ++statistics_.failed;
  const std::uint64_t id = ledger_.take_id();
  if (report_failures_) reports_.add(draft.to, id, 1, outcome, text);
}

void State::resend() {
  if (!ledger_.resending()) return;
  while (ledger_.resending()) {
    const std::size_t room = open_.empty() ? welcome_.max_frame_bytes : open_.room();
    const Ledger::Queued copy = ledger_.next_copy(room);
    if (copy.run.count == 0) {
      if (open_.empty()) return;  // No credit: a receipt will bring more.
      flush();
      continue;
    }
    std::byte* const out = open_.reserve(copy.run.bytes, frame_capacity());
    std::memcpy(out, copy.run.view().data(), copy.run.bytes);
    open_.commit(*copy.to, copy.run);
    statistics_.resent += copy.run.count;
  }
  flush();
}

}  // namespace zpost::peer
