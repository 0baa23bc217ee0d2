// zpost-broker: the whole program.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "broker/admin/server.h"
#include "broker/app/broker.h"
#include "broker/app/flags.h"
#include "broker/app/process.h"
#include "broker/net/clock.h"

namespace zpost::app {
namespace {

int fail(std::string_view text, int code = kExitFailure) {
  fmt::print(stderr, "zpost-broker: {}\n", text);
  return code;
}

// Not for the broker to decide: whoever goes on without the floor may see an id twice.
constexpr const char* kBadStateHint =
    "; name another file with --state, make this one readable, or move it away if the ids of "
    "earlier "
    "runs do not matter: they then start from the clock";

/// Null, and a warning, if there is no place for the file.
std::unique_ptr<IdFloorKeeper> make_id_floor(const Config& config, Log& log) {
  const auto warn = [&log](const std::string& text) {
    log.write(LogLevel::kWarning,
              fmt::format("id_floor {}; going on: a restarted broker may give an id again", text));
  };
  std::string path = config.state;
  if (path.empty()) {
    const auto found = default_state_path(config.listen.front(), std::getenv("XDG_STATE_HOME"),
                                          std::getenv("HOME"));
    if (!found) {
      warn(found.error().text);
      return nullptr;
    }
    path = *found;
  }
  return std::make_unique<IdFloorKeeper>(IdFloorFile(path), warn);
}

/// At every endpoint. Returns them with their ports.
Result<std::vector<std::string>> listen(net::Gateway& gateway,
                                        const std::vector<std::string>& endpoints) {
  std::vector<std::string> all;
  for (const std::string& text : endpoints) {
    const auto resolved = gateway.listen(*net::parse_endpoint(text));  // check_config() read it.
    if (!resolved) return resolved.error();
    all.push_back(*resolved);
  }
  return all;
}

/// One line each on standard output: programs wait for them.
void say_that_all_is_up(const std::vector<std::string>& endpoints) {
  for (const std::string& endpoint : endpoints) fmt::print("listening on {}\n", endpoint);
  std::fflush(stdout);
}

/// Null if it is to serve nowhere. A taken default address is no reason not to start: another
/// broker of this machine has it.
Result<std::unique_ptr<admin::Server>> start_admin(const Config& config, const admin::Pages& pages,
                                                   Log& log) {
  if (config.admin_listen.empty()) return std::unique_ptr<admin::Server>();
  const bool any = config.admin_listen == kAdminAuto;
  const auto address = admin::parse_address(any ? kAdminAddress : config.admin_listen);
  auto server = admin::Server::start(*address, pages);  // check_config() read it.
  if (server) {
    log.write(LogLevel::kInfo, fmt::format("admin url={}/metrics", (*server)->address().url()));
    return server;
  }
  if (!any) return Error{Outcome::kNone, "admin.listen: " + server.error().text};
  log.write(LogLevel::kWarning,
            fmt::format("admin {}; going on without metrics and health: name another address with "
                        "--admin, or none with --admin \"\"",
                        server.error().text));
  return std::unique_ptr<admin::Server>();
}

int run(const Config& config) {
  keep_free_memory(config.limits.memory);
  Signals signals;
  const auto log =
      Log::open({log_level(config.log_level), config.log_format == "json", config.log_file});
  if (!log) return fail(log.error().text);

  raise_file_limit();
  const std::unique_ptr<IdFloorKeeper> id_floor = make_id_floor(config, **log);
  std::uint64_t floor = 0;
  if (id_floor != nullptr) {
    const auto known = id_floor->start(net::read_clocks().wall_ns);
    if (!known) return fail(known.error().text + kBadStateHint, kExitUsage);
    floor = *known;
  }

  net::SocketSettings socket;
  socket.io_threads = static_cast<int>(config.io_threads);
  const std::string run = random_hex();
  core::Router router(config.limits, {config.name, run, floor});
  net::Gateway gateway(socket, config.limits, signals.fd());
  tap::TapSettings tap_settings;
  tap_settings.recorder_bytes = config.recorder_memory;
  tap_settings.wake = [&gateway] { gateway.wake(); };
  tap::Tap tap(router, std::move(tap_settings));
  admin::Snapshots snapshots([&gateway] { gateway.wake(); });
  Broker broker({router, gateway, tap, signals, id_floor.get(), **log, &snapshots},
                config.drain_time_ns);

  if (const auto good = gateway.check(); !good) return fail(good.error().text);
  const auto endpoints = listen(gateway, config.listen);
  if (!endpoints) return fail(endpoints.error().text);
  const admin::Pages pages({ZPOST_VERSION, config.name, run, *endpoints}, snapshots);
  const auto server = start_admin(config, pages, **log);
  if (!server) return fail(server.error().text);
  say_that_all_is_up(*endpoints);
  (*log)->write(LogLevel::kInfo, fmt::format("started version={} name={} memory={}", ZPOST_VERSION,
                                             config.name, config.limits.memory));
  broker.run();
  snapshots.close();  // Before the server: it may wait for one.
  return 0;
}

int main_of(int argc, const char* const* argv) {
  const auto wanted = read_flags(argc, argv);
  if (const auto* const leave = std::get_if<Leave>(&wanted)) {
    std::fputs(leave->text.c_str(), leave->code == 0 ? stdout : stderr);
    return leave->code;
  }
  return run(std::get<Run>(wanted).config);
}

}  // namespace
}  // namespace zpost::app

int main(int argc, char** argv) {
  try {
    return zpost::app::main_of(argc, argv);
  } catch (const std::exception& error) {
    return zpost::app::fail(error.what());
  }
}
