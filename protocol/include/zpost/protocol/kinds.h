// The kinds of envelope. SPEC.md, section 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace zpost {

/// The value is the wire number.
enum class Kind : std::uint8_t {
  kHello = 1,
  kWelcome = 2,
  kRefused = 3,
  kGoodbye = 4,
  kPing = 5,
  kPong = 6,
  kSend = 16,
  kRequest = 17,
  kReply = 18,
  kPublish = 19,
  kCall = 20,
  kOutcome = 32,
  kCancel = 33,
  kAck = 48,
  kCredit = 49,
  kReceipt = 50,
  kDoubt = 51,
  kSubscribe = 64,
  kUnsubscribe = 65,
  kOffer = 66,
  kWithdraw = 67,
  kWatch = 68,
  kDescribe = 69,
  kPresence = 80,
  kGap = 81,
};

/// "send", "request", …; "unknown" for other numbers.
[[nodiscard]] std::string_view kind_name(Kind kind);

/// The inverse of kind_name; nothing for other words.
[[nodiscard]] std::optional<Kind> kind_from_name(std::string_view name);

/// True for what peers say to each other: it has an id, a cost and an outcome.
[[nodiscard]] constexpr bool is_payload(Kind kind) {
  return kind >= Kind::kSend && kind <= Kind::kCall;
}

/// True for what counts on the program lane when the broker sends it. SPEC.md, section 7, "Acks".
[[nodiscard]] constexpr bool is_program_lane(Kind kind) {
  return is_payload(kind) || kind == Kind::kPresence || kind == Kind::kGap || kind == Kind::kCancel;
}

}  // namespace zpost
