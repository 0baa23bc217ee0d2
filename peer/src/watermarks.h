// The highest id the program was given from each sender: nothing comes twice.
//
// Pure. Bounded: beyond the limit the sender heard least recently is forgotten. SPEC.md, section 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

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
    if (id <= order_.front().highest) return false;
    order_.front().highest = id;
    return true;
  }

  /// Makes `id` of `sender` pass again: it did not reach the program.
  void take_back(std::string_view sender, std::uint64_t id);

  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  struct Mark {
    std::string sender;
    std::uint64_t highest = 0;
  };

  void bring_to_front(std::string_view sender);

  std::size_t limit_;
  std::list<Mark> order_;  // Latest heard first.
  std::unordered_map<std::string_view, std::list<Mark>::iterator> marks_;
};

}  // namespace zpost::peer
