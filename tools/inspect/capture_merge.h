// Several captures as one, in the order of their times.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/inspect/capture_reader.h"

namespace zpost::inspect {

/// Thread: one.
class CaptureMerge {
 public:
  /// What to do about a file that is damaged or cut: `what` names it and the byte.
  enum class OnDamage : std::uint8_t { kStop, kGoOn };
  using Complain = std::function<void(const std::string& what)>;

  CaptureMerge(OnDamage on_damage, Complain complain)
      : on_damage_(on_damage), complain_(std::move(complain)) {}

  /// Error: a file cannot be opened.
  [[nodiscard]] Result<void> open(const std::vector<std::string>& paths);

  /// The record that is next in time, in one file's order; nothing at the end of all. What it shows
  /// is valid until the next call. A file that is damaged ends there, or goes on behind it.
  [[nodiscard]] const CaptureReader* next();

  /// How often something was complained of.
  [[nodiscard]] std::uint64_t damages() const { return damages_; }

  /// Those of the files, as far as they were read, each once.
  [[nodiscard]] std::vector<std::string> comments() const;

  [[nodiscard]] const std::vector<std::unique_ptr<CaptureReader>>& files() const { return files_; }

 private:
  /// False: the file has no more.
  [[nodiscard]] bool advance(CaptureReader& file);
  [[nodiscard]] bool skip_damage(CaptureReader& file);

  const OnDamage on_damage_;
  const Complain complain_;
  std::vector<std::unique_ptr<CaptureReader>> files_;
  std::vector<CaptureReader*> live_;  // Each with an entry to be told.
  CaptureReader* told_ = nullptr;     // The one whose entry was told last.
  std::uint64_t damages_ = 0;
};

}  // namespace zpost::inspect
