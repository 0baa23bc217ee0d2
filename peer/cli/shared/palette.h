// Colours, where they are wanted.
#pragma once

#include <string>
#include <string_view>

namespace zpost::cli {

enum class Ink { kPlain, kDim, kBold, kRed, kGreen, kYellow, kCyan };

/// True if `descriptor` is a terminal that shows colours and nobody set NO_COLOR.
[[nodiscard]] bool wants_colour(int descriptor);

class Palette {
 public:
  explicit Palette(bool on) : on_(on) {}

  [[nodiscard]] std::string paint(Ink ink, std::string_view text) const;
  /// A peer's name, always in the same colour.
  [[nodiscard]] std::string name(std::string_view name) const;

  [[nodiscard]] bool on() const { return on_; }

 private:
  [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const;

  bool on_;
};

}  // namespace zpost::cli
