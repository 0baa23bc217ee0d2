// What a capture holds, in figures. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/inspect/tap_reader.h"

namespace zpost::inspect {

/// Envelopes and their bytes.
struct Amount {
  std::uint64_t envelopes = 0;
  std::uint64_t bytes = 0;
};

/// Bounded: pairs beyond kMaxPairs are counted together.
class RecordStats {
 public:
  static constexpr std::size_t kMaxPairs = 10'000;

  struct Pair {
    Amount received;
    std::uint64_t delivered = 0;
    std::uint64_t failed = 0;
  };

  void add(const TapEntry& entry);

  /// What the files say of themselves.
  void set_comments(std::vector<std::string> comments) { comments_ = std::move(comments); }

  /// For people: several lines.
  [[nodiscard]] std::string text() const;
  /// For programs: one object with a line feed.
  [[nodiscard]] std::string json() const;

 private:
  using Key = std::pair<std::string, std::string>;

  Pair& pair_of(const TapEntry& entry);
  [[nodiscard]] double seconds() const;
  [[nodiscard]] double rate() const;
  [[nodiscard]] std::uint64_t mean_bytes() const;
  [[nodiscard]] std::string who_text() const;
  [[nodiscard]] std::string comments_text() const;

  std::uint64_t records_ = 0;
  std::uint64_t missed_ = 0;
  std::uint64_t first_ns_ = 0;
  std::uint64_t last_ns_ = 0;
  Amount received_;
  std::map<std::string, std::uint64_t> events_;  // Envelopes; of sessions, records.
  std::map<std::string, Amount> kinds_;          // Received.
  std::map<std::string, std::uint64_t> outcomes_;
  std::map<Key, Pair> pairs_;
  std::vector<std::string> comments_;
};

}  // namespace zpost::inspect
