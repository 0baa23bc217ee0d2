// Command line options that several verbs share.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/stream.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {

enum class Format { kText, kJson };

/// How long senders send: --messages or --seconds.
struct QuotaOptions {
  std::uint64_t messages = 0;  // 0: as many as fit into `seconds`.
  double seconds = 2;

  [[nodiscard]] Quota quota() const;
};

void add_format_option(CLI::App& verb, Format& format);
void add_size_option(CLI::App& verb, std::size_t& payload_bytes);
void add_quota_options(CLI::App& verb, QuotaOptions& options);
void add_timeout_option(CLI::App& verb, std::chrono::seconds& timeout);

/// --memory, the server's limit.
void add_memory_limit_option(CLI::App& verb, std::uint64_t& bytes);

/// --system; by default the first that is available.
void add_system_option(CLI::App& verb, const Systems& systems, std::string& name);

/// The system called `name`, or the first of that family ("zpost" is "zpost-spans"). Throws
/// CLI::ValidationError if there is none or it is not available here.
const System& find_system(const Systems& systems, const std::string& name);

/// Throws CLI::ValidationError, naming those that can, if `system` cannot be measured by `verb`.
void require_measure(const Systems& systems, const System& system, Measure measure,
                     std::string_view verb);

/// A number of seconds as an option's value: "2", "0.5".
std::optional<std::chrono::milliseconds> milliseconds_of(const std::optional<double>& seconds);

/// The first system that can be measured here.
std::string default_system(const Systems& systems);

/// All systems with their descriptions, for the end of a help page.
std::string describe_systems(const Systems& systems);

}  // namespace zpost::bench
