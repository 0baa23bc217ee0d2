#include "peer/cli/shared/outcome_words.h"

#include <fmt/format.h>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

std::string connected_text(const peer::StateChange& change) {
  if (change.resumed) return "connected again";
  std::string text =
      change.new_run ? "connected again; the broker was started anew" : "connected again as new";
  if (change.taken_but_unacknowledged > 0) {
    text += fmt::format(": {} taken here may have been called lost to their senders",
                        counted(change.taken_but_unacknowledged, "envelope"));
  }
  return text;
}

}  // namespace

std::string reason_text(Outcome outcome, std::string_view to, std::string_view text) {
  switch (outcome) {
    case Outcome::kNoPeer:
      return fmt::format("nobody named {} is here", to);
    case Outcome::kNoSubscriber:
      return fmt::format("nobody subscribes to {}", to);
    case Outcome::kNoWorker:
      return fmt::format("nobody offers {}", to);
    case Outcome::kFull:
      return fmt::format("the queue of {} is full", to);
    case Outcome::kLost:
      return fmt::format("{} left without having taken it, or may have taken it", to);
    case Outcome::kDraining:
      return "the broker is shutting down";
    case Outcome::kRejected:
      return text.empty() ? fmt::format("{} said no", to)
                          : fmt::format("{} said no: {}", to, visible_line(text));
    default:
      return visible_line(text);
  }
}

std::string outcome_text(Outcome outcome, std::string_view to, std::string_view text) {
  const std::string reason = reason_text(outcome, to, text);
  const std::string name(outcome_name(outcome));
  return reason.empty() ? name : name + ": " + reason;
}

std::string own_name_text(std::string_view to, std::string_view me, std::string_view does) {
  if (to != me) return "";
  return fmt::format(": {} is this program's own name (--as), and it {}", to, does);
}

std::string state_text(const peer::StateChange& change) {
  const std::string words = visible_line(change.text);
  switch (change.state) {
    case peer::StateChange::State::kConnected:
      return connected_text(change);
    case peer::StateChange::State::kLost:
      return fmt::format("connection lost ({}), reconnecting", words);
    case peer::StateChange::State::kRefused:
      return fmt::format("the broker {} this session ({}: {})",
                         change.final ? "ended" : "does not take", outcome_name(change.code),
                         words);
    case peer::StateChange::State::kDraining:
      return "the broker is shutting down";
    case peer::StateChange::State::kClosed:
      return "";
  }
  return "";
}

}  // namespace zpost::cli
