// Child processes that cannot outlive the bench.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace zpost::bench {

/// A child process. The kernel kills it when the bench dies, however that happens.
///
/// Children must be started before the bench process owns threads or library state. Movable;
/// destroying it kills the process (SIGKILL) and waits for it.
class ChildProcess {
 public:
  /// Forks and runs `body` in the child, which exits with 0 when `body` returns and with 1 when it
  /// throws. Throws std::system_error if fork fails.
  static ChildProcess run(const std::function<void()>& body);

  /// Forks and executes `arguments` (the first is the program's path) with stdout and stderr
  /// appended to `log`. A program that cannot be executed ends with 127.
  static ChildProcess execute(const std::vector<std::string>& arguments,
                              const std::filesystem::path& log);

  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Valid for the whole life of the object, also after the process has ended.
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Whether the process still runs. Never blocks.
  [[nodiscard]] bool running();

  /// The exit code, 128 + N for death by signal N, nothing while it runs.
  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }

  /// Sends a signal. Does nothing if the process has ended.
  void signal(int number);

  /// Ends the process with SIGKILL and waits for it. Does nothing if it has ended.
  void kill();

  /// CPU time of an ended process; zero while it runs (see cpu_time() for that).
  [[nodiscard]] std::chrono::nanoseconds final_cpu_time() const { return final_cpu_time_; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  static pid_t fork_bound_to_parent();
  void reap(int wait_options);

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  std::chrono::nanoseconds final_cpu_time_{0};
};

/// Whether a child of this process has ended that nobody has noticed yet. One system call, however
/// many there are.
bool a_child_has_ended();

/// Raises the limit of open files as far as it goes, for this process and those it starts.
void allow_many_files();

/// The path of an executable beside the bench's own, in PATH or in the usual sbin folders; empty
/// if there is none.
std::filesystem::path find_program(const std::string& name);

}  // namespace zpost::bench
