#include "tools/inspect/tap_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <vector>

#include "tools/inspect/tail_line.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

using Words = std::vector<std::string>;

std::string check_pattern(const std::string& text) {
  if (is_name_pattern(text)) return "";
  return fmt::format("\"{}\" is neither a name nor the beginning of one followed by *", text);
}

Kind payload_kind(const std::string& word) {
  const std::optional<Kind> kind = kind_from_name(word);
  if (kind && is_payload(*kind)) return *kind;
  throw CLI::ValidationError("--kind",
                             "\"" + word + "\" is none of send, request, reply, publish, call");
}

TapEvent shown_event(const std::string& word) {
  const std::optional<TapEvent> event = event_from_name(word);
  if (event && is_asked_for(*event)) return *event;
  throw CLI::ValidationError("--events", "\"" + word + "\" is none of " + event_names());
}

}  // namespace

void add_choice_of_records(CLI::App& verb, TapWish& wish, std::set<TapEvent>& events) {
  verb.add_option("--from", wish.from, "Only what such a peer sends")
      ->check(check_pattern)
      ->option_text("PATTERN");
  verb.add_option("--to", wish.to, "Only what is sent to such a peer")
      ->check(check_pattern)
      ->option_text("PATTERN");
  verb.add_option_function<Words>(
          "--kind",
          [&wish](const Words& words) {
            for (const std::string& word : words) wish.kinds.push_back(payload_kind(word));
          },
          "Only this kind (repeatable)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("send|request|reply|publish|call");
  verb.add_option_function<Words>(
          "--events",
          [&events](const Words& words) {
            for (const std::string& word : words) events.insert(shown_event(word));
          },
          "Only these events, with commas between them")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("EVENT,...");
}

}  // namespace zpost::inspect
