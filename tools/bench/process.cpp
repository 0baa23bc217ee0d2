#include "tools/bench/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <system_error>
#include <utility>

#include "tools/bench/interrupt.h"
#include "tools/bench/kernel_stats.h"

namespace zpost::bench {
namespace {

void redirect(int descriptor, const char* path, int flags) {
  const int file = open(path, flags | O_CLOEXEC, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) _exit(126);
  close(file);
}

int decode_exit(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

pid_t ChildProcess::fork_bound_to_parent() {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid > 0) return pid;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // The parent died before prctl took effect.
  restore_interrupts();
  redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
  redirect(STDOUT_FILENO, "/dev/null", O_WRONLY);
  return 0;
}

ChildProcess ChildProcess::run(const std::function<void()>& body) {
  const pid_t pid = fork_bound_to_parent();
  if (pid > 0) return ChildProcess(pid);
  // _exit: the parent's buffered output and static objects are not ours to flush or destroy.
  try {
    body();
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

ChildProcess ChildProcess::execute(const std::vector<std::string>& arguments,
                                   const std::filesystem::path& log) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));  // execv does not write to them.
  }
  pointers.push_back(nullptr);

  const pid_t pid = fork_bound_to_parent();
  if (pid > 0) return ChildProcess(pid);
  redirect(STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND);
  redirect(STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND);
  execv(pointers.front(), pointers.data());
  _exit(127);
}

ChildProcess::~ChildProcess() {
  kill();
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      exit_code_(std::exchange(other.exit_code_, std::nullopt)),
      final_cpu_time_(other.final_cpu_time_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(exit_code_, other.exit_code_);
  std::swap(final_cpu_time_, other.final_cpu_time_);
  return *this;
}

bool ChildProcess::running() {
  reap(WNOHANG);
  return pid_ > 0 && !exit_code_;
}

void ChildProcess::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void ChildProcess::kill() {
  if (pid_ <= 0 || exit_code_) return;
  ::kill(pid_, SIGKILL);
  reap(0);
}

void ChildProcess::reap(int wait_options) {
  if (pid_ <= 0 || exit_code_) return;
  int status = 0;
  rusage usage = {};
  pid_t ended = -1;
  do {
    ended = wait4(pid_, &status, wait_options, &usage);
  } while (ended < 0 && errno == EINTR);
  if (ended != pid_) return;
  exit_code_ = decode_exit(status);
  final_cpu_time_ = cpu_time(usage);
}

bool a_child_has_ended() {
  siginfo_t ended = {};
  return waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0;
}

void allow_many_files() {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

std::filesystem::path find_program(const std::string& name) {
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const char* search_path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread.
  std::stringstream folders(self.parent_path().string() + ":" + (search_path ? search_path : "") +
                            ":/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto candidate = std::filesystem::path(folder) / name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

}  // namespace zpost::bench
