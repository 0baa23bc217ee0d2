// The verbs of zpost-bench. Each adds its command to the program; when the command line names it,
// parsing runs it and stores how it ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/bench/exit_code.h"
#include "tools/bench/system.h"

namespace CLI {
class App;
}

namespace zpost::bench {

using Systems = std::vector<std::unique_ptr<System>>;

/// `systems` and `exit_code` must outlive the parsing of `app`. All throw Interrupted while they
/// run, and CLI::Error for what is wrong with the command line.
void add_throughput_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code);
void add_latency_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code);
void add_memory_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code);
void add_stall_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code);
void add_fairness_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code);
void add_filter_verb(CLI::App& app, ExitCode& exit_code);
void add_storm_verb(CLI::App& app, ExitCode& exit_code);
void add_recorder_verb(CLI::App& app, ExitCode& exit_code);
void add_compare_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code);

}  // namespace zpost::bench
