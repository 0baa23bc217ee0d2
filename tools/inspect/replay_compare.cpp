#include "tools/inspect/replay_compare.h"

#include <fmt/format.h>

#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "tools/inspect/decode.h"

namespace zpost::inspect {
namespace {

constexpr std::size_t kMostText = 200;

ShownEnvelope shown(const ReplayBody& body, bool cut = false) {
  return {.content_type = body.content_type,
          .body_is_text = body.is_text,
          .body = body.bytes,
          .size = body.bytes.size(),
          .cut = cut};
}

std::string body_text(const ReplayBody& body, bool cut) {
  return cli::shortened(decoded_line(shown(body, cut), Decoding::kAuto), kMostText);
}

/// Whether it is a peer of this program.
bool is_ours(Part part) {
  return part == Part::kPlayed || part == Part::kStoodIn;
}

/// What a requester's library calls timed out the broker calls expired: which of the two is faster
/// is chance. Whether a recipient acknowledges matters where it is the real one only.
Outcome comparable(Outcome outcome, Part part) {
  if (outcome == Outcome::kTimedOut) return Outcome::kExpired;
  return outcome == Outcome::kUnconfirmed && is_ours(part) ? Outcome::kDelivered : outcome;
}

/// Whether somebody who only takes and answers can bring it about.
bool can_be_stood_in_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDelivered:
    case Outcome::kUnconfirmed:
    case Outcome::kExpired:
    case Outcome::kTimedOut:
    case Outcome::kCancelled:
      return true;
    default:
      return false;
  }
}

std::string recorded_text(const ReplayItem& item) {
  if (!item.is_exchange() || item.outcome != Outcome::kDelivered) {
    return cli::outcome_text(item.outcome, item.to);
  }
  if (item.replies.empty()) return "answered";
  const RecordedReply& last = item.replies.back();
  return fmt::format("{} {}", last.rejected ? "rejected:" : "answered",
                     body_text(last.body, last.cut));
}

std::string now_text(const ReplayItem& item, const ReplayedEnd& now) {
  if (now.outcome == Outcome::kNone) {
    return now.text.empty() ? "nothing was heard of it" : cli::visible_line(now.text);
  }
  if (!item.is_exchange() || now.outcome != Outcome::kDelivered || now.replies.empty()) {
    return cli::outcome_text(now.outcome, item.to, now.text);
  }
  const ReplayedReply& last = now.replies.back();
  return fmt::format("{} {}", last.rejected ? "rejected:" : "answered",
                     body_text(last.body, false));
}

class Comparing {
 public:
  Comparing(const ReplayItem& item, const ReplayedEnd& now, const BodyRules& rules)
      : item_(item), now_(now), rules_(rules) {}

  void compare_outcomes(Part part) {
    if (comparable(item_.outcome, part) != comparable(now_.outcome, part)) {
      add("outcome", recorded_text(item_), now_text(item_, now_));
    } else if (item_.is_exchange() && item_.outcome == Outcome::kDelivered) {
      compare_replies();
    } else if (item_.queues && now_.queues && *item_.queues != *now_.queues) {
      add("subscribers", std::to_string(*item_.queues), std::to_string(*now_.queues));
    }
  }

  Comparison found;

 private:
  void compare_replies() {
    if (item_.replies.empty()) {
      found.not_compared = "the capture does not have the reply";
      return;
    }
    const RecordedReply& before = item_.replies.back();
    const ReplayedReply& after = now_.replies.back();
    if (before.rejected != after.rejected) {
      return add("outcome", recorded_text(item_), now_text(item_, now_));
    }
    if (before.more) {
      found.not_compared = "the capture does not have all of the replies";
    } else if (item_.replies.size() != now_.replies.size()) {
      add("replies", std::to_string(item_.replies.size()), std::to_string(now_.replies.size()));
    }
    const std::size_t both = std::min(item_.replies.size(), now_.replies.size());
    for (std::size_t i = 0; i < both; ++i) compare_reply(item_.replies[i], now_.replies[i], i);
  }

  void compare_reply(const RecordedReply& before, const ReplayedReply& after, std::size_t place) {
    const std::string which =
        item_.replies.size() > 1 ? fmt::format("reply {} ", place + 1) : std::string();
    if (before.body.content_type != after.body.content_type) {
      const auto type = [](const std::string& text) {
        return text.empty() ? std::string("none") : cli::visible_line(text);
      };
      add(which + "content type", type(before.body.content_type), type(after.body.content_type));
    }
    const ShownEnvelope recorded = shown(before.body, before.cut);
    const ShownEnvelope now = shown(after.body);
    BodyDifference body = compare_bodies({recorded, before.redacted}, {now}, rules_);
    if (body.match == BodyMatch::kCut) {
      found.not_compared = "the capture has only the beginning of the reply";
    } else if (body.match == BodyMatch::kRedacted) {
      found.not_compared = "the reply is redacted in the capture";
    }
    const auto value = [](std::string& text) { return text.empty() ? "-" : std::move(text); };
    for (BodyPlace& each : body.places) {
      add(which + each.where, value(each.first), value(each.second));
    }
  }

  void add(std::string what, std::string recorded, std::string now) {
    // A reply of many parts may differ in all of them.
    if (found.differences.size() >= kMaxReplayDifferences) return;
    found.differences.push_back({std::move(what), std::move(recorded), std::move(now)});
  }

  const ReplayItem& item_;
  const ReplayedEnd& now_;
  const BodyRules& rules_;
};

}  // namespace

Comparison compare(const ReplayItem& item, const ReplayedEnd& now, Part part,
                   const BodyRules& rules) {
  if (item.outcome == Outcome::kNone) {
    return {.not_compared = "the capture does not say what became of it"};
  }
  if (now.sender_left) {
    return {.not_compared = "its sender left before its end, as it did then"};
  }
  if (is_ours(part) && !can_be_stood_in_for(item.outcome) && !item.recipient_left) {
    return {.not_compared =
                fmt::format("whoever stands in cannot make it {}", outcome_name(item.outcome))};
  }
  const bool was_answered = item.is_exchange() && item.outcome == Outcome::kDelivered;
  if (is_ours(part) && was_answered && !item.has_whole_answer()) {
    return {.not_compared =
                "the capture does not have the whole reply, so whoever stands in says no"};
  }
  Comparing comparing(item, now, rules);
  comparing.compare_outcomes(part);
  return std::move(comparing.found);
}

}  // namespace zpost::inspect
