#include "tools/inspect/protobuf_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "tools/inspect/decode.h"

namespace zpost::inspect {
namespace {

// Of large projects they have a few MiB.
constexpr std::size_t kMaxDescriptorBytes = 64 << 20;

Result<void> load(ProtobufDecoder& decoder, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kMaxDescriptorBytes + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (!file.is_open() || file.bad() || (bytes.empty() && !file.eof())) {
    return Error{Outcome::kNone, fmt::format("{} cannot be read: {}", path,
                                             std::generic_category().message(errno))};
  }
  if (bytes.size() > kMaxDescriptorBytes) {
    return Error{Outcome::kNone,
                 fmt::format("{} has more than {} MiB", path, kMaxDescriptorBytes >> 20)};
  }
  return decoder.add_descriptors(bytes, path);
}

void require(const char* option, const Result<void>& done) {
  if (!done) throw CLI::ValidationError(option, done.error().text);
}

}  // namespace

void add_protobuf_options(CLI::App& verb, ProtobufDecoder& decoder) {
  CLI::Option* const sets =
      verb.add_option_function<std::vector<std::string>>(
              "--proto",
              [&decoder](const std::vector<std::string>& paths) {
                for (const std::string& path : paths) require("--proto", load(decoder, path));
              },
              "Bodies of application/x-protobuf; messageType=pkg.Message by a descriptor set: "
              "protoc --include_imports --descriptor_set_out=FILE (repeatable)")
          ->allow_extra_args(false)
          ->option_text("FILE");
  // After --proto: options act in this order, and rules name messages that must be there.
  verb.add_option_function<std::vector<std::string>>(
          "--proto-type",
          [&decoder](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) require("--proto-type", decoder.add_rule(text));
          },
          "Which message bodies to such a peer, topic or service are, if their content type does "
          "not say it (repeatable)")
      ->allow_extra_args(false)
      ->needs(sets)
      ->option_text("PATTERN=MESSAGE");
}

bool decode_protobuf(const ProtobufDecoder& decoder, BodyShape shape, TailLine& line) {
  if (!line.envelope) return false;
  std::optional<ProtobufBody> body = decoder.decode(*line.envelope, line.to);
  if (!body) return false;
  const std::string remark = body->remark.empty() ? "" : fmt::format(" ({})", body->remark);
  if (shape == BodyShape::kJson) {
    line.protobuf = *std::move(body);
  } else if (shape == BodyShape::kTree && body->fault.empty()) {
    line.decoded = cli::visible_line(body->message + remark);
    line.tree = rows_of_json(cli::Json::parse(body->json));
  } else if (shape == BodyShape::kTree) {
    line.decoded = cli::visible_line(body->fault);
    line.tree = decoded_tree(*line.envelope, Decoding::kHex);
  } else if (body->fault.empty()) {
    line.decoded = cli::visible_line(fmt::format("{} {}{}", body->message, body->json, remark));
  } else {
    line.decoded =
        cli::visible_line(body->fault) + ": " + decoded_line(*line.envelope, Decoding::kHex);
  }
  return true;
}

}  // namespace zpost::inspect
