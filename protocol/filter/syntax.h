// The grammar of filters: text to a tree of tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/filter/filter_error.h"
#include "zpost/protocol/result.h"

namespace zpost::filter {

enum class Compare : std::uint8_t {
  kThere,  // Nothing to compare with: whether there is a value.
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kContains,
};

/// "=", "!=", …
[[nodiscard]] std::string_view compare_sign(Compare compare);

/// A part of the text, and where it stands there.
struct Token {
  std::string text;  // Of a quoted one what stands between the quotes; escapes are resolved but
                     // for those that patterns know.
  std::size_t at = 0;
  bool quoted = false;
};

struct Step {
  Token token;
  bool element = false;  // `[3]`; else a key.
};

struct TestSyntax {
  Token field;
  std::vector<Step> path;
  Compare compare = Compare::kThere;
  std::vector<Token> values;  // More than one: any of them.
};

struct Tree {
  enum class Type : std::uint8_t { kTest, kNot, kAnd, kOr };
  Type type = Type::kTest;
  TestSyntax test = {};
  std::vector<Tree> parts = {};
};

/// Error: what was expected, and where. Bounded by kMaxFilterBytes and kMaxFilterNesting.
[[nodiscard]] Result<Tree, FilterError> parse(std::string_view text);

}  // namespace zpost::filter
