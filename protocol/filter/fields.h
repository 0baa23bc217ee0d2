// What can be asked about, and the words for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zpost::filter {

enum class Field : std::uint8_t {
  kFrom,
  kTo,
  kPeer,
  kTopic,
  kService,
  kKind,
  kEvent,
  kOutcome,
  kHeld,
  kChange,
  kId,
  kCount,
  kSize,
  kBytes,
  kQueues,
  kAttempt,
  kLatency,
  kInReplyTo,
  kContentType,
  kRejected,
  kBody,
};

/// What a field is compared with.
enum class Type : std::uint8_t {
  kText,   // A pattern.
  kTopic,  // A pattern of topics.
  kWord,   // One of a closed list.
  kNumber,
  kSize,      // In bytes.
  kDuration,  // In ns.
  kFlag,      // Nothing: it is true or not.
  kAny,       // Text, a number, true, false or null.
};

struct FieldInfo {
  Field field;
  Type type;
  std::string_view name;
};

[[nodiscard]] std::optional<FieldInfo> field_named(std::string_view name);
[[nodiscard]] std::string_view field_name(Field field);
/// Whether only the envelope itself can tell it: its meta or its body.
[[nodiscard]] bool is_in_envelope(Field field);

/// The number that `word` stands for; of a field of type kWord.
[[nodiscard]] std::optional<std::uint64_t> number_of_word(Field field, std::string_view word);

/// All of them, with commas between them.
[[nodiscard]] std::string field_names();

/// "; did you mean from?", or nothing.
[[nodiscard]] std::string nearest_field(std::string_view word);
/// The same for the words of a field, or all of them if none is near.
[[nodiscard]] std::string nearest_word(Field field, std::string_view word);

/// A number and its unit, in bytes. Nothing: it is none, or beyond 2^63.
[[nodiscard]] std::optional<std::uint64_t> read_size(std::string_view text);
/// In ns.
[[nodiscard]] std::optional<std::uint64_t> read_duration(std::string_view text);
/// Digits only.
[[nodiscard]] std::optional<std::uint64_t> read_number(std::string_view text);

}  // namespace zpost::filter
