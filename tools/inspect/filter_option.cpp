#include "tools/inspect/filter_option.h"

#include "peer/cli/shared/output.h"

namespace zpost::inspect {

bool compile_filter(const std::string& text, std::optional<filter::Filter>& filter) {
  filter.reset();
  if (text.empty()) return true;
  auto compiled = filter::Filter::compile(text);
  if (compiled) {
    filter = *std::move(compiled);
    return true;
  }
  cli::complain("the filter is wrong at " + compiled.error().with_caret(text));
  cli::note("docs/filter.md has the fields and examples");
  return false;
}

}  // namespace zpost::inspect
