#include "peer/cli/shared/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

constexpr std::size_t kKeptErrors = 4096;
constexpr std::size_t kLongestReason = 400;
constexpr std::chrono::seconds kGrace{1};

void close_pipe(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

/// A pipe whose end `ours` does not block.
bool open_pipe(std::array<int, 2>& ends, std::size_t ours) {
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  return ::fcntl(ends[ours], F_SETFL, O_NONBLOCK) == 0;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& each : strings) result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view key = std::string_view(*entry).substr(0, std::strcspn(*entry, "=") + 1);
    const bool replaced =
        std::ranges::any_of(more, [key](const std::string& each) { return each.starts_with(key); });
    if (!replaced) all.emplace_back(*entry);
  }
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// The child's signals are all as usual: what we or whoever started us ignores is not for it.
void set_attributes(posix_spawnattr_t& attributes) {
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

/// Starts it on `ends`, its three descriptors. An errno, or 0.
int spawn(CommandSpec& spec, const std::array<int, 3>& ends, pid_t& pid) {
  std::vector<std::string> environment = environment_with(spec.environment);
  const std::vector<char*> arguments = pointers(spec.arguments);
  const std::vector<char*> variables = pointers(environment);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  for (int i = 0; i < 3; ++i) {
    ::posix_spawn_file_actions_adddup2(&actions, ends[static_cast<std::size_t>(i)], i);
  }
  set_attributes(attributes);
  const int error =
      ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), variables.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

/// Reads what is there, up to 1 MiB: whoever writes without end must not keep us from looking at
/// the time. False: the other side is closed.
template <typename Sink>
bool read_available(int descriptor, Sink sink) {
  constexpr int kChunksAtOnce = 64;
  std::array<char, 16 << 10> chunk{};
  for (int i = 0; i < kChunksAtOnce; ++i) {
    const ssize_t count = ::read(descriptor, chunk.data(), chunk.size());
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    if (!sink(std::string_view(chunk.data(), static_cast<std::size_t>(count)))) return true;
  }
  return true;
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t feed = text.rfind('\n');
  if (feed != std::string_view::npos) text.remove_prefix(feed + 1);
  return shortened(visible_line(text), kLongestReason);
}

}  // namespace

std::string rejection_text(const std::string& program, const CommandEnd& end) {
  std::string text = as_utf8(program);
  switch (end.kind) {
    case CommandEnd::Kind::kExited:
      text += fmt::format(" exited with status {}", end.status);
      break;
    case CommandEnd::Kind::kSignalled:
      text += fmt::format(" was killed by signal {} ({})", end.status, ::strsignal(end.status));
      break;
    case CommandEnd::Kind::kTimedOut:
      text += " took too long";
      break;
    case CommandEnd::Kind::kTooMuchOutput:
      text += " wrote more than fits in a reply";
      break;
    case CommandEnd::Kind::kCancelled:
      text += " was stopped: whoever asked does not want it any more";
      break;
    case CommandEnd::Kind::kStopped:
      text += " was stopped: the server is shutting down";
      break;
    case CommandEnd::Kind::kUnknown:
      text += " ended, nobody knows how";
      break;
  }
  const std::string line = last_line(end.errors);
  return line.empty() ? text : text + ": " + line;
}

std::optional<std::string> find_program(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    if (::access(program.c_str(), X_OK) == 0) return program;
    return std::nullopt;
  }
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  while (!program.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string folder(rest.substr(0, colon));
    const std::string file = (folder.empty() ? "." : folder) + "/" + program;
    if (::access(file.c_str(), X_OK) == 0) return file;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return std::nullopt;
}

Result<Command> Command::start(CommandSpec spec) {
  Command command;
  command.spec_ = std::move(spec);
  std::array<std::array<int, 2>, 3> pipes{{{-1, -1}, {-1, -1}, {-1, -1}}};
  constexpr std::array<std::size_t, 3> kOurs{1, 0, 0};
  std::array<int, 3> theirs{-1, -1, -1};
  int error = 0;
  for (std::size_t i = 0; i < 3 && error == 0; ++i) {
    if (!open_pipe(pipes[i], kOurs[i])) error = errno;
    command.pipes_[i] = pipes[i][kOurs[i]];
    theirs[i] = pipes[i][1 - kOurs[i]];
  }
  if (error == 0) error = spawn(command.spec_, theirs, command.pid_);
  for (int& end : theirs) close_pipe(end);
  if (error == 0) return command;
  command.pid_ = -1;
  return Error{Outcome::kNone,
               fmt::format("{}: {}", command.spec_.arguments[0], std::strerror(error))};
}

