// zpost-peer send: bodies or files to one recipient, and what became of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "peer/cli/body_options.h"
#include "peer/cli/send_files.h"
#include "peer/cli/send_run.h"
#include "peer/cli/verbs.h"

namespace zpost::cli {
namespace {

constexpr const char* kSendFooter = R"(
Examples:
  zpost-peer send --as alice bob "hello"
  date | zpost-peer send bob -
  zpost-peer send --content-type image/png --body-file picture.png bob
  tail -f app.log | zpost-peer send --as logs --lines bob
  zpost-peer send --file big.iso bob                # bob: zpost-peer recv --as bob --save DIR
  zpost-peer send bob --file *.jpg

With --file each file goes as a file, of any size, in pieces: it is whole under its name at the
recipient, or not there; broken off, it goes on where it was when it is sent again. Without it
everything is one envelope: TEXT, standard input, or what stands in the file of --body-file.
A signal ends the stream of --lines: what was read by then still has its outcome waited for.
Exit codes: 0 delivered, 1 a file changed or could not be read on, 2 usage, 3 not delivered (the
outcome is named), 4 no broker, 5 refused, 6 no outcome in time, 128+N interrupted by signal N before
all had its outcome.)";

/// As the words stand on the command line.
struct SendWords {
  SendOptions send;
  std::vector<std::string> arguments;  // After TO: one TEXT, or more files.
  std::vector<std::string> files;
};

std::string check_wait(const std::string& text) {
  if (text == "delivered" || text == "sent") return "";
  if (text == "queued") {
    return "\"queued\" comes with durable mail, which this version does not have; use delivered or "
           "sent";
  }
  return fmt::format("\"{}\" is none of delivered, sent", text);
}

/// `send bob --file *.jpg` means all of them; in another order nobody knows who gets what.
bool are_files(const CLI::App& verb) {
  std::vector<const CLI::Option*> order(verb.parse_order().begin(), verb.parse_order().end());
  const auto place = [&](const char* name) {
    return std::ranges::find(order, verb.get_option(name)) - order.begin();
  };
  return place("TO") < place("--file") && place("--file") < place("TEXT");
}

void check_files(SendWords& words, const CLI::App& verb) {
  if (words.send.lines) {
    throw CLI::ValidationError(fmt::format(
        "--file sends whole files; --lines reads standard input or {} FILE", kBodyFile));
  }
  if (!words.send.source.file.empty()) {
    throw CLI::ValidationError(
        fmt::format("--file and {} exclude each other: the one sends files, the other one envelope",
                    kBodyFile));
  }
  if (!words.arguments.empty() && !are_files(verb)) {
    throw CLI::ValidationError(
        "TEXT and --file exclude each other; for several files: send TO --file FILE FILE ..., or "
        "--file for each");
  }
  for (const char* const option : {"--content-type", "--wait"}) {
    if (verb.get_option(option)->count() == 0) continue;
    throw CLI::ValidationError(fmt::format(
        "{} is for envelopes, not for files; a file as one envelope: {} FILE", option, kBodyFile));
  }
  std::ranges::move(words.arguments, std::back_inserter(words.files));
}

/// Bodies, not files.
void take_source(SendWords& words) {
  SendOptions& options = words.send;
  if (words.arguments.size() > 1) throw CLI::ValidationError("TEXT is one argument: quote it");
  if (!words.arguments.empty()) options.source.text = words.arguments.front();
  check_source(options);
}

}  // namespace

void add_send_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("send", "Send to one peer and say what became of it");
  verb->footer(kSendFooter);
  const auto options = std::make_shared<SendWords>();
  add_recipient(*verb, options->send.task.to, "Who is to get it");
  verb->add_option("TEXT", options->arguments,
                   "What to send; - is standard input. After --file: more files")
      ->option_text(" ");
  verb->add_option("--file", options->files,
                   "Send this file, for recv --save; again for more, or TO first and then all")
      ->option_text("FILE")
      ->allow_extra_args(false)  // Else it takes TO.
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_body_file_option(*verb, options->send.source, "Send what is in this file as one envelope");
  verb->add_flag("--lines", options->send.lines,
                 "Send each line of standard input or --body-file, as it comes");
  verb->add_option_function<std::string>(
          "--wait",
          [options](const std::string& text) {
            options->send.wait = text == "sent" ? Wait::kSent : Wait::kDelivered;
          },
          "What to wait for: delivered (default), or only sent")
      ->check(check_wait)
      ->option_text("delivered|sent");
  CLI::Option* const timeout =
      add_duration_option(*verb, "--timeout", options->send.task.timeout,
                          "Give up after so long without progress (default 10s, files 60s)");
  add_content_type_option(*verb, options->send.task.content_type, "What the body is");
  add_trace_option(*verb, options->send.task.trace);
  add_connection_options(*verb, options->send.common);
  add_format_option(*verb, options->send.common);
  verb->callback([options, verb, timeout, &program] {
    if (!options->files.empty()) {
      check_files(*options, *verb);
      SendFilesOptions files{options->send.common, options->send.task.to, options->files};
      if (timeout->count() > 0) files.timeout = options->send.task.timeout;
      program.end = send_files(files, program.software);
      return;
    }
    take_source(*options);
    program.end = send_and_report(options->send, program.software);
  });
}

}  // namespace zpost::cli
