#include "tests/broker/core/support/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace zpost::core::test {

namespace {

constexpr std::size_t kShownBody = 60;
constexpr std::size_t kShortestRun = 4;

std::string sized(std::size_t bytes) {
  return fmt::format("({} bytes)", bytes);
}

std::string in_quotes(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

std::string body_of(Bytes body) {
  const std::string_view text = as_text(body);
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return plain && text.size() <= kShownBody ? in_quotes(text) : sized(text.size());
}

/// What the broker answers is a msgpack map.
std::string answer_of(const EnvelopeView& view, const Meta& meta) {
  if (meta.rejected) return in_quotes(as_text(view.body));
  const auto* begin = reinterpret_cast<const std::uint8_t*>(view.body.data());
  const auto json = nlohmann::json::from_msgpack(begin, begin + view.body.size(), true, false);
  return json.is_discarded() ? "no msgpack" : json.dump();
}

std::string payload(const EnvelopeView& view) {
  const auto meta = read_meta(view);
  std::string line(kind_name(view.kind()));
  if (!view.from.empty()) line += fmt::format(" #{} from {}", view.id, view.from);
  if (view.from.empty()) line += " from the broker";
  if (meta && meta->in_reply_to) line += fmt::format(" to #{}", *meta->in_reply_to);
  if (view.kind() == Kind::kPublish) line += fmt::format(" in {}", view.to);
  if (view.kind() == Kind::kCall) line += fmt::format(" for {}", view.to);
  if (meta && meta->rejected) line += " rejected";
  if (meta && meta->retained) line += " retained";
  if (meta && meta->again > 0) line += fmt::format(" again={}", meta->again);
  if (meta && meta->more) line += " more";
  if (meta && meta->will) line += " will";
  const bool answer = view.from.empty() && view.kind() == Kind::kReply;
  return line + ' ' + (answer && meta ? answer_of(view, *meta) : body_of(view.body));
}

std::string welcome(const Welcome& w) {
  std::string line =
      fmt::format("welcome epoch={} first_id={} highest_id={}", w.epoch, w.first_id, w.highest_id);
  line += fmt::format(" credit={} pair={} window={}", w.credit, w.pair, w.window_bytes);
  if (!w.resumed) return line;
  return line +
         fmt::format(" resumed taken={} outcomes={} received={}", w.taken, w.outcomes, w.received);
}

std::string receipt(const Receipt& r) {
  if (r.entries.empty()) return fmt::format("credit={} pair={}", r.credit, r.pair);
  std::string line = "receipt";
  for (const ReceiptEntry& entry : r.entries) {
    const std::string_view name = entry.recipient.empty() ? "the-broker" : entry.recipient;
    line += fmt::format(" {}:#{}{}", name, entry.id, entry.unconfirmed ? "(unconfirmed)" : "");
  }
  return line + fmt::format(" credit={} pair={}", r.credit, r.pair);
}

std::string presence(const Presence& p) {
  std::string line = fmt::format("presence {} {}", p.peer, p.event);
  if (!p.reason.empty()) line += fmt::format(" ({})", p.reason);
  for (const auto& [key, value] : p.metadata) line += fmt::format(" {}={}", key, value);
  return line;
}

std::string outcome(const EnvelopeView& view, const OutcomeNotice& notice) {
  std::string line = fmt::format("outcome #{} {}", view.id, outcome_name(notice.code));
  if (!notice.recipient.empty()) line += fmt::format(" ({})", notice.recipient);
  if (notice.count) line += fmt::format(" count={}", *notice.count);
  return line;
}

std::string refusal(std::string_view kind, const Refusal& r) {
  return fmt::format("{} {} {}{}", kind, outcome_name(r.code), in_quotes(r.text),
                     r.retry ? ", may try again" : "");
}

template <typename T, typename Say>
std::string said(const Result<T>& body, Say say) {
  return body ? say(*body) : "unreadable: " + body.error().text;
}

std::string describe_one(const EnvelopeView& view) {
  switch (view.kind()) {
    case Kind::kWelcome:
      return said(decode_welcome(view.body), welcome);
    case Kind::kRefused:
    case Kind::kGoodbye:
      return said(decode_refusal(view.body),
                  [&](const Refusal& r) { return refusal(kind_name(view.kind()), r); });
    case Kind::kCredit:
    case Kind::kReceipt:
      return said(decode_receipt(view.body), receipt);
    case Kind::kOutcome:
      return said(decode_outcome(view.body),
                  [&](const OutcomeNotice& notice) { return outcome(view, notice); });
    case Kind::kPresence:
      return said(decode_presence(view.body), presence);
    case Kind::kGap:
      return said(decode_gap(view.body),
                  [](const Gap& gap) { return fmt::format("gap {}", gap.count); });
    case Kind::kCancel:
      return fmt::format("cancel #{} from {}", view.id, view.from);
    case Kind::kPing:
    case Kind::kPong:
      return std::string(kind_name(view.kind())) +
             (view.body.empty() ? "" : " " + body_of(view.body));
    default:
      return payload(view);
  }
}

/// Neighbours of one sender with equal sizes and ids in steps of one.
struct Series {
  EnvelopeView first;
  std::size_t count = 0;
  std::vector<std::string> lines;

  [[nodiscard]] bool takes(const EnvelopeView& view) const {
    return count > 0 && is_payload(view.kind()) && !view.has_meta() && !first.has_meta() &&
           view.kind_number == first.kind_number && view.from == first.from &&
           view.id == first.id + count && view.body.size() == first.body.size();
  }

  void write_to(std::vector<std::string>& out) const {
    if (count < kShortestRun) {
      out.insert(out.end(), lines.begin(), lines.end());
      return;
    }
    out.push_back(fmt::format("{} #{}..#{} from {} ({} x {} bytes)", kind_name(first.kind()),
                              first.id, first.id + count - 1, first.from, count,
                              first.body.size()));
  }
};

}  // namespace

std::vector<std::string> describe(std::string_view frame) {
  std::vector<std::string> lines;
  Series series;
  FrameReader reader(as_bytes(frame));
  EnvelopeView view;
  while (reader.next(view)) {
    if (!series.takes(view)) {
      series.write_to(lines);
      series = Series{view, 0, {}};
    }
    ++series.count;
    if (series.count < kShortestRun) series.lines.push_back(describe_one(view));
  }
  series.write_to(lines);
  if (reader.failed()) lines.push_back("unreadable: " + reader.error_text());
  return lines;
}

}  // namespace zpost::core::test
