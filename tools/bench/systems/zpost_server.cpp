#include "tools/bench/systems/zpost_server.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

namespace zpost::bench {

using namespace std::chrono_literals;

std::vector<std::string> arguments_for(const Limits& limits) {
  const auto heartbeat = std::min<std::chrono::milliseconds>(limits.silence / 2, 15s);
  return {"--memory",    fmt::format("{}B", limits.memory_bytes),
          "--silence",   fmt::format("{}ms", limits.silence.count()),
          "--resume",    fmt::format("{}ms", limits.resume.count()),
          "--heartbeat", fmt::format("{}ms", heartbeat.count())};
}

Server launch_zpost_broker(const std::vector<std::string>& extra) {
  return launch_program("zpost-broker",
                        [&](std::uint16_t port, const std::filesystem::path& directory) {
                          std::vector<std::string> arguments = {
                              "--listen",    fmt::format("tcp://127.0.0.1:{}", port),
                              "--state",     (directory / "state").string(),
                              "--log-level", "warning",
                          };
                          arguments.insert(arguments.end(), extra.begin(), extra.end());
                          return arguments;
                        });
}

}  // namespace zpost::bench
