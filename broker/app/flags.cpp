#include "broker/app/flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

namespace zpost::app {

namespace {

constexpr const char* kDescription =
    "A message broker for ZeroMQ that tells what became of every envelope.";

constexpr const char* kFooter = R"(
Examples:
  zpost-broker
  zpost-broker --listen tcp://127.0.0.1:4321 --listen ipc:///run/user/1000/zpost
  zpost-broker --config zpost-broker.toml --log-level debug
  zpost-broker --config zpost-broker.toml --check-config

Sizes look like 64KiB or 1GiB, times like 500ms or 30s. Flags win over the file.
Exit codes: 0 stopped by a signal, 1 failure, 2 usage or configuration.)";

Leave usage(std::string_view text) {
  return {kExitUsage, fmt::format("zpost-broker: {}\n", text)};
}

/// What was given, by setting.
struct Given {
  const Setting* setting = nullptr;
  std::vector<std::string> values;
  bool on = false;
};

Result<Config> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // Inserting nothing would count as a failure: an empty file is no error.
  const bool empty = file && file.peek() == std::ifstream::traits_type::eof() && !file.bad();
  if (!empty && (!file || !(text << file.rdbuf()))) {
    return Error{Outcome::kNone, fmt::format("{}: {}", path, std::strerror(errno))};
  }
  return parse_config(text.str(), path);
}

void add_flags(CLI::App& app, std::vector<Given>& given) {
  given.reserve(settings().size());  // CLI11 keeps references.
  const Config defaults;
  for (const Setting& setting : settings()) {
    if (setting.flag.empty()) continue;
    Given& one = given.emplace_back();
    one.setting = &setting;
    const std::string flag = fmt::format("--{}", setting.flag);
    if (std::holds_alternative<Setting::Switch>(setting.field)) {
      app.add_flag(flag, one.on, std::string(setting.what));
      continue;
    }
    const std::string help =
        fmt::format("{} (default {})", setting.what, value_as_toml(setting, defaults));
    CLI::Option* const option = app.add_option(flag, one.values, help);
    option->type_size(1)->allow_extra_args(false);
    if (!std::holds_alternative<Setting::Texts>(setting.field)) option->expected(1);
    option->type_name("");
  }
}

Result<void> apply(const Given& given, Config& config) {
  const Setting& setting = *given.setting;
  if (given.on) return set_from_text(setting, "true", config);
  if (given.values.empty()) return {};
  if (const auto* const texts = std::get_if<Setting::Texts>(&setting.field)) {
    (*texts)(config) = given.values;
    return {};
  }
  return set_from_text(setting, given.values.back(), config);
}

std::variant<Run, Leave> finish(const std::string& file, const std::vector<Given>& given,
                                bool check_only) {
  Config config;
  if (!file.empty()) {
    auto read = read_file(file);
    if (!read) return usage(read.error().text);
    config = std::move(*read);
  }
  for (const Given& one : given) {
    if (const auto result = apply(one, config); !result) {
      return usage(fmt::format("--{} {}", one.setting->flag, result.error().text));
    }
  }
  if (const auto good = check_config(config); !good) return usage(good.error().text);
  if (check_only) return Leave{0, fmt::format("ok\n\n{}", format_config(config))};
  return Run{std::move(config)};
}

}  // namespace

std::variant<Run, Leave> read_flags(int argc, const char* const* argv) {
  CLI::App app(kDescription, "zpost-broker");
  std::string file;
  bool check_only = false;
  std::vector<Given> given;
  app.footer(kFooter);
  app.set_version_flag("--version", "zpost-broker " ZPOST_VERSION);
  app.add_option("--config", file, "file to read first (docs/zpost-broker.toml shows all of it)")
      ->type_name("");
  app.add_flag("--check-config", check_only,
               "print \"ok\" and the effective configuration, or what is wrong, and leave");
  add_flags(app, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Leave{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return Leave{0, "zpost-broker " ZPOST_VERSION "\n"};
  } catch (const CLI::ParseError& error) {
    return usage(fmt::format("{} (see --help)", error.what()));
  }
  return finish(file, given, check_only);
}

}  // namespace zpost::app
