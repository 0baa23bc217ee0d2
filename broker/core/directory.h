// Names and the numbers the core uses for them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/core/action.h"
#include "broker/core/slots.h"

namespace zpost::core {

/// A name's number. 0 is the empty name, the broker.
using NameId = std::uint32_t;
inline constexpr NameId kBrokerName = 0;

/// Numbers for the names in use: of sessions, and of those anyone has lately sent to. A number is
/// valid while it is referenced; then it may serve another name. Bounded by its users' limits.
class Directory {
 public:
  Directory();

  /// The number of `name`, a new one if need be, with one more reference.
  NameId acquire(std::string_view name);

  void acquire(NameId id) { ++entries_[id].references; }

  /// Drops a reference. A number that nobody refers to serves another name only after recycle().
  void release(NameId id);

  /// What was released may be used again. Call when the notes of earlier steps are read.
  void recycle();

  /// kNone if nobody refers to that name.
  [[nodiscard]] NameId find(std::string_view name) const;

  [[nodiscard]] std::string_view name(NameId id) const { return entries_[id].name; }

  [[nodiscard]] bool has(NameId id) const { return id < entries_.size(); }

  /// Who holds the name now; kNone if nobody does.
  [[nodiscard]] SessionId session(NameId id) const { return entries_[id].session; }

  void set_session(NameId id, SessionId session) { entries_[id].session = session; }

 private:
  struct Entry {
    std::string name;
    SessionId session = kNone;
    std::uint32_t references = 0;
  };

  std::vector<Entry> entries_;
  std::vector<NameId> free_;
  std::vector<NameId> released_;  // Free once recycle() is called.
  std::unordered_map<std::string, NameId, TextHash, std::equal_to<>> by_name_;
};

}  // namespace zpost::core
