#include "protocol/filter/syntax.h"

#include <fmt/format.h>

#include <tao/pegtl.hpp>
#include <tao/pegtl/contrib/parse_tree.hpp>

#include "protocol/filter/filter.h"

namespace zpost::filter {

namespace {

namespace pegtl = tao::pegtl;

// ---- The grammar. Rules are named as in docs/filter.md ------------------------------------------

namespace rule {

using namespace pegtl;  // NOLINT(google-build-using-namespace): as PEGTL grammars are written.

// clang-format off
struct ws : star<space> {};
struct word_char : sor<identifier_other, one<'-'>> {};
template <typename Word> struct keyword : seq<Word, not_at<word_char>> {};

struct and_word : sor<keyword<TAO_PEGTL_ISTRING("and")>, two<'&'>> {};
struct or_word : sor<keyword<TAO_PEGTL_ISTRING("or")>, two<'|'>> {};
struct not_word : sor<keyword<TAO_PEGTL_ISTRING("not")>, seq<one<'!'>, not_at<one<'='>>>> {};
struct in_word : keyword<TAO_PEGTL_ISTRING("in")> {};
struct reserved : sor<and_word, or_word, not_word, in_word> {};

template <char Quote> struct quoted_char : sor<seq<one<'\\'>, any>, not_one<Quote>> {};
template <char Quote> struct quoted_end : one<Quote> {};
template <char Quote> struct quoted_text : star<quoted_char<Quote>> {};
template <char Quote> struct quoted : if_must<one<Quote>, quoted_text<Quote>, quoted_end<Quote>> {};
struct double_quoted : quoted<'"'> {};
struct single_quoted : quoted<'\''> {};
struct any_quoted : sor<double_quoted, single_quoted> {};

struct key : plus<word_char> {};
struct key_or_text : sor<any_quoted, key> {};
struct member : if_must<one<'.'>, key_or_text> {};
struct number : plus<digit> {};
struct place : sor<any_quoted, number> {};
struct place_end : one<']'> {};
struct element : if_must<one<'['>, place, place_end> {};
struct field : seq<not_at<reserved>, alpha, star<word_char>> {};
struct path : seq<field, star<sor<member, element>>> {};

struct compare : sor<TAO_PEGTL_STRING("=="), TAO_PEGTL_STRING("!="), TAO_PEGTL_STRING("<="),
                     TAO_PEGTL_STRING(">="), one<'=', '<', '>', '~'>> {};
struct bare_char : sor<alnum, one<'.', '_', '-', '+', '*', '/', '@', ':', '%', '#', '$'>,
                       utf8::range<0x80, 0x10ffff>> {};
struct bare : plus<bare_char> {};
struct value : sor<any_quoted, bare> {};
struct list_begin : one<'('> {};
struct list_more : one<','> {};
struct list_end : one<')'> {};
struct list : seq<list_begin, ws, must<value>, ws, star<if_must<list_more, ws, value>, ws>,
                  must<list_end>> {};
struct test : seq<path, opt<ws, sor<if_must<compare, ws, value>, if_must<in_word, ws, list>>>> {};

struct expression;
struct open : one<'('> {};
struct close : one<')'> {};
struct group : if_must<open, ws, expression, ws, close> {};
struct primary : sor<group, test> {};
struct negation : if_must<not_word, ws, star<not_word, ws>, primary> {};
struct operand : sor<negation, primary> {};
struct conjunction : seq<operand, star<ws, if_must<and_word, ws, operand>>> {};
struct expression : seq<conjunction, star<ws, if_must<or_word, ws, conjunction>>> {};
struct whole : seq<ws, must<expression>, ws, must<eof>> {};

// clang-format on

}  // namespace rule

// ---- What was expected --------------------------------------------------------------------------

constexpr const char* kTest = "expected a test, such as from = alice or size > 4KiB";
constexpr const char* kEnd = "expected \"and\", \"or\" or the end";
constexpr const char* kValue =
    "expected a value, such as alice, lab-*, 30, 20ms, 4KiB or \"some text\"";

template <typename Rule>
constexpr const char* kExpected = nullptr;  // It may fail: something else is tried.
template <>
constexpr const char* kExpected<rule::expression> = kTest;
template <>
constexpr const char* kExpected<rule::conjunction> = kTest;
template <>
constexpr const char* kExpected<rule::operand> = kTest;
template <>
constexpr const char* kExpected<rule::primary> = kTest;
template <>
constexpr const char* kExpected<rule::eof> = kEnd;
template <>
constexpr const char* kExpected<rule::value> = kValue;
template <>
constexpr const char* kExpected<rule::list> = "expected a list, such as (send, request)";
template <>
constexpr const char* kExpected<rule::list_end> = "expected \",\" or \")\" in this list";
template <>
constexpr const char* kExpected<rule::close> = "expected \"and\", \"or\" or the missing \")\"";
template <>
constexpr const char* kExpected<rule::key_or_text> = "expected a key, such as temp or \"a key\"";
template <>
constexpr const char* kExpected<rule::place> =
    "expected the place in an array, such as 0, or a key in quotes";
template <>
constexpr const char* kExpected<rule::place_end> = "expected \"]\"";
template <>
constexpr const char* kExpected<rule::quoted_end<'"'>> = "expected the closing quote (\")";
template <>
constexpr const char* kExpected<rule::quoted_end<'\''>> = "expected the closing quote (')";

struct Messages {
  template <typename Rule>
  static constexpr auto message = kExpected<Rule>;
};

template <typename Rule>
using Control = pegtl::must_if<Messages, pegtl::normal, false>::control<Rule>;

/// What the reader remembers for its errors.
struct Progress {
  std::size_t nesting = 0;
  bool after_field = false;  // The latest thing read is a field: a comparison could follow.
};

template <typename Rule>
struct Action : pegtl::nothing<Rule> {};

template <>
struct Action<rule::open> {
  template <typename Input>
  static void apply(const Input& in, Progress& progress) {
    if (++progress.nesting > kMaxFilterNesting) {
      throw pegtl::parse_error(
          fmt::format("nested too deep: at most {} parentheses", kMaxFilterNesting), in.position());
    }
  }
};

template <>
struct Action<rule::close> {
  static void apply0(Progress& progress) {
    --progress.nesting;
    progress.after_field = false;
  }
};

template <>
struct Action<rule::path> {
  static void apply0(Progress& progress) { progress.after_field = true; }
};

template <>
struct Action<rule::value> {
  static void apply0(Progress& progress) { progress.after_field = false; }
};

// ---- The tree -----------------------------------------------------------------------------------

template <typename Rule>
using Selector = pegtl::parse_tree::selector<
    Rule, pegtl::parse_tree::store_content::on<
              rule::quoted_text<'"'>, rule::quoted_text<'\''>, rule::key, rule::number, rule::field,
              rule::member, rule::element, rule::compare, rule::in_word, rule::bare, rule::test,
              rule::not_word, rule::negation, rule::conjunction, rule::expression>>;

using Node = pegtl::parse_tree::node;

/// Escapes of quotes go; `\*` and `\\` are the pattern's.
std::string unquoted(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool quote =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\'');
    if (!quote && text[i] == '\\' && i + 1 < text.size()) out += text[i++];
    if (quote) ++i;
    out += text[i];
  }
  return out;
}

