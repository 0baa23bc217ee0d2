#include "tools/inspect/tap_options.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "protocol/filter/filter.h"
#include "tools/inspect/patterns.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {
namespace {

using Words = std::vector<std::string>;

std::string check_filter(const std::string& text) {
  const auto filter = filter::Filter::compile(text);
  return filter ? "" : "it is wrong at " + filter.error().with_caret(text);
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
  verb.add_option("--filter", wish.filter,
                  "Only what it says, such as 'from = \"lab-*\" and size > 4KiB'; docs/filter.md")
      ->check(check_filter)
      ->option_text("FILTER");
  add_choice_by_header(verb, wish, events);
}

void add_choice_by_header(CLI::App& verb, TapWish& wish, std::set<TapEvent>& events) {
  verb.add_option("--from", wish.from, "Only what such a peer sends")
      ->check(check_name_pattern)
      ->option_text("PATTERN");
  verb.add_option("--to", wish.to, "Only what is sent to such a peer, topic or service")
      ->check(check_target_pattern)
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
