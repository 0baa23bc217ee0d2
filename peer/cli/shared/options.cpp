#include "peer/cli/shared/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "peer/cli/shared/near_miss.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "zpost/peer/options.h"
#include "zpost/protocol/limits.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

std::string from_environment(const char* variable, std::string_view otherwise) {
  const char* const value = std::getenv(variable);
  return std::string(value == nullptr || *value == '\0' ? otherwise : value);
}

std::string check_name(const std::string& text) {
  if (is_name(text)) return "";
  return fmt::format(
      "\"{}\" is not a name: letters, digits and . _ -, at most 64, first a letter or digit", text);
}

std::string check_utf8(const std::string& text) {
  return is_utf8(text) ? "" : fmt::format("\"{}\" is not UTF-8", visible_line(text));
}

bool has_control_characters(std::string_view text) {
  while (!text.empty()) {
    const char32_t code = next_character(text).code;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

std::string check_content_type(const std::string& text) {
  if (text.size() > kMaxContentTypeBytes) {
    return fmt::format("{} bytes, the limit is {}", text.size(), kMaxContentTypeBytes);
  }
  if (const std::string wrong = check_utf8(text); !wrong.empty()) return wrong;
  if (!has_control_characters(text)) return "";
  return fmt::format("\"{}\" has control characters; a type is one line, such as text/plain",
                     visible_line(text));
}

/// `00-` trace id `-` span id `-` flags, in hexadecimal. https://www.w3.org/TR/trace-context/
std::string check_trace(const std::string& text) {
  const std::string_view all = text;
  const bool good = all.size() == 55 && all.starts_with("00-") && all[35] == '-' &&
                    all[52] == '-' && is_hex(all.substr(3, 32), 32) &&
                    is_hex(all.substr(36, 16), 16) && is_hex(all.substr(53), 2);
  if (good) return "";
  return fmt::format("\"{}\" is no traceparent: 00-32 hex digits-16 hex digits-2 hex digits",
                     visible_line(text));
}

}  // namespace

void add_connection_options(CLI::App& verb, CommonOptions& options) {
  options.endpoint = from_environment("ZPOST_ENDPOINT", peer::Options().endpoint);
  options.name = from_environment("ZPOST_NAME", "");
  verb.add_option("--endpoint", options.endpoint,
                  fmt::format("The broker (ZPOST_ENDPOINT; default {})", peer::Options().endpoint))
      ->option_text("ENDPOINT");
  verb.add_option("--as", options.name, "Your name (ZPOST_NAME; default: a fresh one)")
      ->check(check_name)
      ->option_text("NAME");
}

void add_format_option(CLI::App& verb, CommonOptions& options) {
  add_choice_option(
      verb, "--format", {"text", "json"},
      [&options](std::size_t place) {
        options.format = place == 0 ? Format::kText : Format::kJson;
      },
      "text (default), or json: one object a line")
      ->option_text("text|json");
}

void add_display_option(CLI::App& verb, CommonOptions& options) {
  verb.add_option("--display", options.display, "A name for people, shown by who")
      ->check(check_utf8)
      ->option_text("TEXT");
}

CLI::Option* add_duration_option(CLI::App& verb, const std::string& name,
                                 std::chrono::milliseconds& value, const std::string& what) {
  return verb
      .add_option_function<std::string>(
          name,
          [name, &value](const std::string& text) {
            const auto duration = parse_duration(text);
            if (!duration) {
              throw CLI::ValidationError(
                  name, fmt::format("\"{}\" is not a duration such as 500ms, 10s or 2m", text));
            }
            value = *duration;
          },
          what)
      ->option_text("TIME");
}

CLI::Option* add_size_option(CLI::App& verb, const std::string& name, std::uint64_t& value,
                             const std::string& what) {
  return verb
      .add_option_function<std::string>(
          name,
          [name, &value](const std::string& text) {
            const auto size = parse_size(text);
            if (!size) {
              throw CLI::ValidationError(
                  name, fmt::format("\"{}\" is not a size such as 256, 4KiB or 1MiB", text));
            }
            value = *size;
          },
          what)
      ->option_text("BYTES");
}

CLI::Option* add_count_option(CLI::App& verb, const std::string& name, std::uint64_t& value,
                              const std::string& what) {
  return verb
      .add_option_function<std::string>(
          name,
          [name, &value](const std::string& text) {
            const auto count = parse_count(text);
            if (!count) {
              throw CLI::ValidationError(
                  name, fmt::format("\"{}\" is not a whole number of at least 1, such as 10",
                                    visible_line(text)));
            }
            value = *count;
          },
          what)
      ->option_text("N");
}

CLI::Option* add_choice_option(CLI::App& verb, const std::string& name,
                               const std::vector<std::string>& words,
                               const std::function<void(std::size_t)>& choose,
                               const std::string& what) {
  const auto take = [name, words, choose](const std::string& text) {
    const auto found = std::ranges::find(words, text);
    if (found == words.end()) {
      throw CLI::ValidationError(
          name, fmt::format("\"{}\" is none of {}{}", visible_line(text), fmt::join(words, ", "),
                            did_you_mean(text, words)));
    }
    choose(static_cast<std::size_t>(found - words.begin()));
  };
  return verb.add_option_function<std::string>(name, take, what)
      ->option_text(fmt::format("{}", fmt::join(words, "|")));
}

void add_content_type_option(CLI::App& verb, std::string& type, const std::string& what) {
  verb.add_option("--content-type", type, what)->check(check_content_type)->option_text("TYPE");
}

void add_trace_option(CLI::App& verb, std::string& trace) {
  trace = from_environment("TRACEPARENT", "");
  if (!check_trace(trace).empty()) trace.clear();  // Somebody else's, in another form.
  verb.add_option("--trace", trace, "The trace it belongs to: a W3C traceparent (TRACEPARENT)")
      ->check(check_trace)
      ->option_text("TRACEPARENT");
}

void add_recipient(CLI::App& verb, std::string& to, const std::string& what) {
  verb.add_option("TO", to, what)->required()->check(check_name)->option_text(" ");
}

}  // namespace zpost::cli
