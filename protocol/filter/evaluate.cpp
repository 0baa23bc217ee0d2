#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "protocol/filter/filter.h"
#include "protocol/filter/syntax.h"
#include "zpost/protocol/kinds.h"
#include "zpost/protocol/names.h"

namespace zpost::filter {

namespace {

// Every parenthesis adds an "or" and an "and" with one answer each that waits, and a list one.
constexpr std::size_t kMaxStack = 2 * (kMaxFilterNesting + 1) + 2;

/// What the numbers of a run may be: one for each envelope of it.
struct Span {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

Truth compare_span(Span span, Compare compare, std::uint64_t with) {
  switch (compare) {
    case Compare::kEqual:
      return Truth::some(span.least <= with && with <= span.most,
                         span.least != with || span.most != with);
    case Compare::kNotEqual:
      return !compare_span(span, Compare::kEqual, with);
    case Compare::kLess:
      return Truth::some(span.least < with, span.most >= with);
    case Compare::kLessEqual:
      return Truth::some(span.least <= with, span.most > with);
    case Compare::kGreater:
      return Truth::some(span.most > with, span.least <= with);
    case Compare::kGreaterEqual:
      return Truth::some(span.most >= with, span.least < with);
    default:
      return Truth::yes();  // It is there.
  }
}

template <typename Number>
bool compares(Number value, Compare compare, Number with) {
  switch (compare) {
    case Compare::kEqual:
      return value == with;
    case Compare::kNotEqual:
      return value != with;
    case Compare::kLess:
      return value < with;
    case Compare::kLessEqual:
      return value <= with;
    case Compare::kGreater:
      return value > with;
    case Compare::kGreaterEqual:
      return value >= with;
    default:
      return true;
  }
}

bool is_payload_of(const Subject& subject, Kind kind) {
  return subject.kind_number == static_cast<std::uint8_t>(kind);
}

/// A number of a body against one of a filter: whole ones exactly, whatever their signs.
struct CompareNumbers {
  Compare compare;

  bool operator()(std::int64_t a, std::int64_t b) const { return compares(a, compare, b); }

  bool operator()(std::uint64_t a, std::uint64_t b) const { return compares(a, compare, b); }

  bool operator()(std::int64_t a, std::uint64_t b) const {
    // A negative number is below all others.
    return a < 0 ? compares(0, compare, 1) : compares(static_cast<std::uint64_t>(a), compare, b);
  }

  bool operator()(std::uint64_t a, std::int64_t b) const {
    return b < 0 ? compares(1, compare, 0) : compares(a, compare, static_cast<std::uint64_t>(b));
  }

  bool operator()(double a, double b) const { return compares(a, compare, b); }

  template <typename Whole>
  bool operator()(double a, Whole b) const {
    return compares(a, compare, static_cast<double>(b));
  }

  template <typename Whole>
  bool operator()(Whole a, double b) const {
    return compares(static_cast<double>(a), compare, b);
  }
};

template <typename Value>
constexpr bool kIsNumber = std::is_same_v<Value, std::int64_t> ||
                           std::is_same_v<Value, std::uint64_t> || std::is_same_v<Value, double>;

/// A body that is text and as a whole a number, as sensors send it.
std::optional<double> number_in(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(kSpace)));
  double number = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.end() - end));
  if (rest.find_first_not_of(kSpace) != std::string_view::npos) return std::nullopt;
  return number;
}

/// Compares a value of a body as soon as it is found. Values of different types are not equal, and
/// have no order.
template <typename Literal>
class BodyTest : public BodyVisitor {
 public:
  BodyTest(Compare compare, const Literal* literal, bool whole)
      : compare_(compare), literal_(literal), whole_(whole) {}

  void visit(const BodyValue& value) override {
    holds_ = std::visit([this](const auto& found) { return this->judge(found); }, value);
  }

  [[nodiscard]] bool holds() const { return holds_; }

 private:
  template <typename Value>
  [[nodiscard]] bool judge(const Value& value) const {
    if (literal_ == nullptr) return true;
    return std::visit([&](const auto& with) { return judge(value, with); }, *literal_);
  }

  template <typename Value, typename With>
  [[nodiscard]] bool judge(const Value& value, const With& with) const {
    if constexpr (kIsNumber<Value> && kIsNumber<With>) {
      return CompareNumbers{compare_}(value, with);
    } else if constexpr (std::is_same_v<Value, std::string_view> && kIsNumber<With>) {
      const std::optional<double> number = whole_ ? number_in(value) : std::nullopt;
      return number ? CompareNumbers{compare_}(*number, with) : compare_ == Compare::kNotEqual;
    } else if constexpr (std::is_same_v<Value, std::string_view> &&
                         std::is_same_v<With, TextPattern>) {
      if (compare_ == Compare::kContains) return with.is_found_in(value);
      return with.matches(value) == (compare_ == Compare::kEqual);
    } else if constexpr (std::is_same_v<Value, With>) {
      return compares(value == with, Compare::kEqual, compare_ == Compare::kEqual);
    } else {
      return compare_ == Compare::kNotEqual;
    }
  }

