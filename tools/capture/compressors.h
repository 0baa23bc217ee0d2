// gzip and zstd, streamed.
#pragma once

#include <memory>

#include "tools/capture/byte_source.h"
#include "tools/capture/file_sink.h"

namespace zpost::capture {

/// Nothing for kNone. Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<Compressor> make_compressor(Compression compression);

/// Recognises gzip and zstd by their first bytes; other bytes pass as they are. Compressed bytes
/// that are damaged end there, with trouble(); those that are cut just end. `packed` must outlive
/// it.
[[nodiscard]] std::unique_ptr<ByteSource> make_unpacking_source(ByteSource& packed);

}  // namespace zpost::capture
