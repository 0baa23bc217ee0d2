#include "tools/inspect/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/msgpack_json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "protocol/filter/body_form.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

using cli::Json;

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kBytesInRow = 16;
constexpr std::size_t kBytesInLine = 32;
// What a whole terminal shows in a row, and more.
constexpr std::size_t kLongestText = 4096;

struct NamedDecoding {
  std::string_view name;
  Decoding decoding;
};

constexpr std::array kDecodings{
    NamedDecoding{"auto", Decoding::kAuto}, NamedDecoding{"msgpack", Decoding::kMsgpack},
    NamedDecoding{"json", Decoding::kJson}, NamedDecoding{"text", Decoding::kText},
    NamedDecoding{"hex", Decoding::kHex}};

/// A body once it is known what it is.
struct DecodedBody {
  std::optional<Json> json = {};  // Of MessagePack, too.
  std::optional<std::string_view> text = {};
  std::string_view complaint = {};  // It is not what was asked for.
};

/// Whether the parser, and what shows the result, need not go deeper than kMaxDepth.
bool is_shallow(std::string_view text) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && (c == '[' || c == '{')) {
      if (++depth > kMaxDepth) return false;
    } else if (!in_text && (c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return true;
}

std::optional<Json> json_of(Bytes body) {
  const std::string_view text = as_text(body);
  if (!is_shallow(text)) return std::nullopt;
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

/// Text without NUL; the last character of a body that is cut need not be whole.
bool is_text(const ShownEnvelope& envelope) {
  constexpr std::size_t kLongestCharacter = 4;
  std::string_view text = as_text(envelope.body);
  if (text.find('\0') != std::string_view::npos) return false;
  if (is_utf8(text)) return true;
  for (std::size_t i = 1; envelope.cut && i < kLongestCharacter && i < text.size(); ++i) {
    if (is_utf8(text.substr(0, text.size() - i))) return true;
  }
  return false;
}

DecodedBody text_or_bytes(const ShownEnvelope& envelope) {
  if (is_text(envelope)) return {.text = as_text(envelope.body)};
  return {};
}

DecodedBody guessed(const ShownEnvelope& envelope) {
  const BodyForm form = guess_form(envelope.body, envelope.body_is_text, envelope.content_type);
  DecodedBody decoded;
  if (form == BodyForm::kJson) decoded.json = json_of(envelope.body);
  if (form == BodyForm::kMsgpack) decoded.json = cli::json_from_msgpack(envelope.body);
  return decoded.json ? decoded : text_or_bytes(envelope);
}

DecodedBody decode(const ShownEnvelope& envelope, Decoding decoding) {
  DecodedBody decoded;
  switch (decoding) {
    case Decoding::kAuto:
      return guessed(envelope);
    case Decoding::kMsgpack:
      decoded.json = cli::json_from_msgpack(envelope.body);
      if (!decoded.json) decoded.complaint = "not MessagePack: ";
      break;
    case Decoding::kJson:
      decoded.json = json_of(envelope.body);
      if (!decoded.json) decoded.complaint = "not JSON: ";
      break;
    case Decoding::kText:
      decoded.text = as_text(envelope.body);
      break;
    case Decoding::kHex:
      break;
  }
  if (!decoded.complaint.empty() && envelope.cut) decoded.complaint = "cut (see --snap): ";
  return decoded;
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string hex_of(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    fmt::format_to(std::back_inserter(text), "{}{:02x}", text.empty() ? "" : " ",
                   std::to_integer<unsigned>(byte));
  }
  return text;
}

std::string hex_line(const ShownEnvelope& envelope) {
  const Bytes shown = envelope.body.first(std::min(envelope.body.size(), kBytesInLine));
  const bool more = envelope.cut || shown.size() < envelope.body.size();
  return fmt::format("{}{}{}{}", cli::size_text(envelope.body.size()), shown.empty() ? "" : ": ",
                     hex_of(shown), more ? " …" : "");
}

/// Rows up to a bound; the others are only counted.
class Rows {
 public:
  void add(std::string row) {
    if (rows_.size() < kMaxTreeRows) {
      rows_.push_back(std::move(row));
    } else {
      ++left_out_;
    }
  }

  [[nodiscard]] std::vector<std::string> take() {
    if (left_out_ > 0) rows_.push_back(fmt::format("… {} more", cli::counted(left_out_, "row")));
    return std::move(rows_);
  }

 private:
  std::vector<std::string> rows_;
  std::size_t left_out_ = 0;
};

std::string scalar_text(const Json& json) {
  return cli::visible_line(dumped(json));
}

void add_value(Rows& rows, const Json& json, const std::string& indent, const std::string& name);

void add_parts(Rows& rows, const Json& json, const std::string& indent) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      add_value(rows, value, indent, cli::visible_line(key));
    }
    return;
  }
  std::size_t place = 0;
  for (const Json& each : json) add_value(rows, each, indent, fmt::format("[{}]", place++));
}

