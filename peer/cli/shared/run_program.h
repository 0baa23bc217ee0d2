// What both programs do around their verbs.
#pragma once

#include <functional>

#include "peer/cli/shared/exit_code.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::cli {

/// Runs `body` as a whole program: standard descriptors are held, text is UTF-8, and a reader that
/// left is an error instead of the end. What it throws is said in one line: kFailed. Call once.
[[nodiscard]] int run_program(const std::function<ExitCode()>& body);

/// Parses the command line and so runs the verb, which sets `end`. Returns `end`, or what else the
/// command line comes to, which was said.
[[nodiscard]] ExitCode run_verb(CLI::App& app, int argc, char** argv, const ExitCode& end);

/// Opens /dev/null in place of standard descriptors that are closed, so that no socket takes their
/// number and is written to. In the wrong direction: whoever reads or writes them still fails.
void hold_standard_descriptors();

}  // namespace zpost::cli
