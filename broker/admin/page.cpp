#include "broker/admin/page.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include "broker/admin/health.h"

namespace zpost::admin {

namespace {

constexpr int kNotFound = 404;
constexpr int kUnavailable = 503;
constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

Page page_of(const Health& health) {
  Page page;
  page.status = health.good ? 200 : kUnavailable;
  page.body = health.text + "\n";
  return page;
}

}  // namespace

Page Pages::page(std::string_view path) const {
  if (path == "/metrics") return metrics();
  if (path == "/healthz" || path == "/readyz") {
    const auto snapshot = snapshots_.ask(patience_);
    return page_of(path == "/healthz" ? health(snapshot, snapshots_.age())
                                      : readiness(snapshot, snapshots_.age()));
  }
  if (path == "/") return index();
  Page page;
  page.status = kNotFound;
  page.body = "not found: there are /metrics, /healthz and /readyz\n";
  return page;
}

/// Programs that take this for the broker's port read the first lines, and say so.
Page Pages::index() const {
  Page page;
  page.body = fmt::format("zpost-broker {} \"{}\"\n", info_.version, info_.name);
  for (const std::string& each : info_.endpoints) {
    page.body += fmt::format("peers connect to {}\n", each);
  }
  page.body +=
      "\n"
      "/metrics  numbers for Prometheus\n"
      "/healthz  whether the broker is alive\n"
      "/readyz   whether peers can use it\n";
  return page;
}

/// Numbers that are not of now would be no better than none.
Page Pages::metrics() const {
  const auto snapshot = snapshots_.ask(patience_);
  if (!snapshot) return page_of(health(snapshot, snapshots_.age()));
  Page page;
  page.type = kMetricsType;
  page.body =
      prometheus::TextSerializer().Serialize(families(info_, *snapshot, read_process_stats()));
  return page;
}

}  // namespace zpost::admin
