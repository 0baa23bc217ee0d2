// zpost-peer send: bodies to one recipient, and what became of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "peer/cli/send_run.h"
#include "peer/cli/verbs.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-peer send --as alice bob "hello"
  date | zpost-peer send bob -
  zpost-peer send --file picture.png --content-type image/png bob
  tail -f app.log | zpost-peer send --as logs --lines bob

A signal ends the stream of --lines: what was read by then still has its outcome waited for.
Exit codes: 0 delivered, 3 not delivered (the outcome is named), 4 no broker, 5 refused, 6 no outcome
in time, 128+N interrupted by signal N before all had its outcome.)";

std::string check_wait(const std::string& text) {
  if (text == "delivered" || text == "sent") return "";
  if (text == "queued") {
    return "\"queued\" comes with durable mail, which this version does not have; use delivered or "
           "sent";
  }
  return fmt::format("\"{}\" is none of delivered, sent", text);
}

}  // namespace

void add_send_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("send", "Send to one peer and say what became of it");
  verb->footer(kFooter);
  const auto options = std::make_shared<SendOptions>();
  add_recipient(*verb, options->task.to, "Who is to get it");
  verb->add_option("TEXT", options->source.text, "What to send; - is standard input")
      ->option_text(" ");
  verb->add_option("--file", options->source.file, "Send this file as one body")
      ->option_text("FILE");
  verb->add_flag("--lines", options->lines,
                 "Send each line of standard input or --file, as it comes");
  verb->add_option_function<std::string>(
          "--wait",
          [options](const std::string& text) {
            options->wait = text == "sent" ? Wait::kSent : Wait::kDelivered;
          },
          "What to wait for: delivered (default), or only sent")
      ->check(check_wait)
      ->option_text("delivered|sent");
  add_duration_option(*verb, "--timeout", options->task.timeout,
                      "Give up after so long without progress (default 10s)");
  add_content_type_option(*verb, options->task.content_type, "What the body is");
  add_connection_options(*verb, options->common);
  add_format_option(*verb, options->common);
  verb->callback([options, &program] {
    check_source(*options);
    program.end = send_and_report(*options, program.software);
  });
}

}  // namespace zpost::cli
