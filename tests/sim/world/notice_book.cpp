#include "tests/sim/world/notice_book.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/rules.h"
#include "tests/sim/world/serials.h"
#include "zpost/protocol/names.h"

namespace zpost::sim {

namespace {

constexpr BodyMark kNoticeMark{'n', 't', 'c', ' '};

/// What may befall a publish of a publisher that keeps to the page.
bool may_befall_notice(Outcome outcome) {
  return outcome == Outcome::kDelivered || outcome == Outcome::kNoSubscriber ||
         outcome == Outcome::kFull || outcome == Outcome::kLost;
}

}  // namespace

std::string notice_body(Serial serial, std::size_t size) {
  return marked_body(kNoticeMark, serial, size);
}

// ---- Programs
// ------------------------------------------------------------------------------------

void NoticeBook::add_instance(InstanceId instance, const std::string& name) {
  instances_[instance].name = name;
}

void NoticeBook::end_instance(InstanceId instance, LetterBook::End how) {
  instances_[instance].ended = true;
  for (Notice& notice : notices_) {
    if (notice.publisher != instance || notice.publisher_gone) continue;
    notice.publisher_gone = true;
    insist(how == LetterBook::End::kKilled || notice.outcome != Outcome::kNone,
           "every notice has its outcome",
           [&] { return describe(notice) + " has none, though its program closed"; });
  }
}

// ---- Publishers
// ----------------------------------------------------------------------------------

Serial NoticeBook::write(InstanceId publisher, std::string_view topic, bool needs_subscriber) {
  Notice& notice = notices_.emplace_back();
  notice.serial = notices_.size();
  notice.publisher = publisher;
  notice.topic = topic;
  notice.needs_subscriber = needs_subscriber;
  return notice.serial;
}

void NoticeBook::note_id(Serial serial, std::uint64_t id) {
  notices_[serial - 1].id = id;
  instances_[notices_[serial - 1].publisher].by_id[id] = serial;
}

void NoticeBook::forget(Serial serial) {
  insist(serial == notices_.size(), "the latest is forgotten", [] { return "another was"; });
  notices_.pop_back();
}

bool NoticeBook::note_report(InstanceId publisher, const peer::OutcomeReport& report) {
  const Instance& it = instances_[publisher];
  const auto known = it.by_id.find(report.id);
  if (known == it.by_id.end()) return false;
  Notice& notice = notices_[known->second - 1];
  insist(notice.outcome == Outcome::kNone, "one outcome", [&] {
    return fmt::format("{} was told {} as well", describe(notice), outcome_name(report.outcome));
  });
  insist(!notice.publisher_gone, "nothing for a closed program",
         [&] { return describe(notice) + " was told of to a program that is over"; });
  insist(report.to == kAllTopics || report.to == notice.topic, "whom it concerns",
         [&] { return fmt::format("{} was reported as one to {}", describe(notice), report.to); });
  insist(may_befall_notice(report.outcome), "a fault of its own", [&] {
    return fmt::format("{}: {}, though its library keeps to the page", describe(notice),
                       outcome_name(report.outcome));
  });
  insist(report.outcome != Outcome::kNoSubscriber || notice.needs_subscriber, "what was asked for",
         [&] { return describe(notice) + " failed for want of a subscriber"; });
  const bool reached_nobody =
      report.outcome == Outcome::kNoSubscriber || report.outcome == Outcome::kFull;
  insist(!reached_nobody || !notice.given, "no contradiction",
         [&] { return describe(notice) + " reached nobody, but somebody was given it"; });
  notice.outcome = report.outcome;
  return true;
}

// ---- Subscribers
// ---------------------------------------------------------------------------------

void NoticeBook::note_subscribed(InstanceId subscriber, const std::string& pattern) {
  instances_[subscriber].patterns.push_back(pattern);
}

NoticeBook::Notice& NoticeBook::notice_of(const EnvelopeView& view) {
  const Serial serial = marked_serial(kNoticeMark, view.body);
  insist(serial > 0 && serial <= notices_.size(), "only what was published",
         [&] { return fmt::format("#{} from {} is no notice", view.id, view.from); });
  Notice& notice = notices_[serial - 1];
  const bool same = view.from == instances_[notice.publisher].name && view.to == notice.topic &&
                    (view.id == notice.id || notice.id == 0);
  insist(same, "only what was published", [&] {
    return fmt::format("{} came as #{} from {} on {}", describe(notice), view.id, view.from,
                       view.to);
  });
  return notice;
}

void NoticeBook::note_given(InstanceId subscriber, const EnvelopeView& view) {
  Notice& notice = notice_of(view);
  Instance& it = instances_[subscriber];
  insist(!it.ended, "nothing for a closed program",
         [&] { return describe(notice) + " was given to a program that is over"; });
  const bool wanted = std::ranges::any_of(it.patterns, [&](const std::string& pattern) {
    return matches_topic_pattern(pattern, notice.topic);
  });
  insist(wanted, "only what it subscribed to",
         [&] { return fmt::format("{} was given to {}", describe(notice), it.name); });
  notice.given = true;
  const Result<Meta> meta = read_meta(view);
  if (!meta || meta->retained) return;
  ++it.news;
  check_news(notice, it);
}

/// A later run of the broker may bring it again: its publisher did not know that it was through.
void NoticeBook::check_news(const Notice& notice, Instance& subscriber) {
  const auto [at, first] = subscriber.given.emplace(notice.serial, subscriber.run);
  insist(first || at->second < subscriber.run, "nothing twice", [&] {
    return fmt::format("{} was given to {} again", describe(notice), subscriber.name);
  });
  at->second = subscriber.run;
  std::uint64_t& last = subscriber.last_given[{notice.publisher, subscriber.run}];
  insist(notice.id > last, "order",
         [&] { return fmt::format("{} was given after #{}", describe(notice), last); });
  last = notice.id;
}

void NoticeBook::note_gap(InstanceId subscriber, std::uint64_t count) {
  insist(count > 0, "gaps have a size", [] { return "one of nothing"; });
  instances_[subscriber].missed += count;
}

// ---- The end
// -------------------------------------------------------------------------------------

std::string NoticeBook::describe(const Notice& notice) const {
  std::string text = fmt::format("notice {} (#{} from {} on {}", notice.serial, notice.id,
                                 instances_.at(notice.publisher).name, notice.topic);
  if (notice.outcome != Outcome::kNone) {
    text += fmt::format(", told {}", outcome_name(notice.outcome));
  }
  return text + ")";
}

std::string NoticeBook::open_notices() const {
  std::string text;
  for (const Notice& notice : notices_) {
    if (notice.publisher_gone || notice.outcome != Outcome::kNone) continue;
    text += (text.empty() ? "" : "; ") + describe(notice);
  }
  return text;
}

}  // namespace zpost::sim
