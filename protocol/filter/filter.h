// The filter language: which envelopes somebody wants to see. docs/filter.md; SPEC.md, section 12.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/filter/body_value.h"
#include "protocol/filter/fields.h"
#include "protocol/filter/filter_error.h"
#include "protocol/filter/subject.h"
#include "protocol/filter/text_pattern.h"
#include "protocol/filter/truth.h"
#include "zpost/protocol/result.h"

namespace zpost::filter {

inline constexpr std::size_t kMaxFilterBytes = 1024;
inline constexpr std::size_t kMaxFilterNesting = 16;  // Parentheses.

class Compiler;

/// A compiled filter: compiled once, asked often. Thread: any number, once compiled.
class Filter {
 public:
  /// Error: what is wrong and where; names the nearest word to one that is not known.
  [[nodiscard]] static Result<Filter, FilterError> compile(std::string_view text);

  /// Allocates nothing unless it asks for a body.
  [[nodiscard]] Truth evaluate(const Subject& subject) const;

  /// Of something that has several parts, as a request with its reply: a test holds of the whole if
  /// it holds of one of them.
  [[nodiscard]] Truth evaluate_whole(std::span<const Subject> parts) const;

  /// Whether the subject is one that is wanted, or may be.
  [[nodiscard]] bool wants(const Subject& subject) const { return evaluate(subject).may_be_yes(); }

  /// Whether it asks for what only the envelopes themselves tell: their body, content type, what
  /// they reply to, and whether they reject.
  [[nodiscard]] bool looks_into_envelopes() const { return looks_into_envelopes_; }

  /// Whether one of its tests names the event.
  [[nodiscard]] bool names(TapEvent event) const;

  /// Whether it asks for the latency, which no record has: see LatencyMemory.
  [[nodiscard]] bool asks_for_latency() const { return asks_for_latency_; }

 private:
  friend class Compiler;
  class Evaluation;

  enum class Op : std::uint8_t { kTest, kNot, kAnd, kOr, kJumpIfNo, kJumpIfYes };

  struct Instruction {
    Op op = Op::kTest;
    std::uint32_t argument = 0;  // Of a test which one, of a jump where to.
  };

  /// `judge` answers each test.
  template <typename Judge>
  [[nodiscard]] Truth run(const Judge& judge) const;

  /// What a body's value is compared with.
  using Literal =
      std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, TextPattern>;

  struct Test {
    Field field = Field::kFrom;
    Type type = Type::kText;
    std::uint8_t compare = 0;  // A Compare.
    std::uint64_t number = 0;  // Of numbers, sizes, durations and words.
    std::uint32_t text = 0;    // Of texts, topics and bodies: which pattern, topic or literal.
    std::uint32_t path = 0;    // Of bodies.
  };

  std::vector<Instruction> program_;
  std::vector<Test> tests_;
  std::vector<TextPattern> patterns_;
  std::vector<std::string> topics_;
  std::vector<Literal> literals_;
  std::vector<BodyPath> paths_;
  bool looks_into_envelopes_ = false;
  bool asks_for_latency_ = false;
};

}  // namespace zpost::filter
