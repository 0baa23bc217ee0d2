// What a dry run is asked, and how its answer is put together. SPEC.md, section 11.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "zpost/protocol/kinds.h"
#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/result.h"

namespace zpost::core {

/// The envelope whose way is to be told.
struct RouteQuestion {
  Kind kind = Kind::kSend;  // A payload kind.
  std::string_view from;    // A name; empty: somebody new.
  std::string_view to;      // As in an envelope of that kind.
  std::uint64_t bytes = 0;  // Of its body.
  bool retain = false;      // A publish.
  std::uint64_t start = 0;  // Recipients before this one are left out.
};

/// Reads the body of a request `route`; views point into it. Unknown keys are skipped. Error: the
/// key that is wrong.
[[nodiscard]] Result<RouteQuestion> parse_route_question(Bytes request);

/// A msgpack map that grows: keys are not looked at twice, the caller sees to it that they differ.
class MapWriter {
 public:
  MapWriter& text(std::string_view key, std::string_view value) {
    next(key).str(value);
    return *this;
  }

  MapWriter& number(std::string_view key, std::uint64_t value) {
    next(key).uint(value);
    return *this;
  }

  MapWriter& flag(std::string_view key, bool value) {
    next(key).boolean(value);
    return *this;
  }

  /// Bytes that are one msgpack value.
  MapWriter& value(std::string_view key, Bytes value) {
    next(key).raw(value);
    return *this;
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  /// The map as msgpack.
  [[nodiscard]] ByteBuffer done() const {
    ByteBuffer map;
    MsgpackWriter(map).map(count_).raw(entries_);
    return map;
  }

 private:
  MsgpackWriter next(std::string_view key) {
    ++count_;
    MsgpackWriter writer(entries_);
    writer.str(key);
    return writer;
  }

  ByteBuffer entries_;
  std::size_t count_ = 0;
};

}  // namespace zpost::core
