#include "broker/core/directory.h"

namespace zpost::core {

Directory::Directory() {
  acquire("");
}  // The broker's own entry is never released.

NameId Directory::acquire(std::string_view name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    ++entries_[found->second].references;
    return found->second;
  }
  NameId id = 0;
  if (free_.empty()) {
    id = static_cast<NameId>(entries_.size());
    entries_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  entries_[id] = Entry{std::string(name), kNone, 1};
  by_name_.emplace(std::string(name), id);
  return id;
}

void Directory::release(NameId id) {
  Entry& entry = entries_[id];
  if (--entry.references > 0) return;
  by_name_.erase(entry.name);
  released_.push_back(id);
}

void Directory::recycle() {
  free_.insert(free_.end(), released_.begin(), released_.end());
  released_.clear();
}

NameId Directory::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? kNone : found->second;
}

}  // namespace zpost::core
