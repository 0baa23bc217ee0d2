// Json where a declaration is enough: nlohmann's header takes its time to compile.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace zpost::cli {

using Json = nlohmann::ordered_json;

}  // namespace zpost::cli
