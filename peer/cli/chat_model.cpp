#include "peer/cli/chat_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "peer/cli/received.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {

using Kind = ChatLine::Kind;

ChatModel::ChatModel(std::string me, std::string partner)
    : me_(std::move(me)), partner_(std::move(partner)) {}

ChatLines ChatModel::received(const peer::Message& message, std::uint64_t now) {
  ChatLines lines;
  // An answer must not stand above what it answers.
  show_under_way(lines, message.from);
  ReadableBody body = readable(cli::received(message).body);
  lines.push_back({.kind = Kind::kReceived,
                   .time_ns = message.sent_ns == 0 ? now : message.sent_ns,
                   .from = message.from,
                   .text = std::move(body.text),
                   .id = message.id,
                   .binary = body.form == BodyForm::kBinary});
  if (message.from.empty() || message.from == partner_) return lines;
  if (partner_.empty()) {
    partner_ = message.from;
    lines.push_back({.time_ns = now,
                     .text = fmt::format("you talk with {} now; /to NAME changes that", partner_)});
  } else if (strangers_.insert(message.from).second) {
    lines.push_back({.time_ns = now,
                     .text = fmt::format("you talk with {}; to answer {}: /to {}", partner_,
                                         message.from, message.from)});
  }
  return lines;
}

ChatLine ChatModel::sent_line(std::uint64_t id, const UnderWay& sent) const {
  return {.kind = Kind::kSent,
          .time_ns = sent.since,
          .from = me_,
          .to = sent.line.to,
          .text = sent.line.text,
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
  if (sent.shown) {
    line.kind = Kind::kSettled;
    line.time_ns = now;
  }
  if (!is_success(report.outcome)) {
    line.reason = reason_text(report.outcome, report.to, report.text);
    if (line.reason.empty()) line.reason = outcome_name(report.outcome);
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
  if (!news) return {};
  ChatLine line{.kind = Kind::kPresence, .time_ns = now, .from = change.peer};
  const std::string reason = visible_line(change.reason);
  if (left) {
    line.text = reason.empty() ? "left" : fmt::format("left ({})", reason);
    return {std::move(line)};
  }
  line.text = "is here";
  if (const std::size_t count = undelivered_to(change.peer)) {
    line.text += fmt::format("; {} not delivered: /retry sends again", counted(count, "line"));
  }
  return {std::move(line)};
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
