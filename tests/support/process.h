// A program under test as a child process.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/wait_until.h"

namespace zpost::test {

/// Killed at the end if it still runs. Its output is gathered as it comes.
class Process {
 public:
  /// `program` is looked for in $ZPOST_BIN.
  Process(const std::string& program, std::vector<std::string> arguments) {
    const char* const directory = std::getenv("ZPOST_BIN");
    const std::string path = std::string(directory == nullptr ? "." : directory) + "/" + program;
    int out[2];
    int err[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) std::abort();
    arguments.insert(arguments.begin(), path);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      ::execv(path.c_str(), argv.data());
      ::_exit(127);
    }
    ::close(out[1]);
    ::close(err[1]);
    out_fd_ = out[0];
    err_fd_ = err[0];
    ::fcntl(out_fd_, F_SETFL, O_NONBLOCK);
    ::fcntl(err_fd_, F_SETFL, O_NONBLOCK);
  }

  ~Process() {
    if (!exit_code_ && !exited()) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_fd_);
    ::close(err_fd_);
  }

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(pid_, number); }

  [[nodiscard]] pid_t pid() const { return pid_; }

  [[nodiscard]] const std::string& out() {
    gather();
    return out_;
  }

  [[nodiscard]] const std::string& err() {
    gather();
    return err_;
  }

  [[nodiscard]] bool exited() {
    gather();
    if (exit_code_) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    gather();
    return true;
  }

  /// Waits for its end. -1: it does not end.
  [[nodiscard]] int exit_code() {
    return wait_until([this] { return exited(); }) ? *exit_code_ : -1;
  }

 private:
  void gather() {
    char buffer[4096];
    ssize_t count = 0;
    while ((count = ::read(out_fd_, buffer, sizeof buffer)) > 0) {
      out_.append(buffer, static_cast<std::size_t>(count));
    }
    while ((count = ::read(err_fd_, buffer, sizeof buffer)) > 0) {
      err_.append(buffer, static_cast<std::size_t>(count));
    }
  }

  pid_t pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::string out_;
  std::string err_;
  std::optional<int> exit_code_;
};

}  // namespace zpost::test
