// The verbs of zpost-peer. Each adds its subcommand, which sets `end` when it ran.
#pragma once

#include <string>

#include "peer/cli/shared/exit_code.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::cli {

/// What all verbs are given.
struct Program {
  std::string software;  // Shown by who.
  ExitCode end = ExitCode::kAsWanted;
};

void add_send_verb(CLI::App& app, Program& program);
void add_publish_verb(CLI::App& app, Program& program);
void add_subscribe_verb(CLI::App& app, Program& program);
void add_recv_verb(CLI::App& app, Program& program);
void add_request_verb(CLI::App& app, Program& program);
void add_serve_verb(CLI::App& app, Program& program);
void add_who_verb(CLI::App& app, Program& program);
void add_chat_verb(CLI::App& app, Program& program);

}  // namespace zpost::cli
