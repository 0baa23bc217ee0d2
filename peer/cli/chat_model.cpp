#include "peer/cli/chat_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "peer/cli/received.h"
#include "peer/cli/room_names.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {

using LineKind = ChatLine::Kind;

namespace {

std::string room_of(const peer::Message& message) {
  return message.kind == zpost::Kind::kPublish ? std::string(room_of_topic(message.to)) : "";
}

/// Why `to`, who may be a room, did not get it.
std::string failure_text(const peer::OutcomeReport& report, const std::string& to) {
  if (is_room(to) && report.outcome == Outcome::kNoSubscriber) return "nobody else is here";
  if (is_room(to) && report.outcome == Outcome::kLost) {
    return "the broker was gone; it may have been heard or not";
  }
  std::string text = reason_text(report.outcome, to, report.text);
  return text.empty() ? std::string(outcome_name(report.outcome)) : text;
}

}  // namespace

ChatModel::ChatModel(std::string me, std::string partner)
    : me_(std::move(me)), partner_(std::move(partner)) {
  watched_.insert(partner_);
}

void ChatModel::set_partner(std::string partner) {
  watched_.insert(partner);
  std::erase(earlier_, partner);
  if (!partner_.empty() && partner_ != partner) earlier_.push_back(std::move(partner_));
  if (earlier_.size() > kMaxEarlier) earlier_.erase(earlier_.begin());
  partner_ = std::move(partner);
}

void ChatModel::leave(const std::string& partner) {
  std::erase(earlier_, partner);
  if (partner_ != partner) return;
  partner_.clear();
  if (earlier_.empty()) return;
  partner_ = std::move(earlier_.back());
  earlier_.pop_back();
}

ChatLines ChatModel::received(const peer::Message& message, std::uint64_t now) {
  ChatLines lines;
  const std::string room = room_of(message);
  // An answer must not stand above what it answers.
  show_under_way(lines, room.empty() ? message.from : with_mark(room));
  ReadableBody body = readable(cli::received(message).body);
  lines.push_back({.kind = LineKind::kReceived,
                   .time_ns = message.sent_ns == 0 ? now : message.sent_ns,
                   .from = message.from,
                   .text = std::move(body.text),
                   .room = room,
                   .id = message.id,
                   .aside = room.empty() && is_room(partner_),
                   .binary = body.form == BodyForm::kBinary});
  if (room.empty()) std::ranges::move(introduction(message.from, now), std::back_inserter(lines));
  return lines;
}

/// What there is to say about somebody who wrote to oneself.
ChatLines ChatModel::introduction(const std::string& from, std::uint64_t now) {
  if (from.empty()) return {};
  watched_.insert(from);
  if (from == partner_) return {};
  if (partner_.empty()) {
    partner_ = from;
    return {
        {.time_ns = now, .text = fmt::format("you talk with {} now; /to NAME changes that", from)}};
  }
  if (!strangers_.insert(from).second) return {};
  std::string text =
      is_room(partner_)
          ? fmt::format("{0} wrote to you alone; to answer: /to {0}, or /msg {0} TEXT", from)
          : fmt::format("you talk with {0}; to answer {1}: /to {1}", partner_, from);
  return {{.time_ns = now, .text = std::move(text)}};
}

ChatLine ChatModel::sent_line(std::uint64_t id, const UnderWay& sent) const {
  return {.kind = LineKind::kSent,
          .time_ns = sent.since,
          .from = me_,
          .to = sent.line.to,
          .text = sent.line.text,
          .room = is_room(sent.line.to) ? std::string(without_mark(sent.line.to)) : "",
          .id = id,
          .aside = sent.line.to != partner_};
}

void ChatModel::show_under_way(ChatLines& lines, std::string_view to) {
  for (auto& [id, sent] : under_way_) {
    if (sent.shown || sent.line.to != to) continue;
    sent.shown = true;
    lines.push_back(sent_line(id, sent));
  }
}

ChatLines ChatModel::sent(std::uint64_t id, Undelivered line, std::uint64_t now) {
  under_way_.emplace(id, UnderWay{std::move(line), now, false});
  return {};
}

ChatLines ChatModel::not_sent(Undelivered line, std::string reason, std::uint64_t now) {
  ChatLine shown = sent_line(0, {line, now, false});
  shown.outcome = Outcome::kOverCredit;
  shown.reason = std::move(reason);
  keep(std::move(line));
  return {std::move(shown)};
}

ChatLines ChatModel::settled(const peer::OutcomeReport& report, std::uint64_t now) {
  const auto found = under_way_.find(report.id);
  if (found == under_way_.end()) return {};
  UnderWay& sent = found->second;
  ChatLine line = sent_line(report.id, sent);
  line.outcome = report.outcome;
  line.count = report.count;
  if (sent.shown) {
    line.kind = LineKind::kSettled;
    line.time_ns = now;
  }
  if (!is_success(report.outcome)) {
    line.reason = failure_text(report, sent.line.to);
    keep(std::move(sent.line));
  }
  under_way_.erase(found);
  return {std::move(line)};
}

ChatLines ChatModel::waited(std::uint64_t now) {
  ChatLines lines;
  for (auto& [id, sent] : under_way_) {
    if (sent.shown || now < sent.since + kPatience) continue;
    sent.shown = true;
    lines.push_back(sent_line(id, sent));
  }
  return lines;
}

std::optional<std::uint64_t> ChatModel::next_wait() const {
  for (const auto& [id, sent] : under_way_) {
    if (!sent.shown) return sent.since + kPatience;
  }
  return std::nullopt;
}

ChatLines ChatModel::presence(const peer::PresenceChange& change, std::uint64_t now) {
  const bool left = change.event == "left";
  const bool news = left ? here_.erase(change.peer) > 0 : here_.insert(change.peer).second;
  if (!news || !watched_.contains(change.peer)) return {};
  ChatLine line{.kind = LineKind::kPresence, .time_ns = now, .from = change.peer};
  const std::string reason = visible_line(change.reason);
  if (left) {
    line.text = reason.empty() ? "left" : fmt::format("left ({})", reason);
    return {std::move(line)};
  }
  line.text = "is here" + undelivered_text(change.peer);
  return {std::move(line)};
}

std::string ChatModel::undelivered_text(std::string_view to) const {
  const std::size_t count = undelivered_to(to);
  if (count == 0) return "";
  return fmt::format("; {} not delivered: /retry sends again", counted(count, "line"));
}

std::size_t ChatModel::undelivered_to(std::string_view to) const {
  return static_cast<std::size_t>(std::ranges::count(undelivered_, to, &Undelivered::to));
}

void ChatModel::keep(Undelivered line) {
  if (undelivered_.size() == kMaxUndelivered) undelivered_.pop_front();
  undelivered_.push_back(std::move(line));
}

std::vector<ChatModel::Undelivered> ChatModel::take_undelivered() {
  std::vector<Undelivered> lines(std::make_move_iterator(undelivered_.begin()),
                                 std::make_move_iterator(undelivered_.end()));
  undelivered_.clear();
  return lines;
}

}  // namespace zpost::cli
