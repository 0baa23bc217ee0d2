// The server of one run: a program, or a function of ours in a process of its own, on a free
// loopback port.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/process.h"

namespace zpost::bench {

/// A new folder under the system's temporary folder, removed with all it holds by the destructor.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A running server that accepts connections. Destroying it kills the process and then removes
/// its folder.
class Server {
 public:
  Server(TemporaryDirectory directory, ChildProcess process, std::uint16_t port)
      : directory_(std::move(directory)), process_(std::move(process)), port_(port) {}

  [[nodiscard]] pid_t pid() const { return process_.pid(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] bool running() { return process_.running(); }

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  ChildProcess process_;
  std::uint16_t port_;
};

/// Gives a program's arguments (without its own name). May write files into `directory`.
using MakeArguments = std::function<std::vector<std::string>(
    std::uint16_t port, const std::filesystem::path& directory)>;

/// Starts `name` (see find_program) and waits until its port accepts a connection. Its output goes
/// to `server.log` in its folder. Throws RunFailure, with the last line it printed, when it does
/// not get there in 10 s; Interrupted.
Server launch_program(const std::string& name, const MakeArguments& make_arguments);

/// Tells the parent the port that a server function listens on.
using ReportPort = std::function<void(std::uint16_t port)>;

/// Runs `body` in a process of its own and waits until it reports its port. Throws as above.
Server launch_function(const std::function<void(const ReportPort&)>& body);

/// Writes `text` to a new file.
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace zpost::bench
