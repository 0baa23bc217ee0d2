#include "tools/bench/systems/systems.h"

#include <fmt/core.h>

namespace zpost::bench {
namespace {

// Set by CMake to 0 or 1.
constexpr bool kHasNats = ZPOST_BENCH_HAS_NATS;
constexpr bool kHasRedis = ZPOST_BENCH_HAS_REDIS;
constexpr bool kHasMosquitto = ZPOST_BENCH_HAS_MOSQUITTO;

}  // namespace

std::vector<std::unique_ptr<System>> all_systems() {
  std::vector<std::unique_ptr<System>> systems;
  const auto add = [&](std::unique_ptr<System> system) { systems.push_back(std::move(system)); };

  add(make_zpost_spans());
  add(make_zpost_singles());
  add(make_zpost_simple());

  // A discarded branch needs no definition of what it calls, so absent sources still link.
  if constexpr (kHasNats) {
    add(make_nats());
  } else {
    add(make_not_built_in("nats", "libnats"));
  }
  if constexpr (kHasRedis) {
    add(make_redis());
  } else {
    add(make_not_built_in("redis", "hiredis"));
  }
  if constexpr (kHasMosquitto) {
    add(make_mosquitto());
  } else {
    add(make_not_built_in("mosquitto", "libmosquitto"));
  }
  add(make_bare_router(1'000));
  add(make_bare_router(100'000));
  add(make_tcp_relay());
  return systems;
}

std::optional<std::string> missing_program(const std::string& name) {
  if (!find_program(name).empty()) return std::nullopt;
  return fmt::format("{} is not installed", name);
}

}  // namespace zpost::bench
