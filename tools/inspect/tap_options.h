// The options that choose what is seen: the same for all verbs that look at records.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "protocol/filter/filter.h"
#include "tools/inspect/tap_request.h"
#include "zpost/protocol/tap_record.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::inspect {

/// --filter, --from, --to, --kind and --events. All must outlive the parsing. `filter`: where the
/// filter goes, compiled, for verbs that judge records themselves.
void add_choice_of_records(CLI::App& verb, TapWish& wish, std::set<TapEvent>& events,
                           std::optional<filter::Filter>* filter = nullptr);
/// The same without --filter.
void add_choice_by_header(CLI::App& verb, TapWish& wish, std::set<TapEvent>& events);

}  // namespace zpost::inspect
