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

/// What follows of `ignored` where the value of `key` is entered. `ends`: it is ignored itself.
Rests ignored_below(const Rests& ignored, std::string_view key, bool& ends) {
  Rests inner;
  ends = false;
  for (const Rest& rest : ignored) {
    if (rest.front() != "*" && rest.front() != key) continue;
    if (rest.size() == 1) ends = true;
    if (rest.size() > 1) inner.push_back(rest.subspan(1));
  }
  return inner;
}

std::string short_text(const Json* value, std::size_t columns) {
  if (value == nullptr) return "";
  const std::string text = value->dump(-1, ' ', false, Json::error_handler_t::replace);
  return cli::shortened(cli::visible_line(text), columns);
}

/// Walks two values at once, to the last difference that is to be told. Nested at most as deep as
/// decoded_value() reads.
class ValueComparison {
 public:
  ValueComparison(const ComparedBody& first, const ComparedBody& second, const BodyRules& rules)
      : first_redacted_(first.redacted), second_redacted_(second.redacted), rules_(rules) {}

  /// False: enough is found.
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
    if (!places_.empty()) return {BodyMatch::kDifferent, std::move(places_)};
    return {.match = met_redacted_ ? BodyMatch::kRedacted : BodyMatch::kSame};
  }

 private:
  static bool is_marker(const Json& value, bool redacted) {
    return redacted && value.is_string() &&
           value.get_ref<const std::string&>() == Redactor::kMarker;
  }

  /// False: that is enough. Null: there is nothing.
  bool differ(const Json* first, const Json* second, const std::string& where) {
    places_.push_back({cli::visible_line(where), short_text(first, rules_.value_columns),
                       short_text(second, rules_.value_columns)});
    return places_.size() < rules_.most_places;
  }

  bool compare_objects(const Json& first, const Json& second, const Rests& ignored,
                       const std::string& where) {
    auto beside = second.begin();  // Usually the keys are in the same order.
    for (auto at = first.begin(); at != first.end(); ++at) {
      bool ends = false;
      const Rests inner = ignored_below(ignored, at.key(), ends);
      const bool is_beside = beside != second.end() && beside.key() == at.key();
      const auto found = is_beside ? beside : second.find(at.key());
      if (beside != second.end()) ++beside;
      if (ends) continue;
      const std::string place = where + "." + at.key();
      const bool goes_on =
          found == second.end() ? differ(&*at, nullptr, place) : compare(*at, *found, inner, place);
      if (!goes_on) return false;
    }
    return find_more(first, second, ignored, where);
  }

  /// What only the second one has.
  bool find_more(const Json& first, const Json& second, const Rests& ignored,
                 const std::string& where) {
    auto beside = first.begin();
    for (auto at = second.begin(); at != second.end(); ++at) {
      bool ends = false;
      (void)ignored_below(ignored, at.key(), ends);
      const bool is_beside = beside != first.end() && beside.key() == at.key();
      if (beside != first.end()) ++beside;
      if (ends || is_beside || first.contains(at.key())) continue;
      if (!differ(nullptr, &*at, where + "." + at.key())) return false;
    }
    return true;
  }

  bool compare_arrays(const Json& first, const Json& second, const Rests& ignored,
                      const std::string& where) {
    const std::size_t most = std::max(first.size(), second.size());
    for (std::size_t i = 0; i < most; ++i) {
      const std::string place = fmt::format("{}[{}]", where, i);
      const bool both = i < first.size() && i < second.size();
      const bool goes_on = both ? compare(first[i], second[i], ignored, place)
                                : differ(i < first.size() ? &first[i] : nullptr,
                                         i < second.size() ? &second[i] : nullptr, place);
      if (!goes_on) return false;
    }
    return true;
  }

  const bool first_redacted_;
  const bool second_redacted_;
  const BodyRules& rules_;
  bool met_redacted_ = false;
  std::vector<BodyPlace> places_;
};

