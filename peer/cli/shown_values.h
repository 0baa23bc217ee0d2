// Which of the values kept of topics were shown. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "zpost/protocol/msgpack_reader.h"

namespace zpost::cli {

/// A value comes once for each pattern that matches its topic, and again with each new session; a
/// person wants to see it once.
class ShownValues {
 public:
  static constexpr std::size_t kMost = 65'536;  // Topics; beyond it all are forgotten.

  /// Takes the envelope of a value. False: this very publish is the latest that was shown of its
  /// topic.
  [[nodiscard]] bool is_new(std::string_view topic, Bytes envelope);

 private:
  std::unordered_map<std::string, std::size_t> shown_;  // The hash of the latest, by topic.
};

}  // namespace zpost::cli
