#include "protocol/filter/path_seeker.h"

namespace zpost::filter {

/// Whether the next value is the one that the path goes through.
bool PathSeeker::here() const {
  if (depth_ != level_) return false;
  if (level_ == 0 || !in_array_) return selected_;
  const auto* const wanted = std::get_if<std::uint64_t>(&path_[level_ - 1]);
  return wanted != nullptr && *wanted == element_;
}

bool PathSeeker::tell(const BodyValue& value) {
  visitor_.visit(value);
  found_ = true;
  return false;
}

bool PathSeeker::give_up() {
  absent_ = true;
  return false;
}

bool PathSeeker::key(std::string_view name) {
  if (depth_ != level_ || in_array_) return true;
  const auto* const wanted = std::get_if<std::string>(&path_[level_ - 1]);
  selected_ = wanted != nullptr && *wanted == name;
  return true;
}

bool PathSeeker::scalar(const BodyValue& value) {
  if (here()) return level_ == path_.size() ? tell(value) : give_up();
  if (depth_ == level_) ++element_;
  return true;
}

bool PathSeeker::begin(bool is_array) {
  const bool on_path = here();
  if (on_path && level_ == path_.size()) return tell(Nested{});
  if (++depth_ > kMaxBodyDepth) return give_up();
  if (!on_path) return true;
  level_ = depth_;
  in_array_ = is_array;
  selected_ = false;
  element_ = 0;
  return true;
}

bool PathSeeker::end() {
  // What is on the path has been gone through without finding the next step.
  if (depth_ == level_) return give_up();
  --depth_;
  if (depth_ == level_) ++element_;
  return true;
}

}  // namespace zpost::filter
