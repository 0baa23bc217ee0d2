#include "protocol/filter/field_path.h"

#include <fmt/format.h>

#include "protocol/filter/fields.h"

namespace zpost::filter {
namespace {

constexpr const char* kField = "expected a field, such as from, latency or body.temp";

}  // namespace

Result<BodyPath, FilterError> path_of(const std::vector<Step>& steps) {
  BodyPath path;
  for (const Step& step : steps) {
    if (!step.element) {
      path.emplace_back(step.token.text);
    } else if (const auto place = read_number(step.token.text)) {
      path.emplace_back(*place);
    } else {
      return FilterError{step.token.at, "this place in an array is too large"};
    }
  }
  if (path.size() > kMaxBodyDepth) {
    return FilterError{steps.back().token.at,
                       fmt::format("a path has at most {} steps", kMaxBodyDepth)};
  }
  return path;
}

Result<FieldPath, FilterError> parse_field(std::string_view text) {
  Result<Tree, FilterError> tree = parse(text);
  if (!tree) {
    // What filters expect at their beginning is a test.
    const bool is_whole = tree.error().text.starts_with("expected a test");
    return is_whole ? FilterError{tree.error().at, kField} : tree.error();
  }
  if (tree->type != Tree::Type::kTest) return FilterError{0, kField};
  const TestSyntax& test = tree->test;
  if (test.compare != Compare::kThere) {
    return FilterError{test.values.front().at, "a field stands alone here: nothing is compared"};
  }
  Result<BodyPath, FilterError> path = path_of(test.path);
  if (!path) return path.error();
  return FieldPath{test.field, *std::move(path),
                   test.path.empty() ? 0 : test.path.front().token.at};
}

}  // namespace zpost::filter
