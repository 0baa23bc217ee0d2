// Requests and calls with what answered them. Pure.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/inspect/kept_line.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

enum class ExchangeEnd : std::uint8_t {
  kReplied,
  kFailed,     // With an outcome: its deadline passed, nobody is there, and so on.
  kOpen,       // Nothing had come when the watch ended.
  kForgotten,  // Too many are open to follow it further.
};

/// What happened to a request on its way: it was held, given to a worker, taken.
struct ExchangeNote {
  TapEvent event = TapEvent::kForwarded;
  std::string to = {};
  std::optional<HeldWhy> held = {};
  std::uint64_t attempt = 0;

  bool operator==(const ExchangeNote&) const = default;
};

/// A request or call.
struct Exchange {
  ExchangeEnd end = ExchangeEnd::kOpen;
  std::string asker = {};
  std::string to = {};      // As asked: a peer, or a service with its @.
  std::string holder = {};  // Who had it last, as far as that is known.
  std::uint8_t kind_number = 0;
  std::uint64_t id = 0;
  std::uint64_t count = 1;    // Of neighbours that failed together, none of them seen before.
  std::uint64_t time_ns = 0;  // When it was received; if that was not seen, when it ended.
  std::optional<KeptLine> request = {};  // None: it was not seen.
  Outcome outcome = Outcome::kNone;      // kFailed only.
  std::uint64_t reply_id = 0;            // Of the last one.
  std::optional<KeptLine> reply = {};    // The last one that was seen.
  std::uint64_t replies = 0;             // Of those seen.
  std::uint64_t reply_bytes = 0;
  std::optional<std::uint64_t> first_reply_ns = {};  // After it was received.
  std::optional<std::uint64_t> round_trip_ns = {};   // Until its end.
  std::vector<ExchangeNote> notes = {};  // Each once; the latest are left out if they are many.
  bool wanted = false;                   // One of its lines was.
};

/// Thread: one.
class ExchangePairs {
 public:
  /// Of open ones. Beyond that the oldest is told as it is, and forgotten.
  static constexpr std::size_t kMaxOpen = 4096;
  static constexpr std::size_t kMaxBytes = 16 << 20;  // Of their envelopes as kept.
  static constexpr std::size_t kMaxNotes = 16;        // Of each.

  /// Appends to `done` what came to its end by `line`. To be given each line in its order.
  void add(const TailLine& line, bool wanted, std::vector<Exchange>& done);

  /// For now nothing more comes: what is known to be answered is done without its reply.
  void settle(std::vector<Exchange>& done);

  /// The watch is over: so are all.
  void finish(std::vector<Exchange>& done);

  [[nodiscard]] std::size_t open() const { return open_.size(); }

 private:
  using List = std::list<Exchange>;  // The oldest first.
  using Key = std::pair<std::string, std::uint64_t>;

  // How many may wait for the record of their reply, which follows that of their end at once.
  static constexpr std::size_t kMaxWaiting = 64;

  void open(const TailLine& line, bool wanted, std::vector<Exchange>& done);
  void add_reply(const TailLine& line, bool wanted, std::vector<Exchange>& done);
  void add_unshown_reply(const TailLine& line, bool wanted, std::vector<Exchange>& done);
  void answer(const TailLine& line, bool wanted, std::vector<Exchange>& done);
  void fail(const TailLine& line, bool wanted, std::vector<Exchange>& done);
  void note(const TailLine& line, bool wanted);
  void keep_reply(Exchange& exchange, const TailLine& line, bool wanted);
  void end(List::iterator exchange, ExchangeEnd how, std::vector<Exchange>& done);
  [[nodiscard]] static Exchange unseen(const TailLine& line, bool wanted);

  List open_;
  std::map<Key, List::iterator> by_id_;
  std::vector<Key> waiting_;  // Answered, the reply itself not seen yet.
  std::size_t bytes_ = 0;
};

}  // namespace zpost::inspect
