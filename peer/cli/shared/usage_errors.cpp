#include "peer/cli/shared/usage_errors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <vector>

#include "peer/cli/shared/near_miss.h"
#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

/// The verb that was named; the program itself without one.
const CLI::App& verb_of(const CLI::App& app) {
  const std::vector<CLI::App*> named = app.get_subcommands();
  return named.empty() ? app : *named.front();
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(verb->get_name());
  }
  return names;
}

std::vector<std::string> options_of(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// An option that does not exist is why all else is wrong: its value looks like an argument.
std::optional<std::string> unknown_option(const CLI::App& verb) {
  for (const std::string& word : verb.remaining()) {
    if (!word.starts_with('-') || word == "-" || word == "--") continue;
    const std::string name = word.substr(0, word.find('='));
    std::string hint = did_you_mean(name, options_of(verb));
    const bool runs_others = verb.get_option_no_throw("COMMAND") != nullptr;
    if (hint.empty() && runs_others) hint = "; a command and its options come after --";
    return fmt::format("there is no option {}{}", visible_line(name), hint);
  }
  return std::nullopt;
}

std::string too_much(const CLI::App& verb) {
  const std::vector<std::string> rest = verb.remaining();
  std::vector<std::string> words;
  for (const std::string& word : rest) {
    if (word != "--") words.push_back(fmt::format("\"{}\"", visible_line(word)));
  }
  const bool takes_arguments =
      std::ranges::any_of(verb.get_options(), &CLI::Option::get_positional);
  const char* const advice = takes_arguments ? "what has spaces in it wants quotes"
                                             : "there are only options, --as for your own name";
  return fmt::format("{} {} too much; {}", fmt::join(words, " "), words.size() == 1 ? "is" : "are",
                     advice);
}

/// CLI11's texts begin with the name of the option.
std::string subject(const std::string& text) {
  return text.substr(0, text.find_first_of(": "));
}

/// What stands behind `words` in `text`.
std::string behind(const std::string& text, std::string_view words) {
  const std::size_t at = text.find(words);
  return at == std::string::npos ? "" : text.substr(at + words.size());
}

std::string missing(const CLI::App& app, const CLI::App& verb, const std::string& text) {
  if (&verb == &app && text.starts_with("A subcommand")) {
    return fmt::format("a subcommand is missing, one of {}", fmt::join(verbs_of(app), ", "));
  }
  const std::string name = subject(text);
  const CLI::Option* const option = verb.get_option_no_throw(name);
  if (option == nullptr) return name + " is missing";
  return fmt::format("{} is missing: {}", name, option->get_description());
}

std::string wrong_number(const CLI::App& verb, const std::string& text) {
  const std::string name = subject(text);
  const CLI::Option* const option = verb.get_option_no_throw(name);
  if (text.find("flag override") != std::string::npos) return name + " takes no value";
  if (const std::string times = behind(text, "required but received "); !times.empty()) {
    // "--between: At least 2 required but received 1"
    const std::string before = text.substr(0, text.find(" required but received "));
    const std::string wanted = before.substr(before.rfind(' ') + 1);
    if (wanted != "1" && option != nullptr) {
      return fmt::format("{} needs {} values, not {}: {}", name, wanted, times,
                         option->get_option_text());
    }
    return fmt::format("{} is given {} times, once is all it takes", name, times);
  }
  return option == nullptr ? name + " needs a value"
                           : fmt::format("{} needs a value: {}", name, option->get_option_text());
}

/// Of those two, the second word of CLI11's text is `requires` or `excludes`.
std::string about_two(const std::string& text, std::string_view between, const char* format) {
  return fmt::format(fmt::runtime(format), subject(text), behind(text, between));
}

template <typename Kind>
bool is(const CLI::ParseError& error) {
  return dynamic_cast<const Kind*>(&error) != nullptr;
}

}  // namespace

std::string usage_text(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& verb = verb_of(app);
  const std::string text = error.what();
  const auto of_verb = [&](const std::string& what) {
    return &verb == &app ? what : fmt::format("{}: {}", verb.get_name(), what);
  };
  if (const std::optional<std::string> unknown = unknown_option(verb)) return of_verb(*unknown);
  if (is<CLI::ExtrasError>(error)) return of_verb(too_much(verb));
  if (is<CLI::RequiredError>(error)) return of_verb(missing(app, verb, text));
  if (is<CLI::ArgumentMismatch>(error)) return of_verb(wrong_number(verb, text));
  if (is<CLI::ExcludesError>(error)) {
    return of_verb(about_two(text, " excludes ", "{} and {} exclude each other"));
  }
  if (is<CLI::RequiresError>(error)) {
    return of_verb(about_two(text, " requires ", "{} is only for {}"));
  }
  // An error in a filter has the filter and a caret below it.
  constexpr std::size_t kIndent = 2;
  return of_verb(visible_block(text, kIndent));
}

std::string help_hint(const CLI::App& app) {
  const CLI::App& verb = verb_of(app);
  if (&verb == &app) return fmt::format("{} --help lists the verbs", app.get_name());
  return fmt::format("{} {} --help says what {} takes", app.get_name(), verb.get_name(),
                     verb.get_name());
}

std::string unknown_verb_text(const CLI::App& app, const std::string& word) {
  return fmt::format("there is no verb {}{}", visible_line(word),
                     did_you_mean(word, verbs_of(app)));
}

}  // namespace zpost::cli
