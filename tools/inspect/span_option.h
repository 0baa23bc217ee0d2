// Options that take a time which must not be nothing.
#pragma once

#include <chrono>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::inspect {

/// As cli::add_duration_option(), but 0 is refused: it would mean no bound at all. `value` must
/// outlive the parsing.
void add_span_option(CLI::App& verb, const std::string& name, std::chrono::milliseconds& value,
                     const std::string& what);

}  // namespace zpost::inspect
