#include "tools/inspect/replay_answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"

namespace zpost::inspect {
namespace {

using peer::milliseconds;

constexpr milliseconds kTakeNow{0};
constexpr milliseconds kAskAgain{5};  // While a requester takes nothing.

}  // namespace

void ReplayAnswers::receive(std::size_t player, ReplayProgress& progress, ReplayTime now) {
  // Asking for the next one takes the one before.
  while (const std::optional<peer::Message> message = players_.peer(player).receive(kTakeNow)) {
    ++taken_;
    if (message->kind == Kind::kRequest || message->kind == Kind::kCall) {
      answer(player, *message, progress, now);
    }
  }
}

void ReplayAnswers::forget(std::size_t player) {
  std::erase_if(pending_, [player](const auto& each) { return each.second.player == player; });
}

void ReplayAnswers::answer(std::size_t player, const peer::Message& request,
                           ReplayProgress& progress, ReplayTime now) {
  const std::string& name = players_.name(player);
  const std::optional<std::size_t> place = place_of(request);
  if (place) progress.taken[*place] = true;
  if (!answers_) {
    return refuse(player, request, name + " is played by a replay, which sends and does not answer",
                  now);
  }
  if (!place) {
    return refuse(player, request, name + " is played by a replay, which does not know this", now);
  }
  const ReplayItem& item = plan_.items[*place];
  const bool had_no_answer = item.outcome != Outcome::kNone && item.outcome != Outcome::kDelivered;
  if (had_no_answer) return;  // Nor has it one now.
  if (!item.has_whole_answer()) {
    return refuse(player, request, "the recording does not have the whole reply", now);
  }
  for (const RecordedReply& reply : item.replies) {
    const std::uint64_t after = reply.time_ns - std::min(reply.time_ns, item.time_ns);
    pending_.emplace(due_after(after, now), Pending{player, request.from, request.id, &reply});
  }
}

void ReplayAnswers::refuse(std::size_t player, const peer::Message& request, std::string why,
                           ReplayTime now) {
  pending_.emplace(now, Pending{player, request.from, request.id, nullptr, std::move(why)});
}

std::optional<std::size_t> ReplayAnswers::place_of(const peer::Message& request) const {
  const std::size_t sender = players_.by_name(request.from);
  if (sender == ReplayPlayers::kNobody) return std::nullopt;
  return players_.place_of(sender, request.id);
}

ReplayTime ReplayAnswers::due_after(std::uint64_t ns, ReplayTime now) const {
  if (speed_ <= 0) return now;
  constexpr double kLongest = 1e18;
  const std::chrono::duration<double, std::nano> wait(
      std::min(static_cast<double>(ns) / speed_, kLongest));
  return now + std::chrono::duration_cast<ReplayTime::duration>(wait);
}

std::optional<ReplayTime> ReplayAnswers::due() const {
  if (pending_.empty()) return std::nullopt;
  return is_blocked_ ? again_ : pending_.begin()->first;
}

void ReplayAnswers::send(ReplayTime now) {
  is_blocked_ = false;
  while (!pending_.empty() && pending_.begin()->first <= now) {
    // Replies to one request must not pass each other, so what is blocked blocks the rest.
    if (!send(pending_.begin()->second)) {
      is_blocked_ = true;
      again_ = now + kAskAgain;
      return;
    }
    pending_.erase(pending_.begin());
  }
}

/// False: there is no credit now.
bool ReplayAnswers::send(const Pending& pending) {
  peer::Peer& peer = players_.peer(pending.player);
  peer::SendOptions options{.timeout = kTakeNow};
  const auto sent = [&]() -> peer::Answer<std::uint64_t> {
    if (pending.reply == nullptr) {
      return peer.reject(pending.to, pending.request, pending.no, options);
    }
    const ReplayBody& body = pending.reply->body;
    options.content_type = body.content_type;
    if (pending.reply->rejected) {
      return peer.reject(pending.to, pending.request, as_text(body.bytes), options);
    }
    options.text = body.is_text;
    options.more = pending.reply->more;
    return peer.reply(pending.to, pending.request, body.bytes, options);
  }();
  if (sent) return true;
  const peer::Fault fault = sent.error().fault;
  if (fault == peer::Fault::kWouldBlock || fault == peer::Fault::kTimedOut) return false;
  if (fault != peer::Fault::kClosed) {
    cli::complain(fmt::format("{} cannot answer: {}", players_.name(pending.player),
                              cli::visible_line(sent.error().text)));
  }
  return true;
}

}  // namespace zpost::inspect
