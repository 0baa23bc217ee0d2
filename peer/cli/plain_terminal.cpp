#include "peer/cli/plain_terminal.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace zpost::cli {

std::optional<std::string> PlainTerminal::read_line(const Wait& wait) {
  for (;;) {
    const std::size_t feed = input_.find('\n');
    if (feed != std::string::npos || (ended_ && !input_.empty())) {
      std::string line = input_.substr(0, feed);
      input_.erase(0, feed == std::string::npos ? feed : feed + 1);
      return line;
    }
    if (ended_ || !wait()) return std::nullopt;
    std::array<char, 4096> chunk{};
    const ssize_t count = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (count > 0) input_.append(chunk.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) ended_ = true;
  }
}

bool PlainTerminal::print(std::string_view text) {
  output_.put(text);
  return output_.flush();
}

}  // namespace zpost::cli
