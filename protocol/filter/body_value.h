// Values in the body of an envelope: MessagePack, JSON, or plain text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/filter/shown_envelope.h"

namespace zpost::filter {

/// A key of a map, or a place in an array, which counts from 0.
using PathStep = std::variant<std::string, std::uint64_t>;
/// `items[0].name`. Empty: the body itself.
using BodyPath = std::vector<PathStep>;

/// An array or a map.
struct Nested {};

/// Of null, true and false, numbers, text, arrays and maps. Text is valid during the visit only.
using BodyValue = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string_view, Nested>;

/// Nested deeper than this, a body is not looked into.
inline constexpr std::size_t kMaxBodyDepth = 32;

class BodyVisitor {
 public:
  virtual ~BodyVisitor() = default;
  virtual void visit(const BodyValue& value) = 0;
};

enum class Found : std::uint8_t {
  kThere,
  kAbsent,     // There is no such value, or the body is no MessagePack and no JSON.
  kUndecided,  // It may be in the part of the body that is cut off.
};

/// Shows `visitor` the value at `path`; of several under one key the first. The content type says
/// what the body is; without one, its first bytes. Bounded work for any bytes. The body itself is
/// the text it is made of, unless it is one number, one text, true, false or null.
[[nodiscard]] Found find_in_body(const ShownEnvelope& envelope, const BodyPath& path,
                                 BodyVisitor& visitor);

}  // namespace zpost::filter
