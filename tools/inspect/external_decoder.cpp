#include "tools/inspect/external_decoder.h"

#include <fmt/format.h>
#include <poll.h>

#include "peer/cli/shared/command.h"
#include "protocol/filter/body_form.h"

namespace zpost::inspect {
namespace {

cli::CommandEnd await_end(cli::Command& command) {
  constexpr int kGlanceMs = 10;  // The end of a child is no descriptor's event.
  std::vector<pollfd> descriptors;
  for (;;) {
    if (auto end = command.advance(std::chrono::steady_clock::now())) return *std::move(end);
    descriptors.clear();
    command.add_descriptors(descriptors);
    (void)::poll(descriptors.data(), descriptors.size(), kGlanceMs);
  }
}

}  // namespace

Result<void> ExternalDecoders::add(std::string_view text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string_view::npos || sign == 0 || sign + 1 == text.size()) {
    return Error{
        Outcome::kNone,
        fmt::format("\"{}\" is not TYPE=COMMAND, such as application/x-lab=./decode-lab", text)};
  }
  decoders_.push_back(
      {filter::TextPattern(text.substr(0, sign)), std::string(text.substr(sign + 1))});
  return {};
}

std::optional<std::string> ExternalDecoders::decode(const ShownEnvelope& envelope) const {
  const std::string_view type = media_type(envelope.content_type);
  for (const Decoder& decoder : decoders_) {
    if (!decoder.type.matches(type)) continue;
    if (envelope.cut) return "(cut: no decoder gets a part; see --snap)";
    cli::CommandSpec spec;
    spec.arguments = {"/bin/sh", "-c", decoder.command};
    spec.environment = {"ZPOST_CONTENT_TYPE=" + std::string(envelope.content_type)};
    spec.input = as_text(envelope.body);
    spec.output_limit = kMaxOutput;
    spec.deadline = std::chrono::steady_clock::now() + kPatience;
    Result<cli::Command> command = cli::Command::start(std::move(spec));
    if (!command) return fmt::format("({})", command.error().text);
    cli::CommandEnd end = await_end(*command);
    if (!end.succeeded()) return fmt::format("({})", cli::rejection_text("the decoder", end));
    while (end.output.ends_with('\n')) end.output.pop_back();
    return std::move(end.output);
  }
  return std::nullopt;
}

}  // namespace zpost::inspect
