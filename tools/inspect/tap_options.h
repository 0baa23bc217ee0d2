// The options that choose what is seen: the same for all verbs that look at records.
#pragma once

#include <set>
#include <string>

#include "tools/inspect/tap_request.h"
#include "zpost/protocol/tap_record.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::inspect {

/// --filter, --from, --to, --kind and --events. Both must outlive the parsing.
void add_choice_of_records(CLI::App& verb, TapWish& wish, std::set<TapEvent>& events);
/// The same without --filter.
void add_choice_by_header(CLI::App& verb, TapWish& wish, std::set<TapEvent>& events);

}  // namespace zpost::inspect
