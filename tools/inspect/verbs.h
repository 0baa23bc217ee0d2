// The verbs of zpost-inspect. Each adds its subcommand, which sets `end` when it ran.
#pragma once

#include <string>

#include "peer/cli/shared/exit_code.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::inspect {

struct Program {
  std::string software;  // Shown by who.
  cli::ExitCode end = cli::ExitCode::kAsWanted;
};

void add_capture_verb(CLI::App& app, Program& program);
void add_graph_verb(CLI::App& app, Program& program);
void add_read_verb(CLI::App& app, Program& program);
void add_replay_verb(CLI::App& app, Program& program);
void add_snapshot_verb(CLI::App& app, Program& program);
void add_doctor_verb(CLI::App& app, Program& program);
void add_route_verb(CLI::App& app, Program& program);
void add_tail_verb(CLI::App& app, Program& program);
void add_top_verb(CLI::App& app, Program& program);
void add_why_verb(CLI::App& app, Program& program);

}  // namespace zpost::inspect
