// Follows a path through a body while it is parsed, so that nothing is built.
#pragma once

#include <cstddef>
#include <string_view>

#include "protocol/filter/body_value.h"

namespace zpost::filter {

/// Told what a parser meets, in order. Every function returns whether to go on: false once the
/// answer is known, and beyond kMaxBodyDepth.
class PathSeeker {
 public:
  /// Both must outlive it.
  PathSeeker(const BodyPath& path, BodyVisitor& visitor) : path_(path), visitor_(visitor) {}

  [[nodiscard]] bool begin_map() { return begin(false); }

  [[nodiscard]] bool begin_array() { return begin(true); }

  [[nodiscard]] bool key(std::string_view name);
  [[nodiscard]] bool scalar(const BodyValue& value);
  [[nodiscard]] bool end();

  /// A key that is no text, of which there is only MessagePack's: names nothing.
  void nameless_key() { selected_ = selected_ && depth_ != level_; }

  [[nodiscard]] bool found() const { return found_; }

  /// Whether the body is known not to have it, or not to be looked into.
  [[nodiscard]] bool absent() const { return absent_; }

 private:
  [[nodiscard]] bool begin(bool is_array);
  [[nodiscard]] bool tell(const BodyValue& value);
  [[nodiscard]] bool give_up();
  [[nodiscard]] bool here() const;

  const BodyPath& path_;
  BodyVisitor& visitor_;
  std::size_t depth_ = 0;      // Of arrays and maps around the next value.
  std::size_t level_ = 0;      // Of them on the path: steps taken.
  bool in_array_ = false;      // The innermost one on the path.
  bool selected_ = true;       // Whether the latest key of it is the path's.
  std::uint64_t element_ = 0;  // The next one of it.
  bool found_ = false;
  bool absent_ = false;
};

}  // namespace zpost::filter
