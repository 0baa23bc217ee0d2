#include "tools/inspect/body_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <span>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "tools/inspect/decode.h"
#include "tools/inspect/redactor.h"

namespace zpost::inspect {
namespace {

using cli::Json;
using Rest = std::span<const std::string>;  // Of a path: never empty.
using Rests = std::vector<Rest>;

constexpr std::size_t kShownColumns = 40;

/// What follows of `ignored` where the value of `key` is entered. `ends`: it is ignored itself.
Rests below(const Rests& ignored, std::string_view key, bool& ends) {
  Rests inner;
  ends = false;
  for (const Rest& rest : ignored) {
    if (rest.front() != "*" && rest.front() != key) continue;
    if (rest.size() == 1) ends = true;
    if (rest.size() > 1) inner.push_back(rest.subspan(1));
  }
  return inner;
}

std::string short_text(const Json* value) {
  if (value == nullptr) return "";
  const std::string text = value->dump(-1, ' ', false, Json::error_handler_t::replace);
  return cli::shortened(cli::visible_line(text), kShownColumns);
}

/// Walks two values at once, to the first difference. Nested at most as deep as decoded_value()
/// reads.
class ValueComparison {
 public:
  ValueComparison(bool first_redacted, bool second_redacted)
      : first_redacted_(first_redacted), second_redacted_(second_redacted) {}

  /// False: they differ.
  bool compare(const Json& first, const Json& second, const Rests& ignored,
               const std::string& where) {
    if (is_marker(first, first_redacted_) || is_marker(second, second_redacted_)) {
      met_redacted_ = true;
      return true;
    }
    if (first.is_object() && second.is_object()) {
      return compare_objects(first, second, ignored, where);
    }
    if (first.is_array() && second.is_array()) {
      return compare_arrays(first, second, ignored, where);
    }
    return first == second || differ(&first, &second, where);
  }

  [[nodiscard]] BodyDifference take() {
    if (difference_.match == BodyMatch::kSame && met_redacted_) {
      difference_.match = BodyMatch::kRedacted;
    }
    return std::move(difference_);
  }

 private:
  static bool is_marker(const Json& value, bool redacted) {
    return redacted && value.is_string() &&
           value.get_ref<const std::string&>() == Redactor::kMarker;
  }

  bool differ(const Json* first, const Json* second, const std::string& where) {
    difference_ = {BodyMatch::kDifferent, cli::visible_line(where), short_text(first),
                   short_text(second)};
    return false;
  }

  bool compare_objects(const Json& first, const Json& second, const Rests& ignored,
                       const std::string& where) {
    auto beside = second.begin();  // Usually the keys are in the same order.
    for (auto at = first.begin(); at != first.end(); ++at) {
      bool ends = false;
      const Rests inner = below(ignored, at.key(), ends);
      const bool is_beside = beside != second.end() && beside.key() == at.key();
      const auto found = is_beside ? beside : second.find(at.key());
      if (beside != second.end()) ++beside;
      if (ends) continue;
      const std::string place = where + "." + at.key();
      if (found == second.end()) return differ(&*at, nullptr, place);
      if (!compare(*at, *found, inner, place)) return false;
    }
    beside = first.begin();
    for (auto at = second.begin(); at != second.end(); ++at) {
      bool ends = false;
      (void)below(ignored, at.key(), ends);
      const bool is_beside = beside != first.end() && beside.key() == at.key();
      if (beside != first.end()) ++beside;
      if (ends || is_beside || first.contains(at.key())) continue;
      return differ(nullptr, &*at, where + "." + at.key());
    }
    return true;
  }

  bool compare_arrays(const Json& first, const Json& second, const Rests& ignored,
                      const std::string& where) {
    const std::size_t both = std::min(first.size(), second.size());
    for (std::size_t i = 0; i < both; ++i) {
      if (!compare(first[i], second[i], ignored, fmt::format("{}[{}]", where, i))) return false;
    }
    if (first.size() == second.size()) return true;
    const std::string place = fmt::format("{}[{}]", where, both);
    return first.size() > both ? differ(&first[both], nullptr, place)
                               : differ(nullptr, &second[both], place);
  }

