#include "tools/inspect/replay_keys.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "peer/cli/shared/stop_signals.h"

namespace zpost::inspect {
namespace {

using What = ReplayKey::What;

termios usual = {};  // Set while there is a keyboard, and before anybody may ask for it.

/// In a signal's handler. A program in the background would be stopped by this.
void restore_terminal() {
  if (::tcgetpgrp(STDIN_FILENO) == ::getpgrp()) ::tcsetattr(STDIN_FILENO, TCSANOW, &usual);
}

}  // namespace

std::optional<ReplayKey> ReplayKeyReader::take(char key) {
  if (command_ != '\0') {
    if (key >= '0' && key <= '9') {
      const std::uint64_t digit = static_cast<std::uint64_t>(key - '0');
      number_ = std::min(number_.value_or(0) * 10 + digit, kMostAtOnce);
      return std::nullopt;
    }
    if (key == ' ') return std::nullopt;
    if (key == '\n' || key == '\r') return finish();
    command_ = '\0';  // Another key: the number is not wanted any more.
    number_.reset();
  }
  switch (key) {
    case ' ':
    case '\n':
    case '\r':
      return ReplayKey{What::kStep};
    case 'b':
    case 's':
      command_ = key;
      return std::nullopt;
    case 'c':
      return ReplayKey{What::kGoOn};
    case 'p':
      return ReplayKey{What::kPause};
    case 'q':
      return ReplayKey{What::kQuit};
    default:
      return ReplayKey{What::kHelp};
  }
}

ReplayKey ReplayKeyReader::finish() {
  const bool is_burst = std::exchange(command_, '\0') == 'b';
  const std::uint64_t unsaid = is_burst ? kUsualBurst : 1;
  const std::uint64_t count = std::exchange(number_, std::nullopt).value_or(unsaid);
  return {is_burst ? What::kStep : What::kSkip, count};
}

std::string ReplayKeyReader::typed() const {
  if (command_ == '\0') return "";
  return fmt::format("{} {}", command_, number_ ? std::to_string(*number_) : "");
}

std::unique_ptr<ReplayKeyboard> ReplayKeyboard::open() {
  termios before = {};
  if (::tcgetattr(STDIN_FILENO, &before) != 0) return nullptr;
  termios now = before;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  // A program in the background would be stopped by this.
  if (::tcgetpgrp(STDIN_FILENO) != ::getpgrp()) return nullptr;
  usual = before;
  cli::StopSignals::before_exit(restore_terminal);
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &now) != 0) {
    cli::StopSignals::before_exit(nullptr);
    return nullptr;
  }
  return std::unique_ptr<ReplayKeyboard>(new ReplayKeyboard(before));
}

ReplayKeyboard::~ReplayKeyboard() {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  cli::StopSignals::before_exit(nullptr);
}

std::vector<ReplayKey> ReplayKeyboard::take() {
  std::vector<ReplayKey> keys;
  pollfd waiting{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, 0) != 1) return keys;
  std::array<char, 64> typed{};
  const ssize_t count = ::read(STDIN_FILENO, typed.data(), typed.size());
  if (count <= 0) keys.push_back({What::kQuit});  // The terminal is gone.
  for (ssize_t i = 0; i < count; ++i) {
    if (const auto key = reader_.take(typed[static_cast<std::size_t>(i)])) keys.push_back(*key);
  }
  return keys;
}

}  // namespace zpost::inspect