Token token_of(const Node& node) {
  const bool quoted =
      node.is_type<rule::quoted_text<'"'>>() || node.is_type<rule::quoted_text<'\''>>();
  const std::string_view text = node.string_view();
  return {quoted ? unquoted(text) : std::string(text), node.begin().byte, quoted};
}

Compare compare_of(std::string_view sign) {
  if (sign == "!=") return Compare::kNotEqual;
  if (sign == "<") return Compare::kLess;
  if (sign == "<=") return Compare::kLessEqual;
  if (sign == ">") return Compare::kGreater;
  if (sign == ">=") return Compare::kGreaterEqual;
  return sign == "~" ? Compare::kContains : Compare::kEqual;
}

TestSyntax test_of(const Node& node) {
  TestSyntax test;
  for (const auto& child : node.children) {
    if (child->is_type<rule::field>()) {
      test.field = token_of(*child);
    } else if (child->is_type<rule::member>()) {
      test.path.push_back({token_of(*child->children.front()), false});
    } else if (child->is_type<rule::element>()) {
      const Node& place = *child->children.front();
      test.path.push_back({token_of(place), place.is_type<rule::number>()});
    } else if (child->is_type<rule::compare>()) {
      test.compare = compare_of(child->string_view());
    } else if (child->is_type<rule::in_word>()) {
      test.compare = Compare::kEqual;
    } else {
      test.values.push_back(token_of(*child));
    }
  }
  return test;
}

Tree tree_of(const Node& node);

Tree joined(const Node& node, Tree::Type type) {
  if (node.children.size() == 1) return tree_of(*node.children.front());
  Tree tree{.type = type};
  for (const auto& child : node.children) tree.parts.push_back(tree_of(*child));
  return tree;
}

Tree negated(const Node& node) {
  const std::size_t nots = node.children.size() - 1;
  Tree inner = tree_of(*node.children.back());
  if (nots % 2 == 0) return inner;
  Tree tree{.type = Tree::Type::kNot};
  tree.parts.push_back(std::move(inner));
  return tree;
}

/// Nested no deeper than the text's parentheses, which are bounded.
Tree tree_of(const Node& node) {
  if (node.is_type<rule::expression>()) return joined(node, Tree::Type::kOr);
  if (node.is_type<rule::conjunction>()) return joined(node, Tree::Type::kAnd);
  if (node.is_type<rule::negation>()) return negated(node);
  return {.type = Tree::Type::kTest, .test = test_of(node)};
}

FilterError error_of(const pegtl::parse_error& error, const Progress& progress) {
  const std::size_t at = error.positions().front().byte;
  const std::string text(error.message());
  if (progress.after_field && (text == kEnd || text == kExpected<rule::close>)) {
    return {at, "expected a comparison (= != < <= > >= ~ in), " + text.substr(9)};
  }
  return {at, text};
}

}  // namespace

std::string_view compare_sign(Compare compare) {
  switch (compare) {
    case Compare::kThere:
      return "";
    case Compare::kEqual:
      return "=";
    case Compare::kNotEqual:
      return "!=";
    case Compare::kLess:
      return "<";
    case Compare::kLessEqual:
      return "<=";
    case Compare::kGreater:
      return ">";
    case Compare::kGreaterEqual:
      return ">=";
    case Compare::kContains:
      return "~";
  }
  return "";
}

Result<Tree, FilterError> parse(std::string_view text) {
  if (text.size() > kMaxFilterBytes) {
    return FilterError{kMaxFilterBytes, fmt::format("the filter has {} bytes; at most {} are read",
                                                    text.size(), kMaxFilterBytes)};
  }
  Progress progress;
  try {
    pegtl::memory_input input(text.data(), text.size(), "filter");
    const auto root =
        pegtl::parse_tree::parse<rule::whole, Selector, Action, Control>(input, progress);
    if (root && !root->children.empty()) return tree_of(*root->children.front());
  } catch (const pegtl::parse_error& error) {
    return error_of(error, progress);
  }
  return FilterError{0, kTest};
}

}  // namespace zpost::filter
