// Names of peers, and the socket identities that carry them. SPEC.md, section 2.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace zpost {

inline constexpr std::size_t kMaxNameBytes = 64;
inline constexpr std::size_t kTokenHexDigits = 32;

/// The recipient of all that a peer publishes, in receipts. SPEC.md, section 16.
inline constexpr std::string_view kAllTopics = "**";
/// What a service's name has before it there. SPEC.md, section 17.
inline constexpr char kServiceMark = '@';

/// True for `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
[[nodiscard]] bool is_name(std::string_view text);

/// True for a name, or a prefix of one (possibly empty) followed by `*`.
[[nodiscard]] bool is_name_pattern(std::string_view text);

/// True if `name` is `pattern`, or starts with what stands before its final `*`.
[[nodiscard]] bool matches_name_pattern(std::string_view pattern, std::string_view name);

/// True for a topic: 1 to kMaxTopicSegments segments, each like a name, joined by `/`,
/// kMaxTopicBytes in all.
[[nodiscard]] bool is_topic(std::string_view text);

/// True for a topic whose segments may also be `*`, and the last one `**`.
[[nodiscard]] bool is_topic_pattern(std::string_view text);

/// True if `topic` is what `pattern` says: `*` stands for one segment, `**` for one or more.
/// REQUIRES: is_topic_pattern(pattern), is_topic(topic).
[[nodiscard]] bool matches_topic_pattern(std::string_view pattern, std::string_view topic);

/// The first segment of `rest`, which loses it and the `/` behind it.
/// REQUIRES: !rest.empty().
[[nodiscard]] std::string_view next_segment(std::string_view& rest);

/// True for `digits` lowercase hexadecimal digits.
[[nodiscard]] bool is_hex(std::string_view text, std::size_t digits);

/// The NAME of an identity `NAME~TOKEN`, borrowed from it; nothing if it has another form.
[[nodiscard]] std::optional<std::string_view> name_of_identity(std::string_view identity);

/// True if `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace zpost
