// Fields of JSON and msgpack bodies that must not be read. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zpost/protocol/msgpack_writer.h"

namespace zpost::inspect {

/// Keys from the outside in; `*` stands for any. Elements of arrays need no key: a path goes
/// through them.
using FieldPath = std::vector<std::string>;

/// `user.password`; nothing for an empty path or key.
[[nodiscard]] std::optional<FieldPath> parse_field_path(std::string_view text);

enum class FieldsFound : std::uint8_t {
  kNone,        // The body has no such field.
  kSome,        // They were replaced.
  kUnreadable,  // Neither JSON nor msgpack, or nested too deep: nobody knows.
};

/// Appends the body with `marker` in place of the values of `paths`, if there are any; otherwise
/// nothing. An empty body has no fields.
[[nodiscard]] FieldsFound redact_fields(Bytes body, const std::vector<FieldPath>& paths,
                                        std::string_view marker, ByteBuffer& out);

}  // namespace zpost::inspect
