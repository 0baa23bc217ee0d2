// Any bytes as a capture in JSON lines.
//
// Beyond crashes: after a line that is no record reading goes on, and ends; what is read is written
// and read back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "tools/inspect/json_lines_reader.h"
#include "tools/inspect/tail_json.h"
#include "tools/inspect/tail_line.h"

namespace {

using namespace zpost;           // NOLINT(google-build-using-namespace): a program of one file.
using namespace zpost::inspect;  // NOLINT(google-build-using-namespace)

void require(bool claim) {
  if (!claim) std::abort();
}

/// Reads all of it and writes what can be read.
std::string rewritten(std::string_view text, bool must_be_good) {
  capture::MemorySource source(as_bytes(text));
  JsonLinesReader reader(source);
  std::string written;
  std::vector<TailLine> lines;
  std::uint64_t before = 0;
  while (true) {
    const Result<bool> more = reader.next();
    require(reader.offset() >= before && reader.bytes_read() <= text.size());
    before = reader.offset();
    if (!more) {
      require(!must_be_good && !more.error().text.empty());
      if (!reader.resume()) return written;
      require(reader.offset() > before);
      continue;
    }
    if (!*more) return written;
    lines.clear();
    append_lines(reader.entry(), lines);
    for (TailLine& line : lines) {
      line.redacted = reader.is_redacted();
      written += tail_json(line);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string once = rewritten(as_text(std::as_bytes(std::span(data, size))), false);
  require(rewritten(once, true) == once);
  return 0;
}
