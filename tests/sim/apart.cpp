#include "tests/sim/apart.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <system_error>

namespace zpost::sim {

namespace {

constexpr std::size_t kMostSaid = 32 << 10;  // Less than a pipe holds: nobody reads meanwhile.

class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }

  ~Pipe() {
    close_end(0);
    close_end(1);
  }

  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int in() const { return ends_[1]; }

  void write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t size = ::write(ends_[1], text.data(), text.size());
      if (size <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  /// All until nobody can write any more.
  [[nodiscard]] std::string read() {
    close_end(1);
    std::string all;
    std::array<char, 4096> part{};
    for (;;) {
      const ssize_t size = ::read(ends_[0], part.data(), part.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return all;
      all.append(part.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  void close_end(std::size_t end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }

  std::array<int, 2> ends_{-1, -1};
};

[[noreturn]] void be_apart(const std::function<std::string()>& act, Leave leave, const Pipe& said,
                           const Pipe& errors) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(errors.in(), STDERR_FILENO);
  // The first character says that it returned, whatever it returned.
  const std::string text = "." + act().substr(0, kMostSaid);
  std::cout.flush();
  said.write(text);
  if (leave == Leave::kAtOnce) ::_exit(0);
  std::exit(0);
}

int code_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Ending run_apart(const std::function<std::string()>& act, Leave leave) {
  Pipe said;
  Pipe errors;
  std::cout.flush();  // Else both would write it.
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) be_apart(act, leave, said, errors);
  Ending ending;
  ending.errors = errors.read();
  const std::string text = said.read();
  ending.code = code_of(child);
  ending.whole = !text.empty();
  if (ending.whole) ending.said = text.substr(1);
  return ending;
}

}  // namespace zpost::sim