bool is_hidden_whole(const ComparedBody& body) {
  return body.redacted && as_text(body.envelope.body) == Redactor::kMarker;
}

BodyDifference different_bytes(const ComparedBody& first, const ComparedBody& second,
                               const BodyRules& rules) {
  const auto text = [&rules](const ComparedBody& body) {
    return cli::shortened(decoded_line(body.envelope, Decoding::kAuto), rules.value_columns);
  };
  return {BodyMatch::kDifferent, {{"body", text(first), text(second)}}};
}

BodyDifference different_encoding(const ComparedBody& first, const ComparedBody& second) {
  return {BodyMatch::kDifferent,
          {{"body", fmt::format("{} bytes", first.envelope.body.size()),
            fmt::format("{} bytes of the same values, encoded differently",
                        second.envelope.body.size())}}};
}

/// At least one of them is cut, so neither is taken for a value.
BodyDifference compare_beginnings(const ComparedBody& first, const ComparedBody& second,
                                  const BodyRules& rules) {
  const Bytes a = first.envelope.body;
  const Bytes b = second.envelope.body;
  const std::size_t both = std::min(a.size(), b.size());
  // A whole body that ends before the other does is another one.
  const bool too_short =
      (!first.envelope.cut && a.size() < b.size()) || (!second.envelope.cut && b.size() < a.size());
  const bool differ = too_short || !std::ranges::equal(a.first(both), b.first(both));
  // What differs may be what is ignored, or hidden.
  const bool unsure = !rules.ignored.empty() || first.redacted || second.redacted;
  if (differ && !unsure) return different_bytes(first, second, rules);
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
    const Rests inner = ignored_below(ignored, at.key(), ends);
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

bool BodyRules::ignore(std::string_view path) {
  constexpr std::string_view kBody = "body";
  if (path == kBody) {
    ignores_body = true;
    return true;
  }
  if (path.starts_with(kBody) && path.substr(kBody.size()).starts_with('.')) {
    path.remove_prefix(kBody.size() + 1);
  }
  std::optional<FieldPath> parsed = parse_field_path(path);
  if (!parsed) return false;
  ignored.push_back(*std::move(parsed));
  by_value = true;
  return true;
}

BodyDifference compare_bodies(const ComparedBody& first, const ComparedBody& second,
                              const BodyRules& rules) {
  if (rules.ignores_body) return {};
  const bool hidden = is_hidden_whole(first) || is_hidden_whole(second);
  if (hidden) return {.match = BodyMatch::kRedacted};
  if (first.envelope.cut || second.envelope.cut) return compare_beginnings(first, second, rules);
  const bool plain = !first.redacted && !second.redacted;
  if (plain && std::ranges::equal(first.envelope.body, second.envelope.body)) return {};
  const std::optional<Json> a = decoded_value(first.envelope);
  const std::optional<Json> b = a ? decoded_value(second.envelope) : std::nullopt;
  if (a && b) {
    ValueComparison comparison(first, second, rules);
    (void)comparison.compare(*a, *b, rests_of(rules.ignored), "body");
    BodyDifference found = comparison.take();
    const bool is_encoding = plain && !rules.by_value && found.match == BodyMatch::kSame;
    return is_encoding ? different_encoding(first, second) : found;
  }
  if (std::ranges::equal(first.envelope.body, second.envelope.body)) return {};
  return different_bytes(first, second, rules);
}

std::optional<std::uint64_t> body_fingerprint(const ComparedBody& body, const BodyRules& rules) {
  if (rules.ignores_body) return 0;
  if (body.redacted || body.envelope.cut) return std::nullopt;
  const std::hash<std::string_view> hash;
  const std::optional<Json> value = decoded_value(body.envelope);
  if (!value) return hash(as_text(body.envelope.body));
  nlohmann::json sorted = *value;
  remove_ignored(sorted, rests_of(rules.ignored));
  even_numbers(sorted);
  return hash(sorted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace zpost::inspect
