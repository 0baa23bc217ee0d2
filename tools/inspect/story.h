// The life of one envelope, put together from tap records. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/tail_line.h"
#include "zpost/peer/peer.h"

namespace zpost::inspect {

/// Where an envelope is, or what became of it.
enum class Fate : std::uint8_t {
  kUnknown,     // The recorder has not seen how it went on.
  kHeld,        // The broker has it.
  kUnderWay,    // It was sent to the recipient's connection.
  kWithWorker,  // A call was given to a worker.
  kInHand,      // A request or call was taken, and not answered yet.
  kSpread,      // A publish is in its subscribers' queues.
  kDelivered,
  kUnconfirmed,
  kAnswered,
  kFailed,
};

/// "held", "under-way", …
[[nodiscard]] std::string_view fate_name(Fate fate);

struct Story {
  std::string from;
  std::string to;
  std::string worker;  // Of a call: who had it last.
  std::uint8_t kind_number = 0;
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;
  std::vector<TailLine> steps;  // What happened to it, oldest first.
  std::vector<Story> replies = {};

  [[nodiscard]] bool is_question() const;

  /// The one who is to take it: a worker, or the recipient.
  [[nodiscard]] const std::string& taker() const { return worker.empty() ? to : worker; }
};

/// The story of each sender's envelope with this id that the records tell of: ids are unique only
/// to their sender.
[[nodiscard]] std::vector<Story> stories(const std::vector<TapEntry>& records, std::uint64_t id);

/// Adds what happened to the session of whoever is to take it, while it was not settled.
void add_sessions(Story& story, const std::vector<TapEntry>& records);

/// The ids of the replies it got, and who sent them.
struct ReplyRef {
  std::string from;
  std::uint64_t id = 0;
};

[[nodiscard]] std::vector<ReplyRef> replies_of(const Story& story);

/// The request that `reply` answered, if the records tell of it: records of its recipient from the
/// moment in which the broker received it.
[[nodiscard]] std::optional<std::uint64_t> question_of(const Story& reply,
                                                       const std::vector<TapEntry>& records);

struct Verdict {
  Fate fate = Fate::kUnknown;
  std::string responsible;  // On whom it depends, or who is the cause; empty: nobody, or unknown.
  std::string text;         // Sentences for people.
};

/// What there is to say of it at `now_ns`. `taker`: what the broker knows of the story's taker now,
/// if it is there.
[[nodiscard]] Verdict judge(const Story& story, std::uint64_t now_ns,
                            const std::optional<peer::Peer::PeerInfo>& taker);

/// `12 µs`, `3.4 ms`, `2.41 s`, `3 min 5 s`.
[[nodiscard]] std::string span_text(std::uint64_t ns);

}  // namespace zpost::inspect
