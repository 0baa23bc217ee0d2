// What a chaos_worker did and heard, in two files that survive a kill -9: chaos_ledgers.py reads
// them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/integration/ledger_file.h"
#include "tests/integration/worker_lines.h"
#include "zpost/peer/peer.h"

namespace zpost::test {

/// Something handed to the library. Written before the call, so that what a kill interrupts is
/// known, and completed after it.
struct Deed {
  std::uint64_t id = 0;      // 0: not known (yet).
  std::uint32_t number = 0;  // Of the body. A reply bears the number of what it answers.
  std::uint8_t kind = 0;     // As on the wire.
  std::uint8_t to = 0;       // Index of the recipient, topic or service.
  std::uint8_t ends = 0;     // How many final outcomes were told: 1 when all is well.
  std::uint8_t by = 0;       // Index of whoever replied.
  std::uint16_t outcome = 0;
  std::uint16_t refused = 0;  // The call was in vain: nothing was sent.
  std::uint16_t stay = 0;     // In which it was sent, and its outcome told: see Stays.
  std::uint16_t end_stay = 0;
  std::uint32_t time_ms = 0;  // When it was begun: see now_ms().
  std::uint32_t end_ms = 0;
};

/// Something the library handed to the program.
struct Arrival {
  std::uint64_t id = 0;      // Of a gap mark: how many are missing.
  std::uint32_t number = 0;  // kNoNumber: the body is none of ours.
  std::uint8_t kind = 0;
  std::uint8_t from = 0;
  std::uint8_t to = 0;     // Index of the topic or service.
  std::uint8_t again = 0;  // Which attempt, of a call.
  std::uint16_t stay = 0;
  std::uint16_t unused = 0;
  std::uint32_t time_ms = 0;
};

static_assert(sizeof(Deed) == 32 && sizeof(Arrival) == 24, "chaos_ledgers.py reads them");

/// By the clock that all processes of a machine share.
inline std::uint32_t now_ms() {
  using std::chrono::steady_clock;
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now().time_since_epoch())
          .count());
}

inline constexpr std::uint32_t kNoNumber = 0xffffffff;
inline constexpr std::uint8_t kNoIndex = 0xff;

/// Numbers the sessions of a peer, told as lines of output.
///
/// Thread: any.
class Stays {
 public:
  /// 0: another session began meanwhile, so that it is not known in which it was.
  static constexpr std::uint16_t kUnknown = 0;

  [[nodiscard]] std::uint16_t now(const peer::Peer& peer) {
    const Welcome welcome = peer.welcome();
    const std::lock_guard lock(mutex_);
    const auto [at, added] =
        known_.try_emplace({welcome.run, welcome.epoch}, static_cast<std::uint16_t>(next_));
    if (added) {
      print({{"event", "stay"},
             {"index", next_},
             {"run", welcome.run},
             {"epoch", welcome.epoch},
             {"ms", now_ms()}});
      ++next_;
    }
    return at->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::uint64_t>, std::uint16_t> known_;
  std::size_t next_ = 1;
};

/// Thread: any.
class DeedLedger {
 public:
  DeedLedger(const std::string& path, std::size_t capacity)
      : file_(path, capacity), capacity_(capacity) {}

  [[nodiscard]] bool has_room(std::size_t count) {
    const std::lock_guard lock(mutex_);
    return file_.count() + count <= capacity_;
  }

  /// Returns its place. REQUIRES: room for it.
  std::size_t intend(Deed deed) {
    const std::lock_guard lock(mutex_);
    deed.time_ms = now_ms();
    file_.add(deed);
    return file_.count() - 1;
  }

  void sent(std::size_t place, std::uint64_t id, std::uint16_t stay) {
    const std::lock_guard lock(mutex_);
    file_[place].id = id;
    file_[place].stay = stay;
    places_.emplace(id, place);
    const auto early = early_.find(id);
    if (early == early_.end()) return;
    for (const End& end : early->second) settle(file_[place], end);
    early_.erase(early);
  }

  void refused(std::size_t place) {
    const std::lock_guard lock(mutex_);
    file_[place].refused = 1;
  }

  /// What became of the envelope `id`, which send() may not have returned yet.
  void settled(std::uint64_t id, Outcome outcome, std::uint16_t stay) {
    const std::lock_guard lock(mutex_);
    const End end{static_cast<std::uint16_t>(outcome), stay, kNoIndex};
    if (const auto place = places_.find(id); place != places_.end()) {
      settle(file_[place->second], end);
    } else {
      early_[id].push_back(end);
    }
  }

  /// What became of a request; replied by `by`, if by anyone.
  void answered(std::size_t place, std::uint16_t outcome, std::uint16_t stay, std::uint8_t by) {
    const std::lock_guard lock(mutex_);
    settle(file_[place], {outcome, stay, by});
  }

  /// Outcomes of what was never sent.
  [[nodiscard]] std::size_t strays() {
    const std::lock_guard lock(mutex_);
    return early_.size();
  }

  [[nodiscard]] std::size_t open_requests() {
    const std::lock_guard lock(mutex_);
    std::size_t open = 0;
    for (const auto& [id, place] : places_) {
      const auto kind = static_cast<Kind>(file_[place].kind);
      if ((kind == Kind::kRequest || kind == Kind::kCall) && file_[place].ends == 0) ++open;
    }
    return open;
  }

 private:
  struct End {
    std::uint16_t outcome = 0;
    std::uint16_t stay = 0;
    std::uint8_t by = kNoIndex;
  };

  static void settle(Deed& deed, const End& end) {
    deed.outcome = end.outcome;
    deed.end_stay = end.stay;
    deed.by = end.by;
    deed.end_ms = now_ms();
    ++deed.ends;
  }

  std::mutex mutex_;
  LedgerFile<Deed> file_;
  std::size_t capacity_;
  std::unordered_map<std::uint64_t, std::size_t> places_;
  std::unordered_map<std::uint64_t, std::vector<End>> early_;
};

}  // namespace zpost::test
