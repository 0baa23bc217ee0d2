#include "tools/inspect/body_difference.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "tools/inspect/decode.h"

namespace zpost::inspect {
namespace {

using cli::Json;

constexpr std::size_t kMostText = 200;  // Columns of a value.
constexpr std::string_view kBody = "body";

std::string value_text(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return cli::shortened(cli::visible_line(text), kMostText);
}

bool is_ignored(const FieldPath& path, const FieldPath& keys) {
  return path.size() == keys.size() &&
         std::equal(path.begin(), path.end(), keys.begin(),
                    [](const std::string& wanted, const std::string& key) {
                      return wanted == "*" || wanted == key;
                    });
}

/// Walks two values at the same time. Recursion is bounded: what is decoded is not deep.
class Walk {
 public:
  explicit Walk(const BodyRules& rules) : rules_(rules) {}

  void compare(const Json& recorded, const Json& now, const std::string& path) {
    if (recorded.is_object() && now.is_object()) {
      compare_keys(recorded, now, path);
    } else if (recorded.is_array() && now.is_array()) {
      compare_elements(recorded, now, path);
    } else if (recorded != now) {
      add(path, value_text(recorded), value_text(now));
    }
  }

  [[nodiscard]] std::vector<ValueDifference> take() { return std::move(found_); }

 private:
  void compare_keys(const Json& recorded, const Json& now, const std::string& path) {
    for (const auto& [key, value] : recorded.items()) {
      const auto other = now.find(key);
      below(key, [&, &key = key, &value = value] {
        const std::string inner = path + "." + cli::visible_line(key);
        if (other == now.end()) return add(inner, value_text(value), "-");
        compare(value, *other, inner);
      });
    }
    for (const auto& [key, value] : now.items()) {
      if (recorded.contains(key)) continue;
      below(key, [&, &key = key, &value = value] {
        add(path + "." + cli::visible_line(key), "-", value_text(value));
      });
    }
  }

  template <typename Visit>
  void below(const std::string& key, Visit visit) {
    keys_.push_back(key);
    const bool passed_over = std::ranges::any_of(
        rules_.ignored, [this](const FieldPath& path) { return is_ignored(path, keys_); });
    if (!passed_over) visit();
    keys_.pop_back();
  }

  void compare_elements(const Json& recorded, const Json& now, const std::string& path) {
    const std::size_t most = std::max(recorded.size(), now.size());
    for (std::size_t i = 0; i < most && found_.size() < kMaxValueDifferences; ++i) {
      const std::string inner = fmt::format("{}[{}]", path, i);
      if (i >= recorded.size()) {
        add(inner, "-", value_text(now[i]));
      } else if (i >= now.size()) {
        add(inner, value_text(recorded[i]), "-");
      } else {
        compare(recorded[i], now[i], inner);
      }
    }
  }

  void add(std::string path, std::string recorded, std::string now) {
    if (found_.size() >= kMaxValueDifferences) return;
    found_.push_back({std::move(path), std::move(recorded), std::move(now)});
  }

  const BodyRules& rules_;
  FieldPath keys_;
  std::vector<ValueDifference> found_;
};

}  // namespace

bool BodyRules::ignore(std::string_view path) {
  if (path == kBody) {
    ignores_body = true;
    return true;
  }
  if (path.starts_with(kBody) && path.substr(kBody.size()).starts_with('.')) {
    path.remove_prefix(kBody.size() + 1);
  }
  std::optional<FieldPath> parsed = parse_field_path(path);
  if (!parsed) return false;
  ignored.push_back(*std::move(parsed));
  by_value = true;
  return true;
}

std::vector<ValueDifference> body_differences(const ShownEnvelope& recorded,
                                              const ShownEnvelope& now, const BodyRules& rules) {
  if (rules.ignores_body || std::ranges::equal(recorded.body, now.body)) return {};
  const std::optional<Json> before = decoded_value(recorded);
  const std::optional<Json> after = before ? decoded_value(now) : std::nullopt;
  if (before && after) {
    Walk walk(rules);
    walk.compare(*before, *after, std::string(kBody));
    std::vector<ValueDifference> found = walk.take();
    if (!found.empty() || rules.by_value) return found;
    return {{"body", fmt::format("{} bytes", recorded.body.size()),
             fmt::format("{} bytes of the same values, encoded differently", now.body.size())}};
  }
  return {{"body", cli::shortened(decoded_line(recorded, Decoding::kAuto), kMostText),
           cli::shortened(decoded_line(now, Decoding::kAuto), kMostText)}};
}

}  // namespace zpost::inspect
