// What the Tab key makes of a line that is being typed. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace zpost::cli {

/// What can be completed.
struct KnownWords {
  std::vector<std::string> commands = {};  // `/join`
  std::vector<std::string> joined = {};    // Rooms one is in: `dev`
  std::vector<std::string> rooms = {};     // All known ones.
  std::vector<std::string> people = {};
};

struct Completion {
  std::string inserted = {};              // At the cursor; empty: nothing can be said for sure.
  std::vector<std::string> choices = {};  // What the word may become, sorted, if more than one.
};

/// `before`: the line up to the cursor. A word that only one known word begins with is completed,
/// with a blank; of several, what they have in common.
[[nodiscard]] Completion complete(std::string_view before, const KnownWords& known);

/// `words` in columns on rows of at most `columns`, each with a line feed; beyond 200 they are
/// counted.
[[nodiscard]] std::string in_columns(const std::vector<std::string>& words, std::size_t columns);

}  // namespace zpost::cli
