// Where an envelope is or what became of it, in sentences.
#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/envelope_columns.h"
#include "tools/inspect/story.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using PeerInfo = peer::Peer::PeerInfo;

const TailLine* last_of(const Story& story, TapEvent event) {
  const auto found = std::find_if(story.steps.rbegin(), story.steps.rend(),
                                  [event](const TailLine& step) { return step.event == event; });
  return found == story.steps.rend() ? nullptr : &*found;
}

/// The latest step that is about the envelope itself.
const TailLine* latest(const Story& story) {
  const auto last_that = [&story](auto is_it) -> const TailLine* {
    const auto found = std::find_if(story.steps.rbegin(), story.steps.rend(), is_it);
    return found == story.steps.rend() ? nullptr : &*found;
  };
  const TailLine* const last =
      last_that([](const TailLine& step) { return step.event != TapEvent::kSession; });
  if (last == nullptr || last->event != TapEvent::kDelivered) return last;
  // Who replies before it acknowledges has answered all the same.
  const TailLine* const reply =
      last_that([](const TailLine& step) { return step.event == TapEvent::kAnswered; });
  return reply != nullptr ? reply : last;
}

/// How long it waited at the broker in all, and why longest.
struct Wait {
  std::uint64_t ns = 0;
  HeldWhy why = HeldWhy::kWindowFull;
};

Wait waited(const Story& story) {
  Wait wait;
  std::uint64_t longest = 0;
  const TailLine* held = nullptr;
  for (const TailLine& step : story.steps) {
    if (step.event == TapEvent::kSession) continue;
    if (held != nullptr) {
      const std::uint64_t here = step.time_ns - std::min(step.time_ns, held->time_ns);
      wait.ns += here;
      if (here >= longest) wait.why = *held->held;
      longest = std::max(longest, here);
    }
    held = step.event == TapEvent::kHeld ? &step : nullptr;
  }
  return wait;
}

std::string held_reason(HeldWhy why, const Story& story) {
  const std::string taker = who_in_words(story.taker());
  switch (why) {
    case HeldWhy::kWindowFull:
      return fmt::format("{} has not taken what it was sent before (its window is full)", taker);
    case HeldWhy::kAway:
      return fmt::format("{} is away: its connection is lost, or it has fallen silent", taker);
    case HeldWhy::kNotThereYet:
      return fmt::format("{} is not back since the broker's start", taker);
    case HeldWhy::kPipeFull:
      return fmt::format(
          "the connection of {} takes no more: its program, or the network, does "
          "not read",
          taker);
    case HeldWhy::kNoDemand:
      return fmt::format("{} asks for no more now", taker);
    case HeldWhy::kNoFreeWorker:
      return fmt::format("every worker of {} has as many calls as it takes at once, or is away",
                         who_in_words(story.to));
    case HeldWhy::kWorkerGone:
      return fmt::format("the worker that had it is gone, and no other of {} is free",
                         who_in_words(story.to));
  }
  return "";
}

/// What the broker says of the taker at this moment.
std::string taker_now(const Story& story, const std::optional<PeerInfo>& taker,
                      std::uint64_t now_ns) {
  const std::string name = who_in_words(story.taker());
  if (!taker) return fmt::format("{} is not there now.", name);
  std::string text = fmt::format("{} is {} now", name, cli::visible_line(taker->state));
  if (taker->last_seen_ns != 0) {
    text +=
        fmt::format(", heard of {} ago", span_text(now_ns - std::min(now_ns, taker->last_seen_ns)));
  }
  text += taker->queued == 0
              ? "; nothing waits for it at the broker"
              : fmt::format("; {} for it at the broker",
                            taker->queued == 1 ? "1 envelope waits"
                                               : cli::counted(taker->queued, "envelope") + " wait");
  if (taker->unacked == 0) return text + ", and it has taken all it was sent.";
  return text + fmt::format("; of what it was sent it has not taken {}.",
                            cli::counted(taker->unacked, "envelope"));
}

/// Whose doing a failure is.
std::string culprit(Outcome outcome, const Story& story) {
  switch (outcome) {
    case Outcome::kNoPeer:
    case Outcome::kFull:
    case Outcome::kLost:
    case Outcome::kExpired:
    case Outcome::kRejected:
    case Outcome::kNoReply:
    case Outcome::kUnresponsive:
    case Outcome::kNoWorker:
    case Outcome::kNoSubscriber:
      return story.taker();
    case Outcome::kUnsupported:
    case Outcome::kDraining:
      return "";
    default:
      return story.from;
  }
}

std::string since_text(const Story& story, const TailLine& step) {
  return span_text(step.time_ns - std::min(step.time_ns, story.steps.front().time_ns));
}

/// What made it slow, if anything did.
std::string wait_text(const Story& story, std::uint64_t whole_ns) {
  const Wait wait = waited(story);
  if (wait.ns == 0 || wait.ns * 2 < whole_ns) return "";
  return fmt::format(" Of that it waited {} at the broker: {}.", span_text(wait.ns),
                     held_reason(wait.why, story));
}

Verdict failed(const Story& story, const TailLine& step) {
  return {Fate::kFailed, culprit(step.outcome, story),
          fmt::format("It failed after {}: {}.", since_text(story, step),
                      cli::outcome_text(step.outcome, who_in_words(story.taker())))};
}

