#include "tools/inspect/terminal_lines.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "peer/cli/shared/text.h"

namespace zpost::inspect {
namespace {

/// How many bytes of a line that is wider than `columns` fit: to behind its last space there, or as
/// many as can be; at least one.
std::size_t place_to_break(std::string_view line, std::size_t columns) {
  std::size_t used = 0;
  std::size_t fits = 0;
  std::size_t space = 0;
  while (!line.empty()) {
    const cli::Character next = cli::next_character(line);
    used += cli::columns_of(next.bytes);
    if (used > columns) break;
    fits += next.bytes.size();
    if (next.bytes == " ") space = fits;
  }
  return space > 0 ? space : std::max<std::size_t>(fits, 1);
}

}  // namespace

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
      const std::size_t cut = place_to_break(line, columns);
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
