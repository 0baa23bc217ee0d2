// Everything a broker can be told, and the table by which a file, flags and people name it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "broker/core/limits.h"
#include "zpost/protocol/result.h"

namespace zpost::app {

/// Metrics and health on kAdminAddress, or nowhere if that is taken.
inline constexpr std::string_view kAdminAuto = "auto";
inline constexpr std::string_view kAdminAddress = "127.0.0.1:12340";

/// Defaults, units and effects stand in the table of settings() and in docs/zpost-broker.toml.
struct Config {
  std::vector<std::string> listen{"tcp://127.0.0.1:1234"};
  bool insecure = false;
  std::string name = "zpost";
  std::string state;  // Empty: a file of its own in the user's state directory.
  std::uint64_t io_threads = 1;
  std::int64_t drain_time_ns = 5 * core::kSecond;
  std::string log_level = "info";
  std::string log_format = "text";
  std::string log_file;  // Empty: stderr.
  std::uint64_t recorder_memory = 64 << 20;
  std::string admin_listen{kAdminAuto};  // Empty: nowhere.
  core::Limits limits;                   // In core/limits.h.
};

/// One thing to set. Numbers are within [least, most]; texts are one of `choices` if there are any.
struct Setting {
  enum class Unit : std::uint8_t { kNone, kBytes };

  using Count = std::uint64_t& (*)(Config&);
  using Duration = std::int64_t& (*)(Config&);
  using Switch = bool& (*)(Config&);
  using Text = std::string& (*)(Config&);
  using Texts = std::vector<std::string>& (*)(Config&);

  std::string_view section;
  std::string_view key;
  std::string_view flag;  // Without dashes; empty: only in the file.
  std::string_view what;  // Its effect, for people.
  std::variant<Count, Duration, Switch, Text, Texts> field;
  Unit unit = Unit::kNone;  // Of a Count.
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::vector<std::string_view> choices = {};
  std::vector<std::pair<std::string_view, std::string_view>> aliases = {};  // And their choices.

  /// `section.key`.
  [[nodiscard]] std::string path() const;
};

/// All of them, in the order they are shown.
[[nodiscard]] std::span<const Setting> settings();

/// Sets one from text. Error: value and allowed range, without the name.
[[nodiscard]] Result<void> set_from_text(const Setting& setting, std::string_view text,
                                         Config& config);

/// The value as a file would say it.
[[nodiscard]] std::string value_as_toml(const Setting& setting, const Config& config);

/// Reads a file's text over the defaults. Error: one line with `file`, line, key, value, limit.
[[nodiscard]] Result<Config> parse_config(std::string_view text, std::string_view file);

/// What no single setting can tell: values that exclude each other, endpoints, who may listen
/// where. Error: one line.
[[nodiscard]] Result<void> check_config(const Config& config);

/// The whole configuration as a file.
[[nodiscard]] std::string format_config(const Config& config);

}  // namespace zpost::app
