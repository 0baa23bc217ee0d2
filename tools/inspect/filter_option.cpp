#include "tools/inspect/filter_option.h"

#include <fmt/format.h>

#include "peer/cli/shared/output.h"
#include "protocol/filter/fields.h"

namespace zpost::inspect {
namespace {

/// For whoever made a mistake.
void note_filter_help() {
  cli::note(fmt::format("fields: {}, body.KEY", filter::field_names()));
  cli::note(
      "= != < <= > >= ~ (contains) in (A, B); and, or, not, ( ); docs/filter.md has examples");
}

}  // namespace

bool compile_filter(const std::string& text, std::optional<filter::Filter>& filter) {
  filter.reset();
  if (text.empty()) return true;
  auto compiled = filter::Filter::compile(text);
  if (compiled) {
    filter = *std::move(compiled);
    return true;
  }
  cli::complain("the filter is wrong at " + compiled.error().with_caret(text));
  note_filter_help();
  return false;
}

}  // namespace zpost::inspect
