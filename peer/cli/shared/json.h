// JSON as the programs print it: one object a line, keys in the order they were put.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "peer/cli/shared/json_fwd.h"

namespace zpost::cli {

/// One line with its newline. Text that is no UTF-8 gets replacement characters.
[[nodiscard]] inline std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// Ids are above 2^53, where many readers of JSON round numbers: they go as strings.
[[nodiscard]] inline std::string json_id(std::uint64_t id) {
  return std::to_string(id);
}

}  // namespace zpost::cli