Command::Command(Command&& other) noexcept
    : spec_(std::move(other.spec_)),
      pipes_(std::exchange(other.pipes_, {-1, -1, -1})),
      pid_(std::exchange(other.pid_, -1)),
      fed_(other.fed_),
      stopped_(other.stopped_),
      killed_(other.killed_),
      held_(other.held_),
      end_(std::move(other.end_)) {}

Command::~Command() {
  for (int& pipe : pipes_) close_pipe(pipe);
  if (pid_ < 0) return;
  ::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Command::add_descriptors(std::vector<pollfd>& descriptors) const {
  if (pipes_[0] >= 0) descriptors.push_back({pipes_[0], POLLOUT, 0});
  if (pipes_[1] >= 0 && !held_) descriptors.push_back({pipes_[1], POLLIN, 0});
  if (pipes_[2] >= 0) descriptors.push_back({pipes_[2], POLLIN, 0});
}

void Command::feed() {
  while (pipes_[0] >= 0) {
    const ssize_t written =
        ::write(pipes_[0], spec_.input.data() + fed_, spec_.input.size() - fed_);
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (written > 0) fed_ += static_cast<std::size_t>(written);
    // Whoever does not read its input may still answer.
    if (written < 0 || fed_ == spec_.input.size()) close_pipe(pipes_[0]);
  }
}

void Command::read_output() {
  if (pipes_[1] < 0) return;
  const bool open = read_available(pipes_[1], [this](std::string_view bytes) {
    end_.output += bytes;
    return end_.output.size() <= spec_.output_limit;
  });
  if (!open) close_pipe(pipes_[1]);
}

void Command::read_errors() {
  if (pipes_[2] < 0) return;
  const bool open = read_available(pipes_[2], [this](std::string_view bytes) {
    (void)!::write(STDERR_FILENO, bytes.data(), bytes.size());
    end_.errors += bytes;
    if (end_.errors.size() > kKeptErrors) end_.errors.erase(0, end_.errors.size() - kKeptErrors);
    return true;
  });
  if (!open) close_pipe(pipes_[2]);
}

void Command::drain() {
  read_output();
  read_errors();
}

std::optional<CommandEnd> Command::advance(SteadyTime now) {
  feed();
  if (!held_) read_output();
  read_errors();
  if (end_.output.size() > spec_.output_limit) stop(CommandEnd::Kind::kTooMuchOutput, now);
  if (now >= spec_.deadline) {
    if (stopped_ && !killed_) {
      killed_ = true;
      ::kill(-pid_, SIGKILL);
    }
    stop(CommandEnd::Kind::kTimedOut, now);
  }
  int status = 0;
  const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
  if (reaped == 0 || (reaped < 0 && errno == EINTR)) return std::nullopt;
  pid_ = -1;
  drain();  // What it wrote last.
  if (reaped < 0) {
    end_.kind = CommandEnd::Kind::kUnknown;
  } else if (WIFSIGNALED(status)) {
    end_.kind = CommandEnd::Kind::kSignalled;
    end_.status = WTERMSIG(status);
  } else {
    end_.status = WEXITSTATUS(status);
  }
  if (stopped_) end_.kind = *stopped_;
  if (end_.output.size() > spec_.output_limit) end_.kind = CommandEnd::Kind::kTooMuchOutput;
  return std::move(end_);
}

SteadyTime Command::wake_at() const {
  return killed_ ? SteadyTime::max() : spec_.deadline;
}

void Command::stop(CommandEnd::Kind why, SteadyTime now) {
  if (stopped_) return;
  stopped_ = why;
  ::kill(-pid_, SIGTERM);
  spec_.deadline = now + kGrace;  // Then it is killed.
  if (why != CommandEnd::Kind::kTooMuchOutput) return;
  close_pipe(pipes_[1]);
}

}  // namespace zpost::cli
