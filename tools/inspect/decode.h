// Bodies as people can read them: MessagePack, JSON, text, or the bytes themselves. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "peer/cli/shared/json_fwd.h"
#include "tools/inspect/shown_envelopes.h"

namespace zpost::inspect {

enum class Decoding : std::uint8_t {
  kAuto,  // As the content type says; without one, as the first bytes look.
  kMsgpack,
  kJson,
  kText,
  kHex,
};

/// "auto", "msgpack", …
[[nodiscard]] std::optional<Decoding> decoding_from_name(std::string_view name);

/// On one line, safe for a terminal. What is not what it is said to be is shown as bytes, with a
/// word about it.
[[nodiscard]] std::string decoded_line(const ShownEnvelope& envelope, Decoding decoding);

/// One row for each value, key or line of text, or for 16 bytes; at most kMaxTreeRows and a last
/// one that says how many are left out. Safe for a terminal.
inline constexpr std::size_t kMaxTreeRows = 200;
[[nodiscard]] std::vector<std::string> decoded_tree(const ShownEnvelope& envelope,
                                                    Decoding decoding);

/// The values of a body that is MessagePack or JSON, as far as its content type says or its first
/// bytes look. Nothing: it is neither, or nested too deep.
[[nodiscard]] std::optional<cli::Json> decoded_value(const ShownEnvelope& envelope);

/// The tree of a value that somebody else made of a body. REQUIRES: not deeply nested.
[[nodiscard]] std::vector<std::string> rows_of_json(const cli::Json& json);
/// Text that somebody else made of a body, in the same two forms.
[[nodiscard]] std::string line_of_text(std::string_view text);
[[nodiscard]] std::vector<std::string> rows_of_text(std::string_view text);

}  // namespace zpost::inspect
