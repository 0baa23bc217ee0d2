#include "tools/inspect/tap_options.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "protocol/filter/filter.h"
#include "tools/inspect/patterns.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {
namespace {

using Words = std::vector<std::string>;

void take_filter(const std::string& text, TapWish& wish, std::optional<filter::Filter>* filter) {
  auto compiled = filter::Filter::compile(text);
  if (!compiled) {
    throw CLI::ValidationError("--filter", "it is wrong at " + compiled.error().with_caret(text));
  }
  wish.filter = text;
  if (filter != nullptr) *filter = *std::move(compiled);
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

void add_choice_of_records(CLI::App& verb, TapWish& wish, std::set<TapEvent>& events,
                           std::optional<filter::Filter>* filter) {
  verb.add_option_function<std::string>(
          "--filter", [&wish, filter](const std::string& text) { take_filter(text, wish, filter); },
          "Only what it says, such as 'from = \"lab-*\" and size > 4KiB'; tail --help has the "
          "fields")
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
