#include "broker/app/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "broker/admin/address.h"
#include "broker/app/units.h"
#include "broker/net/endpoint.h"

namespace zpost::app {

namespace {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

Error wrong(std::string text) {
  return {Outcome::kMalformed, std::move(text)};
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

/// "from 1 to 16": of a number, in its unit.
std::string range_of(const Setting& setting) {
  if (std::holds_alternative<Setting::Duration>(setting.field)) {
    return fmt::format("from {} to {}", format_duration(static_cast<std::int64_t>(setting.least)),
                       format_duration(static_cast<std::int64_t>(setting.most)));
  }
  if (setting.unit == Setting::Unit::kBytes) {
    return fmt::format("from {} to {}", format_size(setting.least), format_size(setting.most));
  }
  return fmt::format("from {} to {}", setting.least, setting.most);
}

Result<void> set_number(const Setting& setting, Result<std::uint64_t> number, std::string_view text,
                        std::uint64_t& value) {
  if (!number) {
    return wrong(
        fmt::format("{} is wrong: {}, {}", quoted(text), number.error().text, range_of(setting)));
  }
  if (*number < setting.least || *number > setting.most) {
    return wrong(fmt::format("{} is out of range: must be {}", text, range_of(setting)));
  }
  value = *number;
  return {};
}

Result<void> set_switch(std::string_view text, bool& value) {
  if (text != "true" && text != "false") {
    return wrong(fmt::format("{} is wrong: must be true or false", quoted(text)));
  }
  value = text == "true";
  return {};
}

Result<void> set_text(const Setting& setting, std::string_view text, std::string& value) {
  for (const auto& [alias, choice] : setting.aliases) {
    if (text == alias) text = choice;
  }
  const auto& choices = setting.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
    return wrong(
        fmt::format("{} is wrong: must be one of {}", quoted(text), fmt::join(choices, ", ")));
  }
  value = text;
  return {};
}

Result<void> check_listen(const Config& config) {
  if (config.listen.empty()) return wrong("broker.listen is empty: there is nowhere to connect to");
  for (const std::string& text : config.listen) {
    const auto endpoint = net::parse_endpoint(text);
    if (!endpoint) return wrong("broker.listen: " + endpoint.error().text);
    if (endpoint->is_local() || config.insecure) continue;
    return wrong(fmt::format(
        "will not listen on {}: other machines can reach it, and this broker cannot tell who they "
        "are; listen on 127.0.0.1 or an ipc:// path, or accept that with --insecure",
        text));
  }
  return {};
}

Result<void> check_admin(const Config& config) {
  if (config.admin_listen.empty() || config.admin_listen == kAdminAuto) return {};
  const auto address = admin::parse_address(config.admin_listen);
  if (!address) return wrong("admin.listen " + address.error().text);
  if (address->is_local() || config.insecure) return {};
  return wrong(fmt::format(
      "will not serve metrics on {}: other machines can reach it, and anyone there may read them; "
      "serve on 127.0.0.1, or accept that with --insecure",
      config.admin_listen));
}

}  // namespace

std::string Setting::path() const {
  return fmt::format("{}.{}", section, key);
}

Result<void> set_from_text(const Setting& setting, std::string_view text, Config& config) {
  return std::visit(
      Overloaded{
          [&](Setting::Count field) {
            const bool bytes = setting.unit == Setting::Unit::kBytes;
            return set_number(setting, bytes ? parse_size(text) : parse_count(text), text,
                              field(config));
          },
          [&](Setting::Duration field) {
            const auto duration = parse_duration(text);
            std::uint64_t ns = 0;
            auto result =
                set_number(setting,
                           duration ? Result<std::uint64_t>(static_cast<std::uint64_t>(*duration))
                                    : Result<std::uint64_t>(duration.error()),
                           text, ns);
            if (result) field(config) = static_cast<std::int64_t>(ns);
            return result;
          },
          [&](Setting::Switch field) { return set_switch(text, field(config)); },
          [&](Setting::Text field) { return set_text(setting, text, field(config)); },
          [&](Setting::Texts field) {
            field(config) = {std::string(text)};
            return Result<void>{};
          },
      },
      setting.field);
}

std::string value_as_toml(const Setting& setting, const Config& config) {
  Config copy = config;  // The accessors give what can be changed.
  return std::visit(
      Overloaded{
          [&](Setting::Count field) {
            const std::uint64_t value = field(copy);
            return setting.unit == Setting::Unit::kBytes ? quoted(format_size(value))
                                                         : std::to_string(value);
          },
          [&](Setting::Duration field) { return quoted(format_duration(field(copy))); },
          [&](Setting::Switch field) { return std::string(field(copy) ? "true" : "false"); },
          [&](Setting::Text field) { return quoted(field(copy)); },
          [&](Setting::Texts field) {
            std::vector<std::string> texts;
            for (const std::string& text : field(copy)) texts.push_back(quoted(text));
            return fmt::format("[{}]", fmt::join(texts, ", "));
          },
      },
      setting.field);
}

Result<void> check_config(const Config& config) {
  const core::Limits& limits = config.limits;
  if (auto good = check_listen(config); !good) return good;
  if (auto good = check_admin(config); !good) return good;
  if (config.name.empty() || config.name.size() > 64) {
    return wrong(fmt::format("broker.name = {} has {} bytes: must have from 1 to 64",
                             quoted(config.name), config.name.size()));
  }
  if (limits.silence_ns <= limits.heartbeat_ns) {
    return wrong(fmt::format(
        "session.silence ({}) must be longer than session.heartbeat ({}): twice or more",
        format_duration(limits.silence_ns), format_duration(limits.heartbeat_ns)));
  }
  if (limits.credit_initial > limits.credit_max) {
    return wrong(fmt::format("limits.credit_initial ({}) must not exceed limits.credit_max ({})",
                             format_size(limits.credit_initial), format_size(limits.credit_max)));
  }
  if (limits.credit_initial > limits.memory / 2) {
    return wrong(fmt::format(
        "limits.memory ({}) is too small: half of it must hold limits.credit_initial ({})",
        format_size(limits.memory), format_size(limits.credit_initial)));
  }
  return {};
}

std::string format_config(const Config& config) {
  std::string out;
  std::string_view section;
  for (const Setting& setting : settings()) {
    if (setting.section != section) {
      section = setting.section;
      out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    }
    out += fmt::format("{} = {}\n", setting.key, value_as_toml(setting, config));
  }
  return out;
}

}  // namespace zpost::app
