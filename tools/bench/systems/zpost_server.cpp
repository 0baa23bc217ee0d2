#include "tools/bench/systems/zpost_server.h"

#include <fmt/core.h>

namespace zpost::bench {

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