  const bool first_redacted_;
  const bool second_redacted_;
  bool met_redacted_ = false;
  BodyDifference difference_;
};

bool is_hidden_whole(const ComparedBody& body) {
  return body.redacted && as_text(body.envelope.body) == Redactor::kMarker;
}

BodyDifference different_bytes(const ComparedBody& first, const ComparedBody& second) {
  const auto text = [](const ComparedBody& body) {
    return cli::shortened(decoded_line(body.envelope, Decoding::kAuto), kShownColumns);
  };
  return {BodyMatch::kDifferent, "body", text(first), text(second)};
}

/// At least one of them is cut, so neither is taken for a value.
BodyDifference compare_beginnings(const ComparedBody& first, const ComparedBody& second,
                                  bool ignores) {
  const Bytes a = first.envelope.body;
  const Bytes b = second.envelope.body;
  const std::size_t both = std::min(a.size(), b.size());
  // A whole body that ends before the other does is another one.
  const bool too_short =
      (!first.envelope.cut && a.size() < b.size()) || (!second.envelope.cut && b.size() < a.size());
  const bool differ = too_short || !std::ranges::equal(a.first(both), b.first(both));
  // What differs may be what is ignored.
  if (differ && !ignores) return different_bytes(first, second);
  return {.match = BodyMatch::kCut};
}

Rests rests_of(const std::vector<FieldPath>& ignored) {
  return Rests(ignored.begin(), ignored.end());
}

void remove_ignored(nlohmann::json& value, const Rests& ignored) {
  if (ignored.empty()) return;
  if (value.is_array()) {
    for (nlohmann::json& element : value) remove_ignored(element, ignored);
    return;
  }
  if (!value.is_object()) return;
  for (auto at = value.begin(); at != value.end();) {
    bool ends = false;
    const Rests inner = below(ignored, at.key(), ends);
    if (!ends) remove_ignored(*at, inner);
    at = ends ? value.erase(at) : std::next(at);
  }
}

/// Whole numbers as such, whatever type they came in: 1.0 is 1.
void even_numbers(nlohmann::json& value) {
  constexpr double kExact = 9'007'199'254'740'992.0;  // 2^53.
  if (value.is_structured()) {
    for (nlohmann::json& part : value) even_numbers(part);
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number > -kExact && number < kExact) {
      const auto whole = static_cast<std::int64_t>(number);
      if (static_cast<double>(whole) == number) value = whole;
    }
  }
}

}  // namespace

std::optional<FieldPath> parse_ignored_field(std::string_view text) {
  constexpr std::string_view kBody = "body.";
  if (text.starts_with(kBody)) text.remove_prefix(kBody.size());
  return parse_field_path(text);
}

BodyDifference compare_bodies(const ComparedBody& first, const ComparedBody& second,
                              const std::vector<FieldPath>& ignored) {
  const bool hidden = is_hidden_whole(first) || is_hidden_whole(second);
  if (hidden) return {.match = BodyMatch::kRedacted};
  if (first.envelope.cut || second.envelope.cut) {
    const bool unsure = !ignored.empty() || first.redacted || second.redacted;
    return compare_beginnings(first, second, unsure);
  }
  const bool plain = !first.redacted && !second.redacted;
  if (plain && std::ranges::equal(first.envelope.body, second.envelope.body)) return {};
  const std::optional<Json> a = decoded_value(first.envelope);
  const std::optional<Json> b = a ? decoded_value(second.envelope) : std::nullopt;
  if (a && b) {
    ValueComparison comparison(first.redacted, second.redacted);
    (void)comparison.compare(*a, *b, rests_of(ignored), "body");
    return comparison.take();
  }
  if (std::ranges::equal(first.envelope.body, second.envelope.body)) return {};
  return different_bytes(first, second);
}

std::optional<std::uint64_t> body_fingerprint(const ComparedBody& body,
                                              const std::vector<FieldPath>& ignored) {
  if (body.redacted || body.envelope.cut) return std::nullopt;
  const std::hash<std::string_view> hash;
  const std::optional<Json> value = decoded_value(body.envelope);
  if (!value) return hash(as_text(body.envelope.body));
  nlohmann::json sorted = *value;
  remove_ignored(sorted, rests_of(ignored));
  even_numbers(sorted);
  return hash(sorted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace zpost::inspect