  Compare compare_;
  const Literal* literal_;  // Null: it is enough that there is a value.
  bool whole_;              // The body itself.
  bool holds_ = false;
};

}  // namespace

/// One subject and the tests that are put to it.
class Filter::Evaluation {
 public:
  Evaluation(const Filter& filter, const Subject& subject) : filter_(filter), subject_(subject) {}

  [[nodiscard]] Truth test(const Test& test) const {
    switch (test.type) {
      case Type::kText:
        return text(test);
      case Type::kTopic:
        return topic(test);
      case Type::kWord:
        return word(test);
      case Type::kNumber:
      case Type::kSize:
      case Type::kDuration:
        return number(test);
      case Type::kFlag:
        return envelope_missing() ? not_here() : Truth::of(subject_.envelope->rejected);
      case Type::kAny:
        return body(test);
    }
    return Truth::unknown();
  }

 private:
  [[nodiscard]] bool envelope_missing() const { return subject_.envelope == nullptr; }

  [[nodiscard]] Truth not_here() const {
    return subject_.envelope_elsewhere ? Truth::maybe() : Truth::unknown();
  }

  [[nodiscard]] bool is_session() const { return subject_.event == TapEvent::kSession; }

  [[nodiscard]] bool kind_is_unknown() const { return subject_.kind_number == 0 && !is_session(); }

  [[nodiscard]] Truth compare_text(const Test& test, std::string_view value) const {
    const auto compare = static_cast<Compare>(test.compare);
    if (compare == Compare::kThere) return Truth::of(!value.empty());
    const TextPattern& pattern = filter_.patterns_[test.text];
    if (compare == Compare::kContains) return Truth::of(pattern.is_found_in(value));
    return Truth::of(pattern.matches(value) == (compare == Compare::kEqual));
  }

  [[nodiscard]] Truth text(const Test& test) const {
    switch (test.field) {
      case Field::kFrom:
        return compare_text(test, subject_.from);
      case Field::kTo:
        return is_session() ? Truth::no() : target(test);
      case Field::kPeer:
        return peer(test);
      case Field::kService:
        if (kind_is_unknown()) return Truth::unknown();
        // Once a worker has the call, the record names the worker.
        return is_service_of_call() ? target(test) : Truth::no();
      default:  // Field::kContentType
        if (envelope_missing()) return not_here();
        if (subject_.envelope->content_type.empty()) return Truth::no();
        return compare_text(test, subject_.envelope->content_type);
    }
  }

  [[nodiscard]] bool is_service_of_call() const {
    return is_payload_of(subject_, Kind::kCall) && subject_.to.starts_with(kServiceMark);
  }

  /// A service has its mark in records; people leave it out.
  [[nodiscard]] Truth target(const Test& test) const {
    const Truth marked = compare_text(test, subject_.to);
    if (!subject_.to.starts_with(kServiceMark)) return marked;
    const Truth bare = compare_text(test, subject_.to.substr(1));
    return static_cast<Compare>(test.compare) == Compare::kNotEqual ? marked & bare : marked | bare;
  }

  /// Who sends or who receives. Neither, if it says !=.
  [[nodiscard]] Truth peer(const Test& test) const {
    const Truth from = compare_text(test, subject_.from);
    if (is_session()) return from;
    const Truth to = compare_text(test, subject_.to);
    return static_cast<Compare>(test.compare) == Compare::kNotEqual ? from & to : from | to;
  }

  [[nodiscard]] Truth topic(const Test& test) const {
    if (kind_is_unknown()) return Truth::unknown();
    if (!is_payload_of(subject_, Kind::kPublish) || !is_topic(subject_.to)) return Truth::no();
    const auto compare = static_cast<Compare>(test.compare);
    if (compare == Compare::kThere) return Truth::yes();
    const bool matches = matches_topic_pattern(filter_.topics_[test.text], subject_.to);
    return Truth::of(matches == (compare == Compare::kEqual));
  }

  [[nodiscard]] Truth word(const Test& test) const {
    if (test.field == Field::kKind && kind_is_unknown()) return Truth::unknown();
    const std::uint64_t value = word_value(test.field);
    const auto compare = static_cast<Compare>(test.compare);
    // What is not there equals nothing, and differs from nothing.
    if (value == 0 || compare == Compare::kThere) return Truth::of(value != 0);
    return Truth::of((value == test.number) == (compare == Compare::kEqual));
  }

  [[nodiscard]] std::uint64_t word_value(Field field) const {
    switch (field) {
      case Field::kKind:
        return subject_.kind_number;
      case Field::kEvent:
        return static_cast<std::uint64_t>(subject_.event);
      case Field::kOutcome:
        return static_cast<std::uint64_t>(subject_.outcome);
      case Field::kHeld:
        return subject_.held ? static_cast<std::uint64_t>(*subject_.held) : 0;
      default:  // Field::kChange
        return subject_.change ? static_cast<std::uint64_t>(*subject_.change) : 0;
    }
  }

