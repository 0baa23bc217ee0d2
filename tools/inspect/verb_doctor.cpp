// zpost-inspect doctor: names what is wrong, as a person would, and what to do.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/probe.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/broker_stats.h"
#include "tools/inspect/doctor_checks.h"
#include "tools/inspect/parting.h"
#include "tools/inspect/refusal.h"
#include "tools/inspect/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using cli::milliseconds;

constexpr const char* kDoctorFooter = R"(
Examples:
  zpost-inspect doctor
  zpost-inspect doctor --endpoint tcp://lab:1234
  zpost-inspect doctor --name alice
  zpost-inspect doctor --format json | jq 'select(.state != "ok")'

One line a check: ok, warn or fail, and what to do. --name says whether that name could be used and by
whom it is held, without taking it.
Exit codes: 0 all is well, 3 there are warnings, 4 no broker (what is there instead is said), 5 refused or
the name is held, 6 no answer.)";

struct DoctorOptions {
  cli::CommonOptions common;
  std::string name;
};

std::string check_name(const std::string& text) {
  return is_name(text) ? "" : fmt::format("\"{}\" is not a name", cli::visible_line(text));
}

/// One run of the verb.
class Doctor {
 public:
  Doctor(const DoctorOptions& options, const std::string& software)
      : options_(options), software_(software), palette_(cli::wants_colour(STDOUT_FILENO)) {}

  ExitCode run() {
    check_descriptors();
    const ExitCode code = check_broker();
    output_.flush();
    if (output_.failed()) return ExitCode::kFailed;
    return code == ExitCode::kAsWanted && warned_ ? ExitCode::kNotDelivered : code;
  }

 private:
  static constexpr milliseconds kPatience{1500};

  void tell(const Check& check) {
    warned_ = warned_ || check.state != Health::kOk;
    failed_ = failed_ || check.state == Health::kFail;
    output_.put(options_.common.format == cli::Format::kJson ? check_json(check)
                                                             : check_text(check, palette_));
    output_.flush();
  }

  void check_descriptors() {
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    tell(descriptor_check(limit.rlim_cur));
  }

  ExitCode check_broker() {
    const std::string& endpoint = options_.common.endpoint;
    peer::Options wanted;
    wanted.endpoint = endpoint;
    wanted.software = software_;
    wanted.name = options_.common.name.empty() ? cli::fresh_name("inspect") : options_.common.name;
    wanted.connect_timeout = kPatience;
    peer::Answer<peer::Peer> peer = peer::Peer::connect(std::move(wanted));
    if (!peer) return explain(peer.error());
    tell({"broker", Health::kOk, fmt::format("a zpost broker welcomes at {}", endpoint), ""});
    tell(clock_check(peer->welcome().time_ns, cli::wall_clock_ns()));
    const ExitCode code = check_state(*peer);
    part(*peer);
    return code;
  }

  ExitCode explain(const peer::Failure& failure) {
    if (failure.fault != peer::Fault::kUnreachable) {
      tell({"broker", Health::kFail, cli::visible_line(failure.text),
            refusal_advice(failure.outcome)});
      return exit_code_of(failure);
    }
    const cli::Diagnosis diagnosis = cli::probe(options_.common.endpoint, milliseconds(1000));
    const bool known = diagnosis.finding != cli::Finding::kUnknown;
    tell({"broker", Health::kFail,
          known ? fmt::format("no broker at {}: {}", cli::visible_line(options_.common.endpoint),
                              diagnosis.text)
                : cli::visible_line(failure.text),
          diagnosis.advice});
    return ExitCode::kUnreachable;
  }

  ExitCode no_answer(const peer::Failure& failure) {
    tell({"answers", Health::kFail, cli::visible_line(failure.text),
          "The broker is busy or hangs: try again, then see its log"});
    return exit_code_of(failure);
  }

  ExitCode check_state(peer::Peer& peer) {
    const auto answer = peer.request("", stats_question(), kPatience).get();
    if (!answer) return no_answer(answer.error());
    const BrokerStats stats = stats_from(answer->body);
    for (const Check& check : limit_checks(stats)) tell(check);
    const auto peers = peer.who(kPatience);
    if (!peers) return no_answer(peers.error());
    for (const Check& check : peer_checks(*peers, stats.time_ns)) tell(check);
    if (options_.name.empty()) return ExitCode::kAsWanted;
    tell(name_check(options_.name, *peers, stats.time_ns));
    return failed_ ? ExitCode::kRefused : ExitCode::kAsWanted;
  }

  const DoctorOptions& options_;
  const std::string& software_;
  cli::Palette palette_;
  cli::Output output_;
  bool warned_ = false;
  bool failed_ = false;
};

}  // namespace

void add_doctor_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("doctor", "Say what is wrong, and what to do");
  verb->footer(kDoctorFooter);
  const auto options = std::make_shared<DoctorOptions>();
  verb->add_option("--name", options->name, "Whether this name could be used, and who holds it")
      ->check(check_name)
      ->option_text("NAME");
  cli::add_connection_options(*verb, options->common);
  cli::add_format_option(*verb, options->common);
  verb->callback([options, &program] { program.end = Doctor(*options, program.software).run(); });
}

}  // namespace zpost::inspect
