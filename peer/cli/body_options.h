// The option that takes a body from a file: one name in every verb that has a body.
#pragma once

#include <string>

#include "peer/cli/body_source.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::cli {

inline constexpr const char* kBodyFile = "--body-file";

void add_body_file_option(CLI::App& verb, BodySource& source, const std::string& what);

}  // namespace zpost::cli
