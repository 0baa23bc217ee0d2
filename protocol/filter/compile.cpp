#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "protocol/filter/field_path.h"
#include "protocol/filter/filter.h"
#include "protocol/filter/syntax.h"
#include "zpost/protocol/names.h"

namespace zpost::filter {

namespace {

std::uint32_t index_of_last(const auto& list) {
  return static_cast<std::uint32_t>(list.size() - 1);
}

bool orders(Compare compare) {
  return compare >= Compare::kLess && compare <= Compare::kGreaterEqual;
}

/// What may stand between a field of this type and its value.
std::string_view signs_of(Type type) {
  switch (type) {
    case Type::kText:
      return "= != ~ and in";
    case Type::kTopic:
    case Type::kWord:
      return "= != and in";
    case Type::kNumber:
    case Type::kSize:
    case Type::kDuration:
      return "= != < <= > >= and in";
    case Type::kFlag:
      return "no comparison: it stands alone";
    case Type::kAny:
      return "= != < <= > >= ~ and in";
  }
  return "";
}

bool takes(Type type, Compare compare) {
  if (compare == Compare::kThere || type == Type::kAny) return true;
  if (type == Type::kFlag) return false;
  if (orders(compare)) {
    return type == Type::kNumber || type == Type::kSize || type == Type::kDuration;
  }
  return compare != Compare::kContains || type == Type::kText;
}

std::string_view example_of(Type type) {
  switch (type) {
    case Type::kSize:
      return "a size such as 512, 4KiB, 4kB or 1.5MB";
    case Type::kDuration:
      return "a duration with its unit such as 250us, 20ms, 1.5s or 2m";
    default:
      return "a whole number";
  }
}

bool asks_for_body(const Tree& tree) {
  if (tree.type == Tree::Type::kTest) return tree.test.field.text == "body";
  return std::ranges::any_of(tree.parts, asks_for_body);
}

}  // namespace

/// Writes the program. The first error ends it.
class Compiler {
 public:
  [[nodiscard]] Result<Filter, FilterError> compile(const Tree& tree) {
    write(tree);
    if (error_) return *std::move(error_);
    return std::move(filter_);
  }

 private:
  using Op = Filter::Op;
  using Test = Filter::Test;
  using Literal = Filter::Literal;

  void fail(const Token& token, std::string text) {
    if (!error_) error_ = FilterError{token.at, std::move(text)};
  }

  void emit(Op op, std::size_t argument = 0) {
    filter_.program_.push_back({op, static_cast<std::uint32_t>(argument)});
  }

  void write(const Tree& tree) {
    switch (tree.type) {
      case Tree::Type::kTest:
        return write_test(tree.test);
      case Tree::Type::kNot:
        write(tree.parts.front());
        return emit(Op::kNot);
      case Tree::Type::kAnd:
        return write_joined(tree, Op::kJumpIfNo, Op::kAnd);
      case Tree::Type::kOr:
        return write_joined(tree, Op::kJumpIfYes, Op::kOr);
    }
  }

  /// Bodies are looked into last, and only if the rest does not decide: that is what costs.
  void write_joined(const Tree& tree, Op jump, Op join) {
    std::vector<const Tree*> parts;
    for (const Tree& part : tree.parts) parts.push_back(&part);
    std::stable_partition(parts.begin(), parts.end(),
                          [](const Tree* part) { return !asks_for_body(*part); });
    std::vector<std::size_t> jumps;
    for (const Tree* const part : parts) {
      if (part != parts.front()) {
        jumps.push_back(filter_.program_.size());
        emit(jump);
      }
      write(*part);
      if (part != parts.front()) emit(join);
    }
    for (const std::size_t at : jumps) {
      filter_.program_[at].argument = static_cast<std::uint32_t>(filter_.program_.size());
    }
  }

  void write_test(const TestSyntax& syntax) {
    const std::optional<FieldInfo> field = field_named(syntax.field.text);
    if (!field) {
      return fail(syntax.field, fmt::format("there is no field \"{}\"{}", syntax.field.text,
                                            nearest_field(syntax.field.text)));
    }
    if (!syntax.path.empty() && field->field != Field::kBody) {
      return fail(syntax.path.front().token,
                  fmt::format("{} has nothing in it: only body has", field->name));
    }
    if (!takes(field->type, syntax.compare)) {
      const Token& place = syntax.values.front();
      return fail(place, fmt::format("{} cannot be compared with {}: it takes {}", field->name,
                                     compare_sign(syntax.compare), signs_of(field->type)));
    }
    filter_.looks_into_envelopes_ = filter_.looks_into_envelopes_ || is_in_envelope(field->field);
    filter_.asks_for_latency_ = filter_.asks_for_latency_ || field->field == Field::kLatency;
    Test test{.field = field->field,
              .type = field->type,
              .compare = static_cast<std::uint8_t>(syntax.compare)};
    if (field->field == Field::kBody) put_path(test, syntax);
    if (syntax.values.empty()) return emit_test(test);
    for (const Token& value : syntax.values) {
      put_value(test, value);
      emit_test(test);
      if (&value != &syntax.values.front()) emit(Op::kOr);
    }
  }

