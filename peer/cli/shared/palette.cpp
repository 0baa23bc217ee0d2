#include "peer/cli/shared/palette.h"

#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace zpost::cli {
namespace {

std::string_view code_of(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kDim:
      return "2";
    case Ink::kBold:
      return "1";
    case Ink::kRed:
      return "31";
    case Ink::kGreen:
      return "32";
    case Ink::kYellow:
      return "33";
    case Ink::kCyan:
      return "36";
  }
  return "";
}

// Readable on dark and on light; red and yellow mean trouble.
constexpr std::array<std::string_view, 6> kNames{"1;36", "1;35", "1;34", "1;32", "36", "35"};

}  // namespace

bool wants_colour(int descriptor) {
  const char* const no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* const terminal = std::getenv("TERM");
  const bool capable = terminal != nullptr && std::string_view(terminal) != "dumb";
  return capable && ::isatty(descriptor) == 1;
}

std::string Palette::wrap(std::string_view code, std::string_view text) const {
  if (!on_ || code.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string Palette::paint(Ink ink, std::string_view text) const {
  return wrap(code_of(ink), text);
}

std::string Palette::name(std::string_view name) const {
  std::uint32_t hash = 2'166'136'261;  // FNV-1a: the same colour on every machine.
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return wrap(kNames[hash % kNames.size()], name);
}

}  // namespace zpost::cli
