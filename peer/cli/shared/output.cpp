#include "peer/cli/shared/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

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

}  // namespace

void Output::put(std::string_view text) {
  if (!open_) return;
  waiting_ += text;
  if (waiting_.size() >= kFull) flush();
}

bool Output::flush() {
  if (!open_) return false;
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
  (void)write_all(STDERR_FILENO, fmt::format("{}: {}\n", program_invocation_short_name, text));
}

void note(std::string_view text) {
  (void)write_all(STDERR_FILENO, std::string(text) + '\n');
}

void ignore_broken_pipes() {
  (void)std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace zpost::cli
