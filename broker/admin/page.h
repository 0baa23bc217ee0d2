// What is served, without the serving.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "broker/admin/families.h"
#include "broker/admin/snapshots.h"

namespace zpost::admin {

struct Page {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

/// Makes pages from snapshots. Thread: any, several at once.
class Pages {
 public:
  /// A routing thread that does not turn in this time is stuck.
  static constexpr std::chrono::milliseconds kPatience{2'000};

  Pages(BuildInfo info, Snapshots& snapshots, std::chrono::milliseconds patience = kPatience)
      : info_(std::move(info)), snapshots_(snapshots), patience_(patience) {}

  /// The page of a path; one of status 404 says which there are.
  [[nodiscard]] Page page(std::string_view path) const;

 private:
  [[nodiscard]] Page index() const;
  [[nodiscard]] Page metrics() const;

  const BuildInfo info_;
  Snapshots& snapshots_;
  const std::chrono::milliseconds patience_;
};

}  // namespace zpost::admin
