// What was received, as recv, request and chat show it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "peer/cli/shared/body.h"
#include "peer/cli/shared/palette.h"
#include "zpost/peer/message.h"

namespace zpost::cli {

/// What a received envelope says, borrowed from it.
struct Received {
  std::string_view kind = {};
  std::string_view from = {};
  std::string_view topic = {};  // Of a publish.
  bool retained = false;
  bool more = false;  // Other replies to the same request follow.
  std::uint64_t id = 0;
  std::uint64_t sent_ns = 0;  // 0: not said.
  std::string_view trace = {};
  std::uint64_t in_reply_to = 0;
  Body body = {};
};

[[nodiscard]] Received received(const EnvelopeView& view);
[[nodiscard]] Received received(const peer::Message& message);

/// `12:31:04 bob: hello`, of a publish `12:31:04 lab/door alice: open`; further lines indented.
/// With a line feed.
[[nodiscard]] std::string received_text(const Received& received, const Palette& palette,
                                        std::uint64_t now_ns);

/// One object with a line feed.
[[nodiscard]] std::string received_json(const Received& received);

/// A gap mark among what is published, for programs. With a line feed.
[[nodiscard]] std::string gap_json(std::uint64_t count);

/// Why a verb that waits gave up: it `had` so many ("envelope", "file") when nothing came for
/// `timeout`, and wanted so many (0: any).
[[nodiscard]] std::string too_few_text(std::uint64_t had, std::string_view noun,
                                       std::chrono::milliseconds timeout, std::uint64_t wanted);

/// The gap mark for people.
[[nodiscard]] std::string gap_text(std::uint64_t count);

/// The body's bytes as they are; a text gets a line feed.
[[nodiscard]] std::string received_raw(const Received& received);

}  // namespace zpost::cli
