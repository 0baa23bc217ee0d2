#include "tools/inspect/span_option.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "peer/cli/shared/options.h"
#include "peer/cli/shared/units.h"

namespace zpost::inspect {

void add_span_option(CLI::App& verb, const std::string& name, std::chrono::milliseconds& value,
                     const std::string& what) {
  const auto is_nothing = [](const std::string& text) {
    const auto duration = cli::parse_duration(text);
    return duration && duration->count() == 0 ? fmt::format("\"{}\" is no time at all", text) : "";
  };
  cli::add_duration_option(verb, name, value, what)->check(is_nothing);
}

}  // namespace zpost::inspect
