// A configuration file: TOML, in which an unknown key is an error.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "broker/app/config.h"

namespace zpost::app {

namespace {

/// Letters to change, add or take away to make one word the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// `section.key` of the setting that is most like `path`.
std::string nearest(std::string_view path) {
  std::string best;
  std::pair<std::size_t, std::size_t> least{SIZE_MAX, SIZE_MAX};
  const std::string_view key = path.substr(path.rfind('.') + 1);
  for (const Setting& setting : settings()) {
    // The right key in the wrong section is near, too; of two such keys the one in the section that
    // is more like it.
    const std::size_t whole = distance(path, setting.path());
    const std::pair away{std::min(whole, distance(key, setting.key)), whole};
    if (away >= least) continue;
    least = away;
    best = setting.path();
  }
  return best;
}

class Reader {
 public:
  Reader(std::string_view file, Config& config) : file_(file), config_(config) {}

  [[nodiscard]] Result<void> read(const toml::table& root) {
    for (const auto& [section, node] : root) {
      const toml::table* const table = node.as_table();
      if (table == nullptr) return unknown(section.str(), node);
      for (const auto& [key, value] : *table) {
        if (auto result = read_entry(section.str(), key.str(), value); !result) return result;
      }
    }
    return {};
  }

 private:
  [[nodiscard]] Error error_at(const toml::node& node, std::string_view text) const {
    return {Outcome::kMalformed, fmt::format("{}:{}: {}", file_, node.source().begin.line, text)};
  }

  [[nodiscard]] Error unknown(std::string_view path, const toml::node& node) const {
    return error_at(node, fmt::format("unknown key {}: did you mean {}?", path, nearest(path)));
  }

  [[nodiscard]] Result<void> read_entry(std::string_view section, std::string_view key,
                                        const toml::node& node) {
    for (const Setting& setting : settings()) {
      if (setting.section != section || setting.key != key) continue;
      auto result = std::holds_alternative<Setting::Texts>(setting.field)
                        ? read_texts(setting, node)
                        : read_value(setting, node);
      if (result) return result;
      return error_at(node, fmt::format("{} = {}", setting.path(), result.error().text));
    }
    return unknown(fmt::format("{}.{}", section, key), node);
  }

  [[nodiscard]] Result<void> read_value(const Setting& setting, const toml::node& node) {
    const bool is_text = std::holds_alternative<Setting::Text>(setting.field);
    const bool is_switch = std::holds_alternative<Setting::Switch>(setting.field);
    if (const auto* const text = node.as_string(); text != nullptr && !is_switch) {
      return set_from_text(setting, text->get(), config_);
    }
    if (const auto* const number = node.as_integer(); number != nullptr && !is_text) {
      return set_from_text(setting, std::to_string(number->get()), config_);
    }
    if (const auto* const flag = node.as_boolean(); flag != nullptr && is_switch) {
      return set_from_text(setting, flag->get() ? "true" : "false", config_);
    }
    return Error{Outcome::kMalformed, fmt::format("a value of this type is wrong: must be like {}",
                                                  value_as_toml(setting, Config{}))};
  }

  [[nodiscard]] Result<void> read_texts(const Setting& setting, const toml::node& node) {
    std::vector<std::string> texts;
    if (const auto* const text = node.as_string()) {
      texts.push_back(text->get());
    } else if (const auto* const array = node.as_array()) {
      for (const toml::node& element : *array) {
        const auto* const one = element.as_string();
        if (one == nullptr) return Error{Outcome::kMalformed, "must be a list of texts"};
        texts.push_back(one->get());
      }
    } else {
      return Error{Outcome::kMalformed, "must be a list of texts"};
    }
    std::get<Setting::Texts>(setting.field)(config_) = std::move(texts);
    return {};
  }

  std::string_view file_;
  Config& config_;
};

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view file) {
  Config config;
  try {
    const toml::table root = toml::parse(text, file);
    if (const auto result = Reader(file, config).read(root); !result) return result.error();
  } catch (const toml::parse_error& error) {
    return Error{Outcome::kMalformed,
                 fmt::format("{}:{}: {}", file, error.source().begin.line, error.description())};
  }
  return config;
}

}  // namespace zpost::app
