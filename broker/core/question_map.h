// The body of a question to the broker: one msgpack map with text for keys. SPEC.md, section 11.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "zpost/protocol/limits.h"
#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/result.h"

namespace zpost::core {

/// What is wrong with a map, said for whoever asks. `key`: whose value it is; nothing: of one that
/// nobody knows. What a stranger makes up has no place in a log, so that is not named.
[[nodiscard]] Error no_question(const MsgpackReader& reader);
[[nodiscard]] Error bad_question_key(const MsgpackReader& reader);
[[nodiscard]] Error bad_question_value(const MsgpackReader& reader,
                                       std::optional<std::string_view> key);

/// Gives each entry to `read(reader, key)`, which reads the value and says whether it is good.
/// Nothing, and nothing read: it does not know the key, which is skipped. Error: the key that is
/// wrong, and where.
template <typename Read>
[[nodiscard]] Result<void> read_question_map(Bytes body, Read read) {
  MsgpackReader reader(body);
  std::size_t entries = 0;
  if (!reader.read_map(entries, kMaxMetaEntries)) return no_question(reader);
  for (; entries > 0; --entries) {
    std::string_view key;
    if (!reader.read_str(key)) return bad_question_key(reader);
    const std::optional<bool> good = read(reader, key);
    if (!good && !reader.skip()) return bad_question_value(reader, std::nullopt);
    if (good && !*good) return bad_question_value(reader, key);
  }
  return {};
}

}  // namespace zpost::core
