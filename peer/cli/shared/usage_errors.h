// What is wrong with a command line, in words: the thing, its value, what is allowed.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace zpost::cli {

/// Why `app` could not take its command line. REQUIRES: `error` came from parsing it, and is no
/// call for help.
[[nodiscard]] std::string usage_text(const CLI::App& app, const CLI::ParseError& error);

/// Where the rest is told: `zpost-peer send --help says what send takes`.
[[nodiscard]] std::string help_hint(const CLI::App& app);

/// `there is no verb sned; did you mean send?`
[[nodiscard]] std::string unknown_verb_text(const CLI::App& app, const std::string& word);

}  // namespace zpost::cli
