// Who watches a replay: what is shown, and what the keys do.
#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/decode.h"
#include "tools/inspect/envelope_columns.h"
#include "tools/inspect/replay_run.h"
#include "tools/inspect/terminal_lines.h"

namespace zpost::inspect {
namespace {

constexpr peer::milliseconds kProgress{200};
constexpr std::size_t kUsualColumns = 140;  // Of a file or pipe.

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
      std::uint64_t passed_over = 0;
      for (std::size_t i = first; i < first + count; ++i) {
        progress_.ended[i] = true;
        if (cast_.is_sent[i]) ++passed_over;
      }
      report_.add_passed_over(passed_over);
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
      cli::note(folded(kReplayKeys, cli::terminal_columns()));
      break;
  }
}

void ReplayRun::show_progress(const ReplayKeyboard* keyboard, ReplayTime now) {
  if (keyboard != nullptr && schedule_.is_paused()) show_next();
  if (cli::terminal_columns() == 0 || now < next_progress_) return;
  next_progress_ = now + kProgress;
  std::string line = fmt::format("{} of {} sent", cli::count_text(sent_),
                                 cli::count_text(cast_.sent_count() * manner_.loops));
  if (manner_.loops > 1) line += fmt::format(", loop {} of {}", loop_, manner_.loops);
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
  const std::size_t known = cli::terminal_columns();
  const std::size_t columns = known == 0 ? kUsualColumns : known - 1;
  const std::string place = fmt::format("next {}: ", *shown_next_ + 1);
  const std::string_view kind = kind_name(item.kind);
  const std::size_t beside = place.size() + 1 + kind.size() + 1 + kLeastBodyColumns;
  const std::string way =
      way_text(who(plan_.sender_of(item)), who(item.to), columns - std::min(columns, beside));
  const std::string line = fmt::format("{}{} {} {}", place, way, kind,
                                       cli::visible_line(decoded_line(body, Decoding::kAuto)));
  cli::note(cli::shortened(line, columns));
}

}  // namespace zpost::inspect