  [[nodiscard]] Truth number(const Test& test) const {
    if (test.field == Field::kLatency && !subject_.latency_ns) return no_latency();
    if (test.field == Field::kInReplyTo && envelope_missing()) return not_here();
    const Span span = span_of(test.field);
    if (span.most == 0 && test.field != Field::kLatency) return Truth::no();
    return compare_span(span, static_cast<Compare>(test.compare), test.number);
  }

  [[nodiscard]] Truth no_latency() const {
    if (is_session() || subject_.event == TapEvent::kReceived) return Truth::no();
    return subject_.latency_elsewhere ? Truth::maybe() : Truth::unknown();
  }

  [[nodiscard]] Span span_of(Field field) const {
    switch (field) {
      case Field::kId:
        return {subject_.first_id, subject_.last_id};
      case Field::kCount:
        return {subject_.count, subject_.count};
      case Field::kSize:
        return size();
      case Field::kBytes:
        return {subject_.bytes, subject_.bytes};
      case Field::kQueues:
        return {subject_.queues, subject_.queues};
      case Field::kAttempt:
        return {subject_.attempt, subject_.attempt};
      case Field::kLatency:
        return {*subject_.latency_ns, *subject_.latency_ns};
      default:  // Field::kInReplyTo
        return {subject_.envelope->in_reply_to, subject_.envelope->in_reply_to};
    }
  }

  /// Of one envelope. Of a run the average, or while others can still tell, all it could be.
  [[nodiscard]] Span size() const {
    if (subject_.envelope != nullptr) return {subject_.envelope->size, subject_.envelope->size};
    if (subject_.count <= 1) return {subject_.bytes, subject_.bytes};
    if (subject_.unfolds_elsewhere) return {1, subject_.bytes};
    const std::uint64_t average = subject_.bytes / subject_.count;
    return {average, average};
  }

  [[nodiscard]] Truth body(const Test& test) const {
    if (is_session()) return Truth::no();
    if (envelope_missing()) return not_here();
    const ShownEnvelope& envelope = *subject_.envelope;
    const auto compare = static_cast<Compare>(test.compare);
    const BodyPath& path = filter_.paths_[test.path];
    if (path.empty() && compare == Compare::kThere) {
      return Truth::of(!envelope.body.empty() || envelope.cut);
    }
    const Literal* const literal =
        compare == Compare::kThere ? nullptr : &filter_.literals_[test.text];
    BodyTest<Literal> visitor(compare, literal, path.empty());
    const Found found = find_in_body(envelope, path, visitor);
    if (found == Found::kAbsent) return Truth::no();
    if (found == Found::kUndecided) return not_here();
    // What was looked for may be in the part that is not there; the rest would differ anyway.
    const bool decided =
        !path.empty() || !envelope.cut || (compare == Compare::kContains && visitor.holds());
    return decided ? Truth::of(visitor.holds()) : not_here();
  }

  const Filter& filter_;
  const Subject& subject_;
};

Truth Filter::evaluate(const Subject& subject) const {
  const Evaluation evaluation(*this, subject);
  return run([&evaluation](const Test& test) { return evaluation.test(test); });
}

Truth Filter::evaluate_whole(std::span<const Subject> parts) const {
  return run([this, parts](const Test& test) {
    Truth any = Truth::no();
    for (const Subject& part : parts) any = any | Evaluation(*this, part).test(test);
    return any;
  });
}

bool Filter::names(TapEvent event) const {
  return std::ranges::any_of(tests_, [event](const Test& test) {
    return test.field == Field::kEvent && test.number == static_cast<std::uint64_t>(event);
  });
}

template <typename Judge>
Truth Filter::run(const Judge& judge) const {
  std::array<Truth, kMaxStack> stack;
  std::size_t top = 0;  // Answers on the stack.
  for (std::size_t at = 0; at < program_.size(); ++at) {
    const Instruction& instruction = program_[at];
    switch (instruction.op) {
      case Op::kTest:
        stack[top++] = judge(tests_[instruction.argument]);
        break;
      case Op::kNot:
        stack[top - 1] = !stack[top - 1];
        break;
      case Op::kAnd:
        --top;
        stack[top - 1] = stack[top - 1] & stack[top];
        break;
      case Op::kOr:
        --top;
        stack[top - 1] = stack[top - 1] | stack[top];
        break;
      case Op::kJumpIfNo:
        if (stack[top - 1].is_certainly_no()) at = instruction.argument - 1;
        break;
      case Op::kJumpIfYes:
        if (stack[top - 1].is_certainly_yes()) at = instruction.argument - 1;
        break;
    }
  }
  return stack[0];
}

}  // namespace zpost::filter
