#include "peer/cli/shared/output.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace zpost::cli {
namespace {

constexpr std::size_t kFull = 64 << 10;

/// The errno of a failure, or 0.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// What show_last_line() shows. Messages may come from the client library's thread.
std::mutex last_line_mutex;
bool has_last_line = false;

void write_message(std::string_view text) {
  const std::scoped_lock lock(last_line_mutex);
  std::string all = has_last_line ? "\r\x1b[K" : "";
  all += text;
  has_last_line = false;
  if (!all.empty()) (void)write_all(STDERR_FILENO, all);
}

}  // namespace

void Output::put(std::string_view text) {
  if (!open_) return;
  waiting_ += text;
  if (waiting_.size() >= kFull) flush();
}

bool Output::flush() {
  if (!open_) return false;
  if (!waiting_.empty()) show_last_line("");
  const int error = write_all(STDOUT_FILENO, waiting_);
  waiting_.clear();
  if (error == 0) return true;
  open_ = false;
  if (error == EPIPE) return false;
  failed_ = true;
  complain(fmt::format("cannot write to standard output: {}", std::strerror(error)));
  return false;
}

void complain(std::string_view text) {
  write_message(fmt::format("{}: {}\n", program_invocation_short_name, text));
}

void note(std::string_view text) {
  write_message(std::string(text) + '\n');
}

void show_last_line(std::string_view text) {
  if (text.empty()) return write_message("");
  const std::scoped_lock lock(last_line_mutex);
  has_last_line = true;
  (void)write_all(STDERR_FILENO, fmt::format("\r{}\x1b[K", text));
}

std::size_t terminal_columns() {
  const char* const terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return 0;
  if (::isatty(STDERR_FILENO) != 1) return 0;
  winsize size = {};
  constexpr std::size_t kUsual = 80;
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsual;
  return size.ws_col;
}

void ignore_broken_pipes() {
  (void)std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace zpost::cli
