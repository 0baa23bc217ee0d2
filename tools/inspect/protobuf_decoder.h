// Bodies that are protobuf messages, by the descriptor sets that protoc writes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/inspect/protobuf_body.h"
#include "tools/inspect/shown_envelopes.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// Knows the messages of its descriptor sets and which bodies are which. Thread: one.
class ProtobufDecoder {
 public:
  /// Of one message, those inside an Any counted.
  static constexpr int kMaxDepth = 32;

  ProtobufDecoder();
  ~ProtobufDecoder();
  ProtobufDecoder(const ProtobufDecoder&) = delete;
  ProtobufDecoder& operator=(const ProtobufDecoder&) = delete;

  /// `bytes`: a FileDescriptorSet with all that its files import (`protoc --include_imports`);
  /// `source` names it in what is said of it. Several sets may hold the same files. Error: what is
  /// wrong with it, safe for a terminal.
  [[nodiscard]] Result<void> add_descriptors(std::string_view bytes, const std::string& source);

  /// `PATTERN=pkg.Message`: what bodies without a telling content type are, by the peer, topic or
  /// service they are for. The first that matches is used. Error: what is wrong; the descriptor
  /// sets must be there before.
  [[nodiscard]] Result<void> add_rule(std::string_view text);

  /// The body of an envelope for `to`. Nothing: neither its content type nor a rule says that it is
  /// protobuf, or there are no descriptor sets.
  [[nodiscard]] std::optional<ProtobufBody> decode(const ShownEnvelope& envelope,
                                                   std::string_view to) const;

 private:
  class Messages;

  struct Rule {
    std::string pattern;
    std::string message;
  };

  std::unique_ptr<Messages> messages_;
  std::vector<Rule> rules_;
};

/// The message that a content type of protobuf names, such as `lab.Reading` of
/// `application/x-protobuf; messageType="lab.Reading"`; empty: it names none. Nothing: the content
/// type is another.
[[nodiscard]] std::optional<std::string_view> protobuf_message_of(std::string_view content_type);

}  // namespace zpost::inspect
