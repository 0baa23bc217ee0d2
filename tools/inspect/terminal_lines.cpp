#include "tools/inspect/terminal_lines.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "peer/cli/shared/text.h"

namespace zpost::inspect {

std::size_t output_columns(std::size_t otherwise) {
  winsize size = {};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : otherwise;
}

std::vector<std::string> wrapped(const std::string& text, std::size_t columns) {
  std::vector<std::string> lines;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    while (cli::columns_of(line) > columns) {
      std::string_view tail = line;
      std::size_t used = 0;
      std::size_t fits = 0;
      std::size_t space = 0;
      while (!tail.empty()) {
        const cli::Character next = cli::next_character(tail);
        used += cli::columns_of(next.bytes);
        if (used > columns) break;
        fits += next.bytes.size();
        if (next.bytes == " ") space = fits;
      }
      const std::size_t cut = space > 0 ? space : std::max<std::size_t>(fits, 1);
      lines.emplace_back(line.substr(0, cut));
      line.remove_prefix(cut);
    }
    lines.emplace_back(line);
  }
  return lines;
}

std::string folded(std::string_view text, std::size_t columns, std::size_t indent) {
  constexpr std::size_t kLeast = 20;  // Below it nothing can be read anyway.
  if (columns == 0 || cli::columns_of(text) <= columns) return std::string(text);
  // The first line could be longer: not worth a rule of its own.
  const std::size_t room = std::max(columns, indent + kLeast) - indent;
  std::string all;
  for (std::string& line : wrapped(std::string(text), room)) {
    while (line.ends_with(' ')) line.pop_back();
    if (!all.empty()) all += '\n' + std::string(indent, ' ');
    all += line;
  }
  return all;
}

}  // namespace zpost::inspect
