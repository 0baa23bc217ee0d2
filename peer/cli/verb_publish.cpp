// zpost-peer publish: bodies to a topic, and what became of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "peer/cli/body_options.h"
#include "peer/cli/send_run.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kPublishFooter = R"(
Examples:
  zpost-peer publish lab/oven/temperature "212.5"
  zpost-peer publish --retain lab/oven/state on
  zpost-peer publish --clear lab/oven/state
  zpost-peer publish --count --need-subscriber alerts "door open"
  tail -f app.log | zpost-peer publish --as logs --lines logs/app

A topic is up to 16 segments like names, joined by /. Whoever subscribes to it gets it; the outcome is
delivered when their queues have it, even if there is nobody.
Exit codes: 0 delivered, 3 not delivered (the outcome is named, no-subscriber with
--need-subscriber), 4 no broker, 5 refused, 6 no outcome in time, 128+N interrupted by signal N.)";

std::string check_topic(const std::string& text) {
  if (is_topic(text)) return "";
  return fmt::format("\"{}\" is not a topic: segments like names joined by /, 255 bytes in all",
                     visible_line(text));
}

void check(SendOptions& options, bool clear) {
  if (!clear) return check_source(options);
  if (options.source.is_given() || options.lines) {
    throw CLI::ValidationError("--clear publishes an empty value; it takes no other body");
  }
  options.source.text = "";
  options.task.publish->retain = true;
}

}  // namespace

void add_publish_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("publish", "Publish to a topic");
  verb->footer(kPublishFooter);
  const auto options = std::make_shared<SendOptions>();
  const auto clear = std::make_shared<bool>(false);
  PublishTask& publish = options->task.publish.emplace();
  verb->add_option("TOPIC", options->task.to, "What it is about")
      ->required()
      ->check(check_topic)
      ->option_text(" ");
  verb->add_option("TEXT", options->source.text, "What to publish; - is standard input")
      ->option_text(" ");
  add_body_file_option(*verb, options->source, "Publish what is in this file as one body");
  verb->add_flag("--lines", options->lines,
                 "Publish each line of standard input or --body-file, as it comes");
  verb->add_flag("--retain", publish.retain,
                 "Keep it as the topic's value for later subscribers; an empty one clears it");
  verb->add_flag("--clear", *clear, "Clear the value kept of the topic");
  verb->add_flag("--count", publish.count, "Print how many subscribers' queues took it");
  verb->add_flag("--need-subscriber", publish.need_subscriber,
                 "Exit 3 (no-subscriber) if nobody subscribes");
  add_duration_option(*verb, "--timeout", options->task.timeout,
                      "Give up after so long without progress (default 10s)");
  add_content_type_option(*verb, options->task.content_type, "What the body is");
  add_trace_option(*verb, options->task.trace);
  add_connection_options(*verb, options->common);
  add_format_option(*verb, options->common);
  verb->callback([options, clear, &program] {
    check(*options, *clear);
    program.end = send_and_report(*options, program.software);
  });
}

}  // namespace zpost::cli
