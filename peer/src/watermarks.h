// The highest id the program was given from each sender, and which below it: nothing comes twice.
//
// Pure. Bounded: beyond the limit the sender heard least recently is forgotten. SPEC.md, section 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace zpost::peer {

class Watermarks {
 public:
  explicit Watermarks(std::size_t limit = 65'536) : limit_(limit) {}

  /// True, and remembered, if `id` is above all that passed from `sender` before.
  [[nodiscard]] bool pass(std::string_view sender, std::uint64_t id) {
    if (order_.empty() || order_.front().sender != sender) bring_to_front(sender);
    return pass_latest(id);
  }

  /// The same for the sender that pass() was last asked about.
  [[nodiscard]] bool pass_latest(std::uint64_t id) {
    Mark& mark = order_.front();
    if (id <= mark.highest) return false;
    mark.highest = id;
    Run& latest = mark.latest;
    if (id - latest.last == latest.stride) {
      latest.last = id;
    } else {
      begin_run(mark, id);
    }
    return true;
  }

  /// Whether `id` passed for sure. What lies too far back is not known any more.
  [[nodiscard]] bool passed(std::string_view sender, std::uint64_t id) const;

  /// Makes `id` of `sender` pass again: it did not reach the program.
  void take_back(std::string_view sender, std::uint64_t id);

  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  static constexpr std::size_t kMostRuns = 1024;          // Of a sender,
  static constexpr std::size_t kMostRunsInAll = 262'144;  // beside the latest of each.

  /// Ids at even distances.
  struct Run {
    std::uint64_t first = 0;  // 0: there is none.
    std::uint64_t last = 0;
    std::uint64_t stride = 0;  // 0: one id so far.

    [[nodiscard]] bool contains(std::uint64_t id) const {
      if (id < first || id > last) return false;
      return stride == 0 || (id - first) % stride == 0;
    }
  };

  struct Mark {
    std::string sender;
    std::uint64_t highest = 0;
    Run latest = {};
    std::vector<Run> earlier = {};  // The oldest first.
  };

  void begin_run(Mark& mark, std::uint64_t id);
  void forget_runs(Mark& mark, std::size_t count);

  void bring_to_front(std::string_view sender);

  std::size_t limit_;
  std::size_t runs_ = 0;   // Earlier ones, of all.
  std::list<Mark> order_;  // Latest heard first.
  std::unordered_map<std::string_view, std::list<Mark>::iterator> marks_;
};

}  // namespace zpost::peer
