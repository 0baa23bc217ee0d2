// The folder that received files are saved in.
#pragma once

#include <memory>
#include <string>

#include "peer/cli/files/file_store.h"
#include "peer/cli/files/part_file.h"

namespace zpost::cli {

/// Never writes outside the folder: names are single and links are not followed. Thread: one.
class SaveFolder : public FileStore {
 public:
  /// Error: the folder, and why nothing can be saved there.
  [[nodiscard]] static Result<SaveFolder> open(const std::string& path, bool overwrite);

  [[nodiscard]] Result<std::unique_ptr<StoredFile>> open(const FileOffer& offer) override;

 private:
  explicit SaveFolder(std::shared_ptr<const SavePlace> place) : place_(std::move(place)) {}

  [[nodiscard]] std::unique_ptr<StoredFile> find_saved(const FileOffer& offer) const;
  [[nodiscard]] Descriptor open_equal(const std::string& name, const FileOffer& offer) const;
  [[nodiscard]] Result<Descriptor> open_part(const std::string& part) const;
  [[nodiscard]] Result<void> check_room(std::uint64_t bytes) const;

  std::shared_ptr<const SavePlace> place_;
};

}  // namespace zpost::cli
