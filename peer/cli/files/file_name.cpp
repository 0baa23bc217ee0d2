#include "peer/cli/files/file_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/text.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

/// At most `bytes` of it, whole characters.
std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

std::string file_name_trouble(std::string_view name) {
  if (name.empty()) return "a file needs a name";
  const std::string shown = shortened(visible_line(name), 80);
  if (name.size() > kMaxFileNameBytes) {
    return fmt::format("the name {} has {} bytes, the limit is {}", shown, name.size(),
                       kMaxFileNameBytes);
  }
  if (!is_utf8(name)) return fmt::format("the name {} is no UTF-8", shown);
  if (name.find('/') != std::string_view::npos) {
    return fmt::format("{} is a path, not the name of a file", shown);
  }
  if (name.front() == '.') return fmt::format("the name {} begins with a dot", shown);
  // Control characters, and the marks that make a name look like another.
  if (visible_line(name) != name) {
    return fmt::format("the name {} has characters that cannot be shown", shown);
  }
  return "";
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0.
}

std::string numbered_name(std::string_view name, unsigned number) {
  const std::string suffix = fmt::format(" ({})", number);
  std::size_t dot = name.rfind('.');
  constexpr std::size_t kLongestExtension = 16;
  if (dot == 0 || dot == std::string_view::npos || name.size() - dot > kLongestExtension) {
    dot = name.size();
  }
  const std::string_view extension = name.substr(dot);
  const std::size_t room = kMaxFileNameBytes - suffix.size() - extension.size();
  return fmt::format("{}{}{}", cut(name.substr(0, dot), room), suffix, extension);
}

std::string part_name(std::string_view name, std::string_view transfer) {
  constexpr std::string_view kEnd = ".part";
  const std::size_t room = kMaxFileNameBytes - 2 - transfer.size() - kEnd.size();
  return fmt::format(".{}.{}{}", cut(name, room), transfer, kEnd);
}

}  // namespace zpost::cli
