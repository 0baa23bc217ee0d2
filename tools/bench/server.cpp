#include "tools/bench/server.h"

#include <fmt/core.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <utility>

#include "tools/bench/failure.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/loopback.h"
#include "tools/bench/shared_memory.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 10s;
constexpr auto kServerPoll = 2ms;
constexpr int kStartAttempts = 3;  // Someone else may take the free port before the server does.

std::string last_line(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

// Waits until the process has taken up service; false if it ended or took too long.
template <typename Condition>
bool comes_up(ChildProcess& process, Condition condition) {
  const bool decided = wait_until(Clock::now() + kStartLimit, kServerPoll,
                                  [&] { return !process.running() || condition(); });
  return decided && process.running();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "zpost-bench-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), pattern);
  }
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

Server launch_program(const std::string& name, const MakeArguments& make_arguments) {
  const std::filesystem::path program = find_program(name);
  if (program.empty()) throw RunFailure(fmt::format("{} is not installed", name));

  std::string said;
  for (int attempt = 0; attempt < kStartAttempts; ++attempt) {
    TemporaryDirectory directory;
    const std::uint16_t port = free_port();
    const std::filesystem::path log = directory.path() / "server.log";
    std::vector<std::string> arguments = make_arguments(port, directory.path());
    arguments.insert(arguments.begin(), program);
    ChildProcess process = ChildProcess::execute(arguments, log);
    if (comes_up(process, [&] { return accepts_connections(port); })) {
      return {std::move(directory), std::move(process), port};
    }
    said = last_line(log);
  }
  throw RunFailure(fmt::format("{} does not start: {}", name, said.empty() ? "silent" : said));
}

Server launch_function(const std::function<void(const ReportPort&)>& body) {
  SharedArray<std::atomic<std::uint16_t>> port(1);
  TemporaryDirectory directory;
  ChildProcess process = ChildProcess::run([&] {
    body([&](std::uint16_t reported) { port[0].store(reported, std::memory_order_release); });
  });
  if (!comes_up(process, [&] { return port[0].load(std::memory_order_acquire) != 0; })) {
    throw RunFailure("the server process did not start");
  }
  return {std::move(directory), std::move(process), port[0].load()};
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw RunFailure(fmt::format("cannot write {}", path.string()));
}

}  // namespace zpost::bench
