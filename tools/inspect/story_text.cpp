#include "tools/inspect/story_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/envelope_columns.h"
#include "tools/inspect/tail_text.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using cli::Ink;
using cli::Palette;

constexpr std::size_t kStepSpanColumns = 11;

std::string session_step(const TailLine& step) {
  std::string text =
      fmt::format("{}: session {}", who_in_words(step.from), change_name(step.change));
  if (step.outcome != Outcome::kNone) text += fmt::format(" ({})", outcome_name(step.outcome));
  return text;
}

std::string step_text(const TailLine& step, const Story& story) {
  switch (step.event) {
    case TapEvent::kReceived:
      return fmt::format("received from {}", who_in_words(story.from));
    case TapEvent::kForwarded:
      if (step.queues > 0) return fmt::format("given to {}", cli::counted(step.queues, "queue"));
      if (static_cast<Kind>(step.kind_number) == Kind::kPublish) return "nobody subscribes to it";
      return fmt::format("sent to {}{}", who_in_words(step.to),
                         step.again ? " once more, over its new connection" : "");
    case TapEvent::kHeld:
      return "held: " + held_text(step);
    case TapEvent::kDelivered:
      if (step.outcome == Outcome::kUnconfirmed) {
        return fmt::format("{} has it, as far as anybody knows: it does not acknowledge",
                           who_in_words(step.to));
      }
      return fmt::format("taken by the program of {}", who_in_words(step.to));
    case TapEvent::kFailed:
      return "failed: " + cli::outcome_text(step.outcome, who_in_words(step.to));
    case TapEvent::kAssigned:
      return fmt::format("given to worker {}{}", who_in_words(step.to),
                         step.attempt > 1 ? fmt::format(", attempt {}", step.attempt) : "");
    case TapEvent::kAnswered:
      if (step.reply_id != 0)
        return fmt::format("answered by {} #{}", who_in_words(step.to), step.reply_id);
      return "ended without an answer: " + cli::outcome_text(step.outcome, who_in_words(step.to));
    case TapEvent::kSession:
      return session_step(step);
    case TapEvent::kAsked:
      return fmt::format("the broker was asked: {}", op_name(*step.op));
    default:
      return std::string(event_name(step.event));
  }
}

Ink ink_of_step(const TailLine& step) {
  switch (step.event) {
    case TapEvent::kHeld:
      return Ink::kYellow;
    case TapEvent::kFailed:
      return Ink::kRed;
    case TapEvent::kDelivered:
      return Ink::kGreen;
    case TapEvent::kSession:
      return Ink::kCyan;
    default:
      return Ink::kPlain;
  }
}

void put_story(std::string& out, const Story& story, const Palette& palette,
               const std::string& indent) {
  const std::string kind(kind_name(static_cast<Kind>(story.kind_number)));
  out += fmt::format("{}{} {} → {} #{} {}\n", indent, palette.paint(Ink::kBold, kind),
                     who_in_words(story.from), who_in_words(story.to), story.id,
                     cli::size_text(story.bytes));
  std::uint64_t before = 0;
  for (const TailLine& step : story.steps) {
    const std::string span =
        before == 0 ? "" : "+" + span_text(step.time_ns - std::min(step.time_ns, before));
    before = step.time_ns;
    out += fmt::format("{}  {} {} {}\n", indent,
                       palette.paint(Ink::kDim, cli::local_time_us(step.time_ns)),
                       cli::padded(span, kStepSpanColumns),
                       palette.paint(ink_of_step(step), step_text(step, story)));
  }
  for (const Story& reply : story.replies) put_story(out, reply, palette, indent + "    ");
}

}  // namespace

std::string story_text(const Story& story, const Verdict& verdict, const Palette& palette) {
  std::string out;
  put_story(out, story, palette, "");
  out += "\n" + verdict.text + "\n";
  return out;
}

}  // namespace zpost::inspect