Verdict taken(const Story& story, const TailLine& step, std::uint64_t now_ns,
              const std::optional<PeerInfo>& taker) {
  const std::uint64_t whole = step.time_ns - std::min(step.time_ns, story.steps.front().time_ns);
  const std::string slow = wait_text(story, whole);
  if (step.outcome == Outcome::kUnconfirmed) {
    return {Fate::kUnconfirmed, story.taker(),
            fmt::format("It was sent to {} after {}, which does not acknowledge: whether its "
                        "program has it nobody knows.{}",
                        who_in_words(story.taker()), span_text(whole), slow)};
  }
  if (!story.is_question()) {
    return {Fate::kDelivered, "",
            fmt::format("{} took it {} after the broker received it.{}",
                        who_in_words(story.taker()), span_text(whole), slow)};
  }
  return {
      Fate::kInHand, story.taker(),
      fmt::format("{} took it {} after the broker received it, and has not answered for {}.{} {}",
                  who_in_words(story.taker()), span_text(whole),
                  span_text(now_ns - std::min(now_ns, step.time_ns)), slow,
                  taker_now(story, taker, now_ns))};
}

Verdict answered(const Story& story, const TailLine& step) {
  if (step.outcome != Outcome::kNone) return failed(story, step);
  const TailLine* const delivered = last_of(story, TapEvent::kDelivered);
  const std::uint64_t whole = step.time_ns - std::min(step.time_ns, story.steps.front().time_ns);
  std::string text = fmt::format("{} answered it {} after the broker received it.",
                                 who_in_words(step.to), span_text(whole));
  if (delivered != nullptr && delivered->time_ns < step.time_ns) {
    const std::uint64_t inside = step.time_ns - delivered->time_ns;
    if (inside * 2 >= whole) {
      text += fmt::format(" For {} of that {} had it.", span_text(inside), who_in_words(step.to));
    }
  }
  return {Fate::kAnswered, "", text + wait_text(story, whole)};
}

Verdict spread(const Story& story, const TailLine& step) {
  if (step.queues == 0) return {Fate::kSpread, "", "Nobody subscribed to its topic."};
  return {Fate::kSpread, "",
          fmt::format("{} of subscribers took it {} after the broker received it. What each does "
                      "with its copy is not recorded one by one; what slow ones did not get is "
                      "(zpost-inspect tail --events dropped).",
                      cli::counted(step.queues, "queue"), since_text(story, step))};
}

}  // namespace

Verdict judge(const Story& story, std::uint64_t now_ns, const std::optional<PeerInfo>& taker) {
  const TailLine* const step = latest(story);
  if (step == nullptr) return {};
  const std::string for_long = span_text(now_ns - std::min(now_ns, step->time_ns));
  switch (step->event) {
    case TapEvent::kFailed:
      return failed(story, *step);
    case TapEvent::kAnswered:
      return answered(story, *step);
    case TapEvent::kDelivered:
      return taken(story, *step, now_ns, taker);
    case TapEvent::kHeld: {
      const bool by_service =
          *step->held == HeldWhy::kNoFreeWorker || *step->held == HeldWhy::kWorkerGone;
      std::string text = fmt::format("It has waited at the broker for {}: {}.", for_long,
                                     held_reason(*step->held, story));
      if (!by_service) text += " " + taker_now(story, taker, now_ns);
      return {Fate::kHeld, by_service ? story.to : story.taker(), std::move(text)};
    }
    case TapEvent::kAssigned:
      return {Fate::kWithWorker, story.taker(),
              fmt::format("It was given to {} {} ago, whose program has not taken it yet. {}",
                          who_in_words(story.taker()), for_long, taker_now(story, taker, now_ns))};
    case TapEvent::kForwarded:
      if (static_cast<Kind>(story.kind_number) == Kind::kPublish) return spread(story, *step);
      return {Fate::kUnderWay, story.taker(),
              fmt::format("It was sent to {} {} ago, whose program has not taken it yet. {}",
                          who_in_words(story.taker()), for_long, taker_now(story, taker, now_ns))};
    case TapEvent::kAsked:
      return {Fate::kAnswered, "", "It was a question to the broker itself."};
    default:
      return {Fate::kUnknown, "",
              fmt::format("The broker received it {} ago; the recorder does not tell how it went "
                          "on.",
                          for_long)};
  }
}

std::string span_text(std::uint64_t ns) {
  constexpr std::uint64_t kMicro = 1'000;
  constexpr std::uint64_t kMilli = 1'000'000;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::uint64_t kMinute = 60 * kSecond;
  const auto number = static_cast<double>(ns);
  if (ns < kMilli) return fmt::format("{} µs", ns / kMicro);
  if (ns < kSecond) return fmt::format("{:.3g} ms", number / 1e6);
  if (ns < kMinute) return fmt::format("{:.2f} s", number / 1e9);
  if (ns < 60 * kMinute) {
    return fmt::format("{} min {} s", ns / kMinute, ns % kMinute / kSecond);
  }
  return fmt::format("{} h {} min", ns / (60 * kMinute), ns / kMinute % 60);
}

}  // namespace zpost::inspect
