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
    complain(fmt::format("there is no verb {}; {} --help lists them", visible_line(argv[1]),
                         app.get_name()));
    return ExitCode::kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::kAsWanted : ExitCode::kUsage;
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
