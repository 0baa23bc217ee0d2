// The options that every verb has.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace zpost::cli {

enum class Format { kText, kJson };

struct CommonOptions {
  std::string endpoint;  // As given, by ZPOST_ENDPOINT, or the default.
  std::string name;      // As given or by ZPOST_NAME; empty: a fresh one.
  std::string display;
  Format format = Format::kText;
};

/// --endpoint and --as.
void add_connection_options(CLI::App& verb, CommonOptions& options);
/// --format.
void add_format_option(CLI::App& verb, CommonOptions& options);
/// --display, for verbs that stay.
void add_display_option(CLI::App& verb, CommonOptions& options);

/// An option that takes a duration with a unit.
CLI::Option* add_duration_option(CLI::App& verb, const std::string& name,
                                 std::chrono::milliseconds& value, const std::string& what);
/// An option that takes a size with a unit.
CLI::Option* add_size_option(CLI::App& verb, const std::string& name, std::uint64_t& value,
                             const std::string& what);
/// An option that takes a whole number of at least 1.
CLI::Option* add_count_option(CLI::App& verb, const std::string& name, std::uint64_t& value,
                              const std::string& what);
/// An option that takes one of `words`; `choose` is told which by its place among them.
CLI::Option* add_choice_option(CLI::App& verb, const std::string& name,
                               const std::vector<std::string>& words,
                               const std::function<void(std::size_t)>& choose,
                               const std::string& what);
/// --content-type.
void add_content_type_option(CLI::App& verb, std::string& type, const std::string& what);
/// --trace; the default is that of the environment, if it is one.
void add_trace_option(CLI::App& verb, std::string& trace);
/// The positional TO: a name. Required.
void add_recipient(CLI::App& verb, std::string& to, const std::string& what);

}  // namespace zpost::cli
