#include "tools/inspect/replay_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

Error wrong_rule(std::string text) {
  return {Outcome::kMalformed, std::move(text)};
}

}  // namespace

bool NameRules::is_good(std::string_view name) const {
  return of_ == Of::kTopics ? is_topic(name) : is_name(name);
}

Result<void> NameRules::add(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return wrong_rule(fmt::format("\"{}\" is no rule OLD=NEW such as alice=alice2", text));
  }
  std::string_view old_name = text.substr(0, equals);
  const std::string_view new_name = text.substr(equals + 1);
  Rule rule;
  rule.is_pattern = old_name.ends_with('*');
  if (rule.is_pattern) old_name.remove_suffix(1);
  rule.before = old_name;
  // A letter in place of the star makes a name, if the rest is part of one.
  if (!is_good(rule.is_pattern ? rule.before + "x" : rule.before)) {
    return wrong_rule(fmt::format("\"{}\" is neither a name nor the beginning of one followed by *",
                                  text.substr(0, equals)));
  }
  const std::size_t star = new_name.find('*');
  rule.new_has_star = star != std::string_view::npos;
  rule.new_before = new_name.substr(0, star);
  if (rule.new_has_star) rule.new_after = new_name.substr(star + 1);
  if (!is_good(rule.new_before + (rule.new_has_star ? "x" : "") + rule.new_after)) {
    return wrong_rule(fmt::format("\"{}\" is no name{}", new_name,
                                  rule.is_pattern ? ", not even with one * in it" : ""));
  }
  if (rule.new_has_star && !rule.is_pattern) {
    return wrong_rule(fmt::format("\"{}\" has a * that stands for nothing: \"{}\" has none",
                                  new_name, text.substr(0, equals)));
  }
  rules_.push_back(std::move(rule));
  return {};
}

std::optional<std::string> NameRules::apply(std::string_view name) const {
  const auto matches = [name](const Rule& rule) {
    return rule.is_pattern ? name.starts_with(rule.before) : name == rule.before;
  };
  const auto rule = std::ranges::find_if(rules_, matches);
  if (rule == rules_.end()) return std::nullopt;
  if (!rule->new_has_star) return rule->new_before;
  return fmt::format("{}{}{}", rule->new_before, name.substr(rule->before.size()), rule->new_after);
}

std::string NameRules::name_for(std::string_view name) const {
  return apply(name).value_or(std::string(name));
}

Result<void> Redirections::add(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::string_view old_name = text.substr(0, equals);
  const std::string_view new_name = text.substr(std::min(equals + 1, text.size()));
  if (old_name.starts_with(kServiceMark) != new_name.starts_with(kServiceMark)) {
    return wrong_rule(
        fmt::format("\"{}\": a service, which has a @, goes to a service only", text));
  }
  if (old_name.starts_with(kServiceMark)) {
    return services.add(fmt::format("{}={}", old_name.substr(1), new_name.substr(1)));
  }
  return text.find('/') == std::string_view::npos ? peers.add(text) : topics.add(text);
}

}  // namespace zpost::inspect
