#include "tools/bench/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

namespace zpost::bench {

Progress::Progress() : visible_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  clear();
}

void Progress::show(const std::string& line) const {
  if (visible_) fmt::print(stderr, "\r\033[K{}", line);
}

void Progress::clear() const {
  if (visible_) fmt::print(stderr, "\r\033[K");
}

}  // namespace zpost::bench
