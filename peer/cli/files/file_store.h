// Where received files are kept, as the receiving side sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "peer/cli/files/checksum.h"
#include "peer/cli/files/file_messages.h"
#include "zpost/protocol/result.h"

namespace zpost::cli {

/// The bytes of one file that are there so far. Destroyed, they are kept for the next time.
class StoredFile {
 public:
  virtual ~StoredFile() = default;

  /// What is there, read and summed.
  struct Checked {
    std::uint64_t size = 0;
    Checksum sum;
  };

  /// The name under which the whole file was there before; then nothing is to be written. Else
  /// empty.
  [[nodiscard]] virtual std::string saved_name() const = 0;
  /// Nothing: it is still being read. Once it returned something it is not asked again.
  [[nodiscard]] virtual std::optional<Result<Checked>> checked() = 0;
  [[nodiscard]] virtual Result<void> append(std::uint64_t offset, Bytes bytes) = 0;
  /// Puts it on the disk for good, and then under its name. Asked again until it is done.
  [[nodiscard]] virtual std::optional<Result<std::string>> save() = 0;
  /// Removes what is there.
  virtual void discard() = 0;
};

/// Error of all: why, naming the file.
class FileStore {
 public:
  virtual ~FileStore() = default;

  /// For an offer whose name is harmless. `offer.anew`: whatever is there does not fit.
  [[nodiscard]] virtual Result<std::unique_ptr<StoredFile>> open(const FileOffer& offer) = 0;
};

}  // namespace zpost::cli