/// Recursion is bounded: what is decoded is at most kMaxDepth deep.
void add_value(Rows& rows, const Json& json, const std::string& indent, const std::string& name) {
  if (!json.is_structured() || json.empty()) {
    return rows.add(fmt::format("{}{}: {}", indent, name, scalar_text(json)));
  }
  rows.add(fmt::format("{}{}:", indent, name));
  add_parts(rows, json, indent + "  ");
}

std::string printable(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    const auto c = std::to_integer<char>(byte);
    text += c >= 0x20 && c < 0x7f ? c : '.';
  }
  return text;
}

std::vector<std::string> hex_rows(const ShownEnvelope& envelope) {
  Rows rows;
  for (std::size_t at = 0; at < envelope.body.size(); at += kBytesInRow) {
    const Bytes row = envelope.body.subspan(at, std::min(kBytesInRow, envelope.body.size() - at));
    rows.add(fmt::format("{:04x}  {:<47}  {}", at, hex_of(row), printable(row)));
  }
  if (envelope.cut) rows.add("… the rest is cut; see --snap");
  return rows.take();
}

}  // namespace

std::optional<Decoding> decoding_from_name(std::string_view name) {
  const auto* const found = std::ranges::find(kDecodings, name, &NamedDecoding::name);
  if (found == kDecodings.end()) return std::nullopt;
  return found->decoding;
}

std::string decoded_line(const ShownEnvelope& envelope, Decoding decoding) {
  const DecodedBody decoded = decode(envelope, decoding);
  if (decoded.json) return cli::visible_line(dumped(*decoded.json));
  if (!decoded.text) return std::string(decoded.complaint) + hex_line(envelope);
  return fmt::format("\"{}{}\"", line_of_text(*decoded.text), envelope.cut ? "…" : "");
}

std::vector<std::string> decoded_tree(const ShownEnvelope& envelope, Decoding decoding) {
  const DecodedBody decoded = decode(envelope, decoding);
  if (decoded.json) return rows_of_json(*decoded.json);
  std::vector<std::string> rows = decoded.text ? rows_of_text(*decoded.text) : hex_rows(envelope);
  if (decoded.text && envelope.cut && !rows.empty()) rows.back() += "…";
  if (!decoded.complaint.empty()) {
    rows.insert(rows.begin(),
                std::string(decoded.complaint.substr(0, decoded.complaint.size() - 2)));
  }
  return rows;
}

std::optional<Json> decoded_value(const ShownEnvelope& envelope) {
  return guessed(envelope).json;
}

std::vector<std::string> rows_of_json(const cli::Json& json) {
  Rows rows;
  if (json.is_structured() && !json.empty()) {
    add_parts(rows, json, "");
  } else {
    rows.add(scalar_text(json));
  }
  return rows.take();
}

std::string line_of_text(std::string_view text) {
  std::string line = cli::visible_line(text.substr(0, kLongestText));
  if (text.size() > kLongestText) line += "…";
  return line;
}

std::vector<std::string> rows_of_text(std::string_view text) {
  Rows rows;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    rows.add(line_of_text(text.substr(0, end)));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return rows.take();
}

}  // namespace zpost::inspect
