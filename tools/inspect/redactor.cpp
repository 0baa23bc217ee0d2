#include "tools/inspect/redactor.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

bool any_name(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(
      patterns, [name](const std::string& pattern) { return matches_name_pattern(pattern, name); });
}

bool any_topic(const std::vector<std::string>& patterns, std::string_view topic) {
  // What a sender wrote there may be no topic: then nobody knows which it would have been.
  return std::ranges::any_of(patterns, [topic](const std::string& pattern) {
    return !is_topic(topic) || matches_topic_pattern(pattern, topic);
  });
}

}  // namespace

std::string add_redaction(const std::string& word, Redactions& redactions) {
  const std::size_t equals = word.find('=');
  const std::string what = word.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
  if (what == "from" || what == "to") {
    if (!is_name_pattern(value)) {
      return fmt::format("\"{}\" is neither a name nor the beginning of one followed by *", value);
    }
    (what == "from" ? redactions.from : redactions.to).push_back(value);
  } else if (what == "topic") {
    if (!is_topic_pattern(value)) {
      return fmt::format("\"{}\" is no pattern of topics such as lab/*/temperature or lab/**",
                         value);
    }
    redactions.topics.push_back(value);
  } else if (what == "field") {
    std::optional<FieldPath> path = parse_field_path(value);
    if (!path) return fmt::format("\"{}\" is no path of a field such as user.password", value);
    redactions.fields.push_back(std::move(*path));
  } else {
    return fmt::format("\"{}\" is none of from=PATTERN, to=PATTERN, topic=PATTERN, field=PATH",
                       word);
  }
  redactions.words.push_back(word);
  return "";
}

void add_redact_option(CLI::App& verb, Redactions& redactions) {
  verb.add_option_function<std::vector<std::string>>(
          "--redact",
          [&redactions](const std::vector<std::string>& words) {
            for (const std::string& word : words) {
              const std::string wrong = add_redaction(word, redactions);
              if (!wrong.empty()) throw CLI::ValidationError("--redact", wrong);
            }
          },
          "Hide bodies or fields before anything is written (repeatable)")
      ->allow_extra_args(false)
      ->option_text("from=|to=|topic=PATTERN|field=PATH");
}

bool Redactor::apply(const TapEntry& entry, TapEntry& redacted) {
  if (rules_.empty() || entry.shown.empty()) return false;
  bytes_.clear();
  bool changed = false;
  FrameReader reader(entry.shown);
  EnvelopeView view;
  std::size_t end = 0;
  while (reader.next(view)) {
    changed |= append(view.bytes, &view);
    end += view.bytes.size();
  }
  if (end < entry.shown.size()) changed |= append(entry.shown.subspan(end), nullptr);
  if (!changed) return false;
  redacted = entry;
  redacted.shown = bytes_;
  return true;
}

std::optional<Redactor::Header> Redactor::read_header(Bytes bytes) {
  MsgpackReader reader(bytes);
  Header header;
  std::size_t elements = 0;
  std::uint64_t number = 0;
  if (!reader.read_array(elements, 6 + kMaxExtraElements) || elements < 6) return std::nullopt;
  header.fields_begin = reader.position();
  if (!reader.read_uint(number) || number > 127) return std::nullopt;
  header.kind_number = static_cast<std::uint8_t>(number);
  if (!reader.read_str(header.to) || !reader.read_str(header.from)) return std::nullopt;
  if (!reader.read_uint(number) || !reader.skip()) return std::nullopt;
  header.meta_end = reader.position();
  return header;
}

bool Redactor::hides_body(const Header& header) const {
  if (any_name(rules_.from, header.from)) return true;
  return static_cast<Kind>(header.kind_number) == Kind::kPublish
             ? any_topic(rules_.topics, header.to)
             : any_name(rules_.to, header.to);
}

/// Appends an envelope with what it may show; `whole` is nothing for one that is cut. True: that
/// is less than there was.
bool Redactor::append(Bytes bytes, const EnvelopeView* whole) {
  const std::optional<Header> header = read_header(bytes);
  // Cut before its body: what it says of itself may be the half of what nobody should read.
  if (!header) return true;
  if (hides_body(*header)) {
    put(bytes, *header, as_bytes(kMarker), true);
    return true;
  }
  if (!rules_.fields.empty()) {
    body_.clear();
    const FieldsFound found = whole != nullptr
                                  ? redact_fields(whole->body, rules_.fields, kMarker, body_)
                                  : FieldsFound::kUnreadable;
    if (found == FieldsFound::kUnreadable) put(bytes, *header, as_bytes(kMarker), true);
    if (found == FieldsFound::kSome) put(bytes, *header, body_, whole->body_is_text);
    if (found != FieldsFound::kNone) return true;
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return false;
}

void Redactor::put(Bytes bytes, const Header& header, Bytes body, bool is_text) {
  MsgpackWriter writer(bytes_);
  writer.array(6).raw(bytes.subspan(header.fields_begin, header.meta_end - header.fields_begin));
  if (is_text) {
    writer.str(as_text(body));
  } else {
    writer.bin(body);
  }
}

}  // namespace zpost::inspect
