// Any bytes as a body that an inspector shows, in every form. The first byte chooses the content
// type and whether it is cut.
//
// Beyond crashes: nothing that moves a terminal's cursor comes out, and no more rows than promised.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "tools/inspect/decode.h"
#include "zpost/protocol/names.h"

namespace {

using namespace zpost;           // NOLINT(google-build-using-namespace): a program of one file.
using namespace zpost::inspect;  // NOLINT(google-build-using-namespace)

void require(bool claim) {
  if (!claim) std::abort();
}

void require_harmless(const std::string& text) {
  require(is_utf8(text));
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kTypes[] = {"", "application/json", "application/msgpack", "text/x"};
  if (size == 0) return 0;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const ShownEnvelope envelope{.content_type = kTypes[data[0] % 4U],
                               .body_is_text = (data[0] & 8U) != 0,
                               .body = bytes.subspan(1),
                               .cut = (data[0] & 4U) != 0};
  for (const char* const name : {"auto", "msgpack", "json", "text", "hex"}) {
    const Decoding decoding = *decoding_from_name(name);
    require_harmless(decoded_line(envelope, decoding));
    const auto rows = decoded_tree(envelope, decoding);
    require(rows.size() <= kMaxTreeRows + 2);
    for (const std::string& row : rows) require_harmless(row);
  }
  return 0;
}
