#include "tools/inspect/capture_merge.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/units.h"

namespace zpost::inspect {

Result<void> CaptureMerge::open(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    auto file = std::make_unique<CaptureReader>(path);
    if (const auto opened = file->open(); !opened) return opened;
    files_.push_back(std::move(file));
  }
  for (const auto& file : files_) {
    if (advance(*file)) live_.push_back(file.get());
  }
  return {};
}

const CaptureReader* CaptureMerge::next() {
  if (told_ != nullptr && !advance(*told_)) std::erase(live_, told_);
  const auto first = std::ranges::min_element(
      live_, {}, [](const CaptureReader* file) { return file->entry().record.time_ns; });
  told_ = first == live_.end() ? nullptr : *first;
  return told_;
}

std::vector<std::string> CaptureMerge::comments() const {
  std::vector<std::string> all;
  for (const auto& file : files_) {
    for (std::string& each : file->comments()) {
      if (std::ranges::find(all, each) == all.end()) all.push_back(std::move(each));
    }
  }
  return all;
}

bool CaptureMerge::advance(CaptureReader& file) {
  while (true) {
    const Result<bool> more = file.next();
    if (more) return *more;
    ++damages_;
    complain_(more.error().text);
    if (on_damage_ == OnDamage::kStop || !skip_damage(file)) return false;
  }
}

bool CaptureMerge::skip_damage(CaptureReader& file) {
  const std::uint64_t from = file.offset();
  const bool found = file.resume();
  const std::uint64_t to = found ? file.offset() : file.bytes_read();
  complain_(fmt::format("{}: left out {} from byte {}{}", file.path(),
                        cli::counted(to - from, "byte"), from, found ? "" : ", to the end"));
  return found;
}

}  // namespace zpost::inspect
