// What two captures tell differently. docs/diff.md. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/inspect/diff_side.h"

namespace zpost::inspect {

enum class DiffKind : std::uint8_t { kOnlyFirst, kOnlySecond, kChanged };

/// `outcome`, `delivered`, `no-peer`: safe for a terminal. Of a body `what` is the place in it.
struct DiffChange {
  std::string what;
  std::string first;
  std::string second;
};

/// One envelope, or a pair of them. References are valid during the call that tells of it.
struct Difference {
  DiffKind kind = DiffKind::kChanged;
  const DiffStream& stream;
  const DiffEnvelope* first = nullptr;
  const DiffEnvelope* second = nullptr;
  std::vector<DiffChange> changes = {};  // kChanged only.
};

/// Of one capture's envelopes in a stream.
struct DiffLatency {
  std::uint64_t p50_ns = 0;
  std::uint64_t p99_ns = 0;
};

struct DiffCounts {
  std::uint64_t first = 0;  // Envelopes.
  std::uint64_t second = 0;
  std::uint64_t same = 0;  // Pairs.
  std::uint64_t changed = 0;
  std::uint64_t only_first = 0;
  std::uint64_t only_second = 0;
  std::uint64_t redacted = 0;  // Of the same: their bodies are, as far as that can be told.
  std::uint64_t cut = 0;

  [[nodiscard]] bool is_same() const { return changed + only_first + only_second == 0; }

  DiffCounts& operator+=(const DiffCounts& other);
};

struct DiffOverview {
  DiffStream stream;
  DiffCounts counts;
  std::optional<DiffLatency> first = {};  // None: nothing is known.
  std::optional<DiffLatency> second = {};
};

/// How envelopes find each other.
enum class DiffPairing : std::uint8_t {
  kById,     // Both captures are of one run of a broker.
  kByOrder,  // Within their stream, by bodies.
};

/// Whether an envelope is in both, by its id.
[[nodiscard]] DiffPairing pairing_of(const DiffSide& first, const DiffSide& second);

class CaptureDiff {
 public:
  using Tell = std::function<void(const Difference& difference)>;

  // How far one of a pair is looked for, by order.
  static constexpr std::size_t kLookAhead = 64;

  CaptureDiff(DiffPairing pairing, BodyRules bodies, Tell tell)
      : pairing_(pairing), bodies_(std::move(bodies)), tell_(std::move(tell)) {}

  /// Tells the differences stream by stream, and returns each stream's overview, in their order.
  [[nodiscard]] std::vector<DiffOverview> run(const DiffSide& first, const DiffSide& second);

 private:
  using Envelopes = std::vector<DiffEnvelope>;
  using Prints = std::vector<std::optional<std::uint64_t>>;

  [[nodiscard]] DiffOverview compare(const DiffStream& stream, const Envelopes& first,
                                     const Envelopes& second);
  void pair_by_id(const Envelopes& first, const Envelopes& second);

  struct Alone {
    std::size_t first = 0;
    std::size_t second = 0;
  };

  void pair_by_order(const Envelopes& first, const Envelopes& second);
  [[nodiscard]] Alone look_ahead(const Envelopes& first, std::size_t i, const Envelopes& second,
                                 std::size_t j) const;
  void pair_moved(const Envelopes& first, const Envelopes& second);
  [[nodiscard]] bool are_alike(const Envelopes& first, std::size_t i, const Envelopes& second,
                               std::size_t j) const;
  [[nodiscard]] Prints prints_of(const Envelopes& envelopes) const;
  void put_pair(const DiffEnvelope& first, const DiffEnvelope& second, bool moved);
  void put_single(DiffKind kind, const DiffEnvelope& envelope);
  void put_body_change(const DiffEnvelope& first, const DiffEnvelope& second,
                       std::vector<DiffChange>& changes, DiffCounts& counts) const;
  void put_meta_changes(const DiffEnvelope& first, const DiffEnvelope& second,
                        std::vector<DiffChange>& changes) const;

  const DiffPairing pairing_;
  const BodyRules bodies_;
  const Tell tell_;
  // Of the stream being compared:
  const DiffStream* stream_ = nullptr;
  DiffCounts counts_;
  Prints first_prints_;
  Prints second_prints_;
  std::vector<std::size_t> first_alone_;
  std::vector<std::size_t> second_alone_;
};

}  // namespace zpost::inspect
