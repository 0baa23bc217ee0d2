// Any text as a filter, put to any bytes as an envelope. The text ends at the first line feed.
//
// Beyond crashes: an error lies within the text and says something; of an envelope that is whole
// the answer is one only, and the same again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "protocol/filter/filter.h"

namespace {

using namespace zpost;          // NOLINT(google-build-using-namespace): a program of one file.
using namespace zpost::filter;  // NOLINT(google-build-using-namespace)

void require(bool claim) {
  if (!claim) std::abort();
}

void put_to_bodies(const Filter& filter, Bytes body) {
  constexpr std::string_view kTypes[] = {"", "application/json", "application/msgpack", "text/x"};
  for (const std::string_view type : kTypes) {
    ShownEnvelope envelope{.id = 7, .content_type = type, .body = body, .size = body.size()};
    Subject subject{.from = "alice",
                    .to = "bob",
                    .kind_number = 16,
                    .first_id = 7,
                    .last_id = 7,
                    .count = 1,
                    .bytes = body.size(),
                    .envelope = &envelope};
    const Truth whole = filter.evaluate(subject);
    require(!whole.may_be_yes() || whole.is_certainly_yes());
    require(filter.evaluate(subject) == whole);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const std::string_view all = as_text(bytes);
  const std::string_view text = all.substr(0, all.find('\n'));
  const auto filter = Filter::compile(text);
  if (!filter) {
    require(filter.error().at <= text.size() && !filter.error().text.empty());
    require(!filter.error().with_caret(text).empty());
    return 0;
  }
  put_to_bodies(*filter, bytes.subspan(std::min(size, text.size() + 1)));
  (void)filter->evaluate({.event = TapEvent::kSession, .from = "bob"});
  return 0;
}
