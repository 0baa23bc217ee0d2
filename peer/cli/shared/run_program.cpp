#include "peer/cli/shared/run_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <exception>
#include <new>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/usage_errors.h"

namespace zpost::cli {
namespace {

ExitCode run_guarded(const std::function<ExitCode()>& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    complain("out of memory");
  } catch (const std::exception& error) {
    complain(visible_line(error.what()));
  }
  return ExitCode::kFailed;
}

}  // namespace

int run_program(const std::function<ExitCode()>& body) {
  hold_standard_descriptors();
  use_utf8();
  ignore_broken_pipes();
  return static_cast<int>(run_guarded(body));
}

ExitCode run_verb(CLI::App& app, int argc, char** argv, const ExitCode& end) {
  // CLI11 would only say that a subcommand is missing.
  const auto is_meant = [&](const CLI::App* verb) { return verb->check_name(argv[1]); };
  if (argc > 1 && *argv[1] != '-' && app.get_subcommands(is_meant).empty()) {
    complain(unknown_verb_text(app, argv[1]));
    note(help_hint(app));
    return ExitCode::kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& call_for_help) {
    (void)app.exit(call_for_help);
    return ExitCode::kAsWanted;
  } catch (const CLI::ParseError& error) {
    complain(usage_text(app, error));
    note(help_hint(app));
    return ExitCode::kUsage;
  }
  return end;
}

void hold_standard_descriptors() {
  // In this order each open gets the number that is missing.
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    (void)::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace zpost::cli
