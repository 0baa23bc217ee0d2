#include "peer/cli/body_options.h"

#include <CLI/CLI.hpp>

namespace zpost::cli {

void add_body_file_option(CLI::App& verb, BodySource& source, const std::string& what) {
  verb.add_option(kBodyFile, source.file, what)->option_text("FILE");
}

}  // namespace zpost::cli
