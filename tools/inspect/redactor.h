// What must not reach a capture file is replaced before. docs/capture.md, "Redaction". Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/inspect/redacted_fields.h"
#include "tools/inspect/tap_reader.h"
#include "zpost/protocol/envelope.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::inspect {

struct Redactions {
  std::vector<std::string> from;    // Patterns of names,
  std::vector<std::string> to;      // of names and services,
  std::vector<std::string> topics;  // and of topics: bodies are replaced whole.
  std::vector<FieldPath> fields;    // Replaced in bodies.
  std::vector<std::string> words;   // As they were said.

  [[nodiscard]] bool empty() const { return words.empty(); }
};

/// Takes `from=PATTERN`, `to=PATTERN`, `topic=PATTERN` or `field=PATH`. What is wrong; empty:
/// nothing.
[[nodiscard]] std::string add_redaction(const std::string& word, Redactions& redactions);

/// --redact.
void add_redact_option(CLI::App& verb, Redactions& redactions);

/// Thread: one.
class Redactor {
 public:
  static constexpr std::string_view kMarker = "[redacted]";

  explicit Redactor(const Redactions& rules) : rules_(rules) {}

  /// False: nothing of `entry` must be hidden. Otherwise `redacted` is it without what must; its
  /// bytes are valid until the next call. An envelope that is cut and must be decoded is hidden
  /// whole.
  [[nodiscard]] bool apply(const TapEntry& entry, TapEntry& redacted);

 private:
  /// An envelope up to its body.
  struct Header {
    std::uint8_t kind_number = 0;
    std::string_view to = {};
    std::string_view from = {};
    std::size_t fields_begin = 0;  // Behind the array's tag.
    std::size_t meta_end = 0;
  };

  [[nodiscard]] static std::optional<Header> read_header(Bytes bytes);
  [[nodiscard]] bool hides_body(const Header& header) const;
  [[nodiscard]] bool append(Bytes bytes, const EnvelopeView* whole);
  void put(Bytes bytes, const Header& header, Bytes body, bool is_text);

  const Redactions& rules_;
  ByteBuffer bytes_;
  ByteBuffer body_;
};

}  // namespace zpost::inspect
