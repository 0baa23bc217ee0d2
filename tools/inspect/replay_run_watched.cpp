// Who watches a replay: what is shown, and what the keys do.
#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/decode.h"
#include "tools/inspect/replay_run.h"

namespace zpost::inspect {
namespace {

constexpr peer::milliseconds kProgress{200};

}  // namespace

void ReplayRun::obey(const ReplayKey& key, ReplayTime now) {
  switch (key.what) {
    case ReplayKey::What::kStep:
      schedule_.pause(now);
      schedule_.step(key.count);
      break;
    case ReplayKey::What::kSkip: {
      const std::size_t first = schedule_.is_over() ? 0 : schedule_.next();
      const std::uint64_t count = schedule_.skip(key.count, now);
      for (std::size_t i = first; i < first + count; ++i) progress_.ended[i] = true;
      cli::note(cli::counted(count, "envelope") + " passed over");
      break;
    }
    case ReplayKey::What::kGoOn:
      schedule_.go_on(now);
      break;
    case ReplayKey::What::kPause:
      schedule_.is_paused() ? schedule_.go_on(now) : schedule_.pause(now);
      break;
    case ReplayKey::What::kQuit:
      ending_ = ReplayEnding::kStopped;
      break;
    case ReplayKey::What::kHelp:
      cli::note(kReplayKeys);
      break;
  }
}

void ReplayRun::show_progress(const ReplayKeyboard* keyboard, ReplayTime now) {
  if (keyboard != nullptr && schedule_.is_paused()) show_next();
  if (cli::terminal_columns() == 0 || now < next_progress_) return;
  next_progress_ = now + kProgress;
  std::string line = fmt::format("{} of {} sent", cli::count_text(sent_),
                                 cli::count_text(plan_.items.size() * manner_.loops));
  if (report_.different() > 0) {
    line += fmt::format(", {} different", cli::count_text(report_.different()));
  }
  if (schedule_.is_paused()) line += ", stands still (? tells the keys)";
  if (keyboard != nullptr && !keyboard->typed().empty()) line += " " + keyboard->typed();
  cli::show_last_line(cli::shortened(line, cli::terminal_columns() - 1));
}

/// What a step would send.
void ReplayRun::show_next() {
  if (schedule_.is_over() || shown_next_ == schedule_.next()) return;
  shown_next_ = schedule_.next();
  const ReplayItem& item = plan_.items[*shown_next_];
  const ShownEnvelope body{.content_type = item.body.content_type,
                           .body_is_text = item.body.is_text,
                           .body = item.body.bytes};
  const std::string line =
      fmt::format("next {}: {} → {} {} {}", *shown_next_ + 1, plan_.sender_of(item), item.to,
                  kind_name(item.kind), decoded_line(body, Decoding::kAuto));
  const std::size_t columns = cli::terminal_columns();
  cli::note(cli::shortened(cli::visible_line(line), columns == 0 ? 140 : columns - 1));
}

}  // namespace zpost::inspect
