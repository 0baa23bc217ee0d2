#include "tools/inspect/tap_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "protocol/filter/filter.h"
#include "tools/inspect/patterns.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

ByteBuffer encode(const TapWish& wish) {
  const auto [to, filter] = target_question(wish.to, wish.filter);
  ByteBuffer body;
  MsgpackWriter writer(body);
  const std::size_t entries = 2 + (wish.from.empty() ? 0U : 1U) + (to.empty() ? 0U : 1U) +
                              (wish.kinds.empty() ? 0U : 1U) + (filter.empty() ? 0U : 1U) +
                              (wish.each ? 1U : 0U);
  writer.map(entries).str("op").str("tap").str("snap").uint(wish.snap);
  if (wish.each) writer.str("each").boolean(true);
  if (!wish.from.empty()) writer.str("from").str(wish.from);
  if (!to.empty()) writer.str("to").str(to);
  if (!filter.empty()) writer.str("filter").str(filter);
  if (wish.kinds.empty()) return body;
  writer.str("kinds").array(wish.kinds.size());
  for (const Kind kind : wish.kinds) writer.uint(static_cast<std::uint64_t>(kind));
  return body;
}

std::string with_events(const std::string& filter, const std::set<TapEvent>& events) {
  std::vector<std::string_view> names;
  for (const TapEvent event : events) names.push_back(event_name(event));
  std::string all = both(filter, fmt::format("event in ({})", fmt::join(names, ", ")));
  return filter::Filter::compile(all) ? all : filter;
}

bool tell_by_themselves(const std::set<TapEvent>& events) {
  return std::ranges::all_of(events, [](TapEvent event) {
    switch (event) {
      case TapEvent::kReceived:
      case TapEvent::kSession:
      case TapEvent::kDropped:
      case TapEvent::kFlow:
      case TapEvent::kAsked:
        return true;
      default:
        return false;
    }
  });
}

ByteBuffer encode_untap() {
  ByteBuffer body;
  MsgpackWriter(body).map(1).str("op").str("untap");
  return body;
}

}  // namespace zpost::inspect
