#include "tools/bench/options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "tools/bench/payload.h"

namespace zpost::bench {

Quota QuotaOptions::quota() const {
  if (messages > 0) return {.messages = messages};
  return {.duration = std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::duration<double>(seconds))};
}

void add_format_option(CLI::App& verb, Format& format) {
  const std::map<std::string, Format> words{{"text", Format::kText}, {"json", Format::kJson}};
  verb.add_option("--format", format, "text, or json with one object a line")
      ->transform(CLI::Transformer(words, CLI::ignore_case))
      ->option_text("text|json");
}

void add_size_option(CLI::App& verb, std::size_t& payload_bytes) {
  verb.add_option("--size", payload_bytes, "Payload size, such as 64, 1KiB or 64KiB")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(kMinPayloadBytes, kMaxPayloadBytes))
      ->option_text("BYTES");
}

void add_quota_options(CLI::App& verb, QuotaOptions& options) {
  auto* const messages = verb.add_option("--messages", options.messages, "Messages of each sender")
                             ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 36))
                             ->option_text("N");
  verb.add_option("--seconds", options.seconds, "How long each sender sends (default 2)")
      ->check(CLI::Range(0.05, 3600.0))
      ->option_text("S")
      ->excludes(messages);
}

void add_timeout_option(CLI::App& verb, std::chrono::seconds& timeout) {
  verb.add_option_function<std::uint32_t>(
          "--timeout",
          [&timeout](std::uint32_t seconds) { timeout = std::chrono::seconds(seconds); },
          fmt::format("Give a run up after this many seconds (default {})", timeout.count()))
      ->check(CLI::Range(1, 86'400))
      ->option_text("S");
}

void add_memory_limit_option(CLI::App& verb, std::uint64_t& bytes) {
  constexpr std::uint64_t kLeast = std::uint64_t{16} << 20;
  constexpr std::uint64_t kMost = std::uint64_t{64} << 30;
  verb.add_option("--memory", bytes, "Limit of the server, such as 64MiB (default 256MiB)")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(kLeast, kMost))
      ->option_text("BYTES");
}

void add_system_option(CLI::App& verb, const Systems& systems, std::string& name) {
  name = default_system(systems);
  verb.add_option("--system", name, fmt::format("What to measure (default {})", name))
      ->option_text("NAME");
}

const System& find_system(const Systems& systems, const std::string& name) {
  auto found =
      std::ranges::find_if(systems, [&](const auto& system) { return system->name() == name; });
  if (found == systems.end()) {
    found = std::ranges::find_if(
        systems, [&](const auto& system) { return system->name().starts_with(name + "-"); });
  }
  if (found == systems.end()) {
    throw CLI::ValidationError(fmt::format("no system is called '{}'; see --help", name));
  }
  if (const auto reason = (*found)->unavailable()) {
    throw CLI::ValidationError(fmt::format("{}: {}", name, *reason));
  }
  return **found;
}

void require_measure(const Systems& systems, const System& system, Measure measure,
                     std::string_view verb) {
  if (system.measures(measure)) return;
  std::string able;
  for (const auto& other : systems) {
    if (other->measures(measure)) able += fmt::format(" {}", other->name());
  }
  throw CLI::ValidationError(
      fmt::format("{} does not support {}; these do:{}", system.name(), verb, able));
}

std::optional<std::chrono::milliseconds> milliseconds_of(const std::optional<double>& seconds) {
  if (!seconds) return std::nullopt;
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(*seconds));
}

std::string default_system(const Systems& systems) {
  const auto found =
      std::ranges::find_if(systems, [](const auto& system) { return !system->unavailable(); });
  return found == systems.end() ? "" : std::string((*found)->name());
}

std::string describe_systems(const Systems& systems) {
  std::string text = "Systems:\n";
  for (const auto& system : systems) {
    text += fmt::format("  {:<20} {}", system->name(), system->description());
    if (const auto reason = system->unavailable(); reason && *reason != system->description()) {
      text += fmt::format(" ({})", *reason);
    }
    text += '\n';
  }
  return text;
}

}  // namespace zpost::bench
