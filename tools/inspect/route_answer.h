// What the broker says about an envelope's way, and how people are told. SPEC.md, section 11.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/palette.h"
#include "zpost/protocol/envelope.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// The envelope whose way is asked for.
struct RouteWish {
  Kind kind = Kind::kSend;
  std::string from;  // Empty: a peer that just came.
  std::string to;
  std::uint64_t bytes = 0;  // Of its body.
  bool retain = false;
};

/// The body of a request to the broker for one page; `start` is what the page before said is next.
[[nodiscard]] ByteBuffer encode(const RouteWish& wish, std::uint64_t start);

/// The pages' answer as one map of JSON, with `outcome` as its name.
// NOLINTNEXTLINE(bugprone-exception-escape): Json checks itself when it is moved, and never fails.
class RouteAnswer {
 public:
  /// Adds the next page. Error: it cannot be read.
  [[nodiscard]] Result<void> add(Bytes page);

  /// Where the next page starts; 0: there is none.
  [[nodiscard]] std::uint64_t next() const { return next_; }

  /// REQUIRES: a page was added.
  [[nodiscard]] const cli::Json& json() const { return json_; }

  [[nodiscard]] bool is_refused() const;

  /// Who would get it. REQUIRES: a page was added.
  [[nodiscard]] std::vector<std::string> recipients() const;

 private:
  cli::Json json_;
  std::uint64_t next_ = 0;
};

/// In words, several lines: what would become of it, then a line for each recipient.
[[nodiscard]] std::string route_text(const cli::Json& answer, const cli::Palette& palette);

}  // namespace zpost::inspect
