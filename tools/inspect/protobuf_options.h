// --proto and --proto-type: the same for all verbs that show bodies.
#pragma once

#include "tools/inspect/protobuf_decoder.h"
#include "tools/inspect/tail_line.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::inspect {

/// `decoder` must outlive the parsing.
void add_protobuf_options(CLI::App& verb, ProtobufDecoder& decoder);

enum class BodyShape { kLine, kTree, kJson };

/// Decodes what `line` shows in one of the shapes. False, and nothing is done: it has no body, or
/// nobody says that it is protobuf.
[[nodiscard]] bool decode_protobuf(const ProtobufDecoder& decoder, BodyShape shape, TailLine& line);

}  // namespace zpost::inspect
