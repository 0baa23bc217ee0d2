#include "tools/inspect/top_screen.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#define NCURSES_NOMACROS 1
#include <curses.h>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"

namespace zpost::inspect {
namespace {

using cli::Ink;

constexpr int kEscapeDelayMs = 50;  // How long a key's bytes may be apart.
constexpr wint_t kEscape = 27;
constexpr wint_t kDelete = 127;
constexpr wint_t kControlU = 'U' - '@';
constexpr wint_t kBackspace = 8;
constexpr wint_t kFirstPrintable = 32;

short pair_of(Ink ink) {
  switch (ink) {
    case Ink::kRed:
      return 1;
    case Ink::kGreen:
      return 2;
    case Ink::kYellow:
      return 3;
    case Ink::kCyan:
      return 4;
    default:
      return 0;
  }
}

attr_t attributes_of(const TopSpan& span) {
  attr_t attributes = A_NORMAL;
  if (span.marked) attributes |= A_REVERSE;
  if (span.ink == Ink::kBold) attributes |= A_BOLD;
  if (span.ink == Ink::kDim && !span.marked) attributes |= A_DIM;
  return attributes;
}

bool start_colours() {
  if (!cli::wants_colour(STDOUT_FILENO) || !::has_colors()) return false;
  if (::start_color() == ERR || ::use_default_colors() == ERR) return false;
  ::init_pair(1, COLOR_RED, -1);
  ::init_pair(2, COLOR_GREEN, -1);
  ::init_pair(3, COLOR_YELLOW, -1);
  ::init_pair(4, COLOR_CYAN, -1);
  return true;
}

std::optional<KeyPress> function_key(wint_t code) {
  switch (code) {
    case KEY_UP:
      return KeyPress{TopKey::kUp};
    case KEY_DOWN:
      return KeyPress{TopKey::kDown};
    case KEY_PPAGE:
      return KeyPress{TopKey::kPageUp};
    case KEY_NPAGE:
      return KeyPress{TopKey::kPageDown};
    case KEY_HOME:
      return KeyPress{TopKey::kHome};
    case KEY_END:
      return KeyPress{TopKey::kEnd};
    case KEY_ENTER:
      return KeyPress{TopKey::kEnter};
    case KEY_BACKSPACE:
      return KeyPress{TopKey::kErase};
    default:
      return std::nullopt;
  }
}

std::optional<KeyPress> plain_key(wint_t code) {
  if (code == '\n' || code == '\r') return KeyPress{TopKey::kEnter};
  if (code == kEscape) return KeyPress{TopKey::kEscape};
  if (code == kDelete || code == kBackspace) return KeyPress{TopKey::kErase};
  if (code == kControlU) return KeyPress{TopKey::kEraseAll};
  if (code < kFirstPrintable) return std::nullopt;
  KeyPress press{TopKey::kText};
  cli::append_utf8(press.text, static_cast<char32_t>(code));
  return press;
}

}  // namespace

bool TopScreen::is_possible() {
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) return true;
  cli::complain("top wants a terminal; top --once prints one picture without");
  return false;
}

std::unique_ptr<TopScreen> TopScreen::open() {
  if (::newterm(nullptr, stdout, stdin) == nullptr) {
    const char* const terminal = std::getenv("TERM");
    cli::complain("this terminal (TERM is \"" +
                  cli::visible_line(terminal == nullptr ? "" : terminal) +
                  "\") cannot show top; top --once prints one picture");
    return nullptr;
  }
  std::unique_ptr<TopScreen> screen(new TopScreen);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, true);
  ::nodelay(stdscr, true);
  ::set_escdelay(kEscapeDelayMs);
  ::curs_set(0);
  screen->coloured_ = start_colours();
  return screen;
}

TopScreen::~TopScreen() {
  ::endwin();
}

std::size_t TopScreen::columns() const {
  return static_cast<std::size_t>(COLS);
}

std::size_t TopScreen::lines() const {
  return static_cast<std::size_t>(LINES);
}

void TopScreen::show(const std::vector<TopLine>& lines) {
  ::werase(stdscr);
  for (int y = 0; y < LINES && static_cast<std::size_t>(y) < lines.size(); ++y) {
    ::wmove(stdscr, y, 0);
    for (const TopSpan& span : lines[static_cast<std::size_t>(y)]) {
      const short pair = coloured_ ? pair_of(span.ink) : short{0};
      ::wattr_set(stdscr, attributes_of(span), pair, nullptr);
      ::waddnstr(stdscr, span.text.c_str(), -1);
    }
  }
  ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
  ::wrefresh(stdscr);
}

std::optional<KeyPress> TopScreen::key() {
  wint_t code = 0;
  while (true) {
    const int kind = ::wget_wch(stdscr, &code);
    if (kind == ERR) return std::nullopt;
    const std::optional<KeyPress> press =
        kind == KEY_CODE_YES ? function_key(code) : plain_key(code);
    if (press) return press;
  }
}

CaughtMessages::CaughtMessages() {
  std::array<int, 2> ends{};
  // Neither end waits: nobody reads while the one who would is writing.
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  error_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (error_ >= 0 && ::dup2(ends[1], STDERR_FILENO) >= 0) {
    reading_ = ends[0];
  } else {
    ::close(ends[0]);
  }
  ::close(ends[1]);
}

CaughtMessages::~CaughtMessages() {
  if (reading_ >= 0) {
    read();
    (void)::dup2(error_, STDERR_FILENO);
    ::close(reading_);
    if (!waiting_.empty()) {
      [[maybe_unused]] const ssize_t written =
          ::write(STDERR_FILENO, waiting_.data(), waiting_.size());
    }
  }
  if (error_ >= 0) ::close(error_);
}

void CaughtMessages::read() {
  constexpr std::size_t kMostWaiting = 64 << 10;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(reading_, buffer.data(), buffer.size());
    if (count <= 0) return;
    waiting_.append(buffer.data(), static_cast<std::size_t>(count));
    if (waiting_.size() > kMostWaiting) waiting_.erase(0, waiting_.size() - kMostWaiting);
  }
}

std::string CaughtMessages::take() {
  if (reading_ < 0) return "";
  read();
  const std::size_t end = waiting_.rfind('\n');
  if (end == std::string::npos) return "";
  const std::size_t before = end == 0 ? std::string::npos : waiting_.rfind('\n', end - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  std::string line = waiting_.substr(begin, end - begin);
  waiting_.erase(0, end + 1);
  return line;
}

}  // namespace zpost::inspect