  void emit_test(const Test& test) {
    filter_.tests_.push_back(test);
    emit(Op::kTest, index_of_last(filter_.tests_));
  }

  void put_path(Test& test, const TestSyntax& syntax) {
    Result<BodyPath, FilterError> path = path_of(syntax.path);
    if (!path) {
      if (!error_) error_ = path.error();
      return;
    }
    filter_.paths_.push_back(*std::move(path));
    test.path = index_of_last(filter_.paths_);
  }

  void put_value(Test& test, const Token& value) {
    switch (test.type) {
      case Type::kText:
        filter_.patterns_.emplace_back(value.text);
        test.text = index_of_last(filter_.patterns_);
        return;
      case Type::kTopic:
        return put_topic(test, value);
      case Type::kWord:
        return put_word(test, value);
      case Type::kNumber:
        return put_number(test, value, read_number(value.text));
      case Type::kSize:
        return put_number(test, value, read_size(value.text));
      case Type::kDuration:
        return put_number(test, value, read_duration(value.text));
      case Type::kFlag:
        return;
      case Type::kAny:
        return put_literal(test, value);
    }
  }

  void put_topic(Test& test, const Token& value) {
    if (!is_topic_pattern(value.text)) {
      fail(value, fmt::format("\"{}\" is no pattern of topics: there * stands for a whole segment "
                              "and ** for the rest; within segments use to = \"…\"",
                              value.text));
    }
    filter_.topics_.push_back(value.text);
    test.text = index_of_last(filter_.topics_);
  }

  void put_word(Test& test, const Token& value) {
    if (const auto number = number_of_word(test.field, value.text)) {
      test.number = *number;
      return;
    }
    fail(value, fmt::format("{} is never \"{}\"{}", field_name(test.field), value.text,
                            nearest_word(test.field, value.text)));
  }

  void put_number(Test& test, const Token& value, std::optional<std::uint64_t> number) {
    if (number) {
      test.number = *number;
      return;
    }
    fail(value, fmt::format("{} takes {}, not \"{}\"", field_name(test.field),
                            example_of(test.type), value.text));
  }

  void put_literal(Test& test, const Token& value) {
    const auto compare = static_cast<Compare>(test.compare);
    Literal literal = literal_of(value, compare);
    if (orders(compare) &&
        (std::holds_alternative<TextPattern>(literal) || std::holds_alternative<bool>(literal) ||
         std::holds_alternative<std::nullptr_t>(literal))) {
      fail(value, fmt::format("{} takes a number, not \"{}\"", compare_sign(compare), value.text));
    }
    filter_.literals_.push_back(std::move(literal));
    test.text = index_of_last(filter_.literals_);
  }

  /// In quotes everything is text, and so is all that is looked for in a text.
  static Literal literal_of(const Token& value, Compare compare) {
    const std::string& text = value.text;
    if (value.quoted || compare == Compare::kContains) return TextPattern(text);
    if (text == "null") return nullptr;
    if (text == "true" || text == "false") return text == "true";
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    std::uint64_t large = 0;
    double real = 0;
    if (const auto read = std::from_chars(text.data(), end, whole);
        read.ec == std::errc() && read.ptr == end) {
      return whole;
    }
    if (const auto read = std::from_chars(text.data(), end, large);
        read.ec == std::errc() && read.ptr == end) {
      return large;
    }
    if (const auto read = std::from_chars(text.data(), end, real);
        read.ec == std::errc() && read.ptr == end) {
      return real;
    }
    return TextPattern(text);
  }

  Filter filter_;
  std::optional<FilterError> error_;
};

Result<Filter, FilterError> Filter::compile(std::string_view text) {
  Result<Tree, FilterError> tree = parse(text);
  if (!tree) return tree.error();
  return Compiler().compile(*tree);
}

}  // namespace zpost::filter
