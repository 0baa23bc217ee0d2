// What a filter can say of what it is asked about: a set of answers, for it may know only a part.
#pragma once

#include <cstdint>

namespace zpost::filter {

/// The answers that are possible: no, unknown (what is asked about is not there to be looked at),
/// yes. One alone is certain. Several: an answer for each envelope of a run, or somebody else can
/// tell.
class Truth {
 public:
  /// No.
  constexpr Truth() = default;

  static constexpr Truth no() { return Truth(kNo); }

  static constexpr Truth unknown() { return Truth(kUnknown); }

  static constexpr Truth yes() { return Truth(kYes); }

  static constexpr Truth maybe() { return Truth(kNo | kUnknown | kYes); }

  static constexpr Truth of(bool claim) { return claim ? yes() : no(); }

  /// Of neighbours: some and some. REQUIRES: one of them.
  static constexpr Truth some(bool some_yes, bool some_no) {
    return Truth((some_yes ? kYes : 0U) | (some_no ? kNo : 0U));
  }

  [[nodiscard]] constexpr bool may_be_yes() const { return (bits_ & kYes) != 0; }

  [[nodiscard]] constexpr bool is_certainly_no() const { return bits_ == kNo; }

  [[nodiscard]] constexpr bool is_certainly_yes() const { return bits_ == kYes; }

  /// The opposite of unknown is unknown.
  constexpr Truth operator!() const {
    return Truth((bits_ & kUnknown) | (may_be_yes() ? kNo : 0U) | ((bits_ & kNo) != 0 ? kYes : 0U));
  }

  friend constexpr Truth operator&(Truth a, Truth b) {
    const bool unknown = ((a.bits_ & kUnknown) != 0 && (b.bits_ & (kUnknown | kYes)) != 0) ||
                         ((b.bits_ & kUnknown) != 0 && (a.bits_ & (kUnknown | kYes)) != 0);
    return Truth((a.bits_ & b.bits_ & kYes) | ((a.bits_ | b.bits_) & kNo) |
                 (unknown ? kUnknown : 0U));
  }

  friend constexpr Truth operator|(Truth a, Truth b) { return !((!a) & (!b)); }

  friend constexpr bool operator==(Truth a, Truth b) = default;

 private:
  static constexpr unsigned kNo = 1;
  static constexpr unsigned kUnknown = 2;
  static constexpr unsigned kYes = 4;

  constexpr explicit Truth(unsigned bits) : bits_(static_cast<std::uint8_t>(bits)) {}

  std::uint8_t bits_ = kNo;
};

}  // namespace zpost::filter
