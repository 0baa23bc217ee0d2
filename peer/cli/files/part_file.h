// The bytes of a file that is not all there yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "peer/cli/files/file_store.h"

namespace zpost::cli {

/// How many files of one name there may be.
inline constexpr unsigned kMostNumbers = 10'000;

/// An open descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}

  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  [[nodiscard]] int number() const { return number_; }

  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

/// Reads and sums a file on a thread of its own. Destroyed before its end, it gives up.
class FileCheck {
 public:
  /// `file` must stay open. Error text begins with `name`.
  FileCheck(int file, std::uint64_t size, std::string name);
  ~FileCheck();
  FileCheck(const FileCheck&) = delete;
  FileCheck& operator=(const FileCheck&) = delete;

  /// Waits a moment, so that small files need no second question. Nothing: not done. After
  /// something was returned, there is nothing more.
  [[nodiscard]] std::optional<Result<StoredFile::Checked>> result();

 private:
  std::atomic<bool> given_up_ = false;
  std::future<Result<StoredFile::Checked>> sum_;
};

/// What the files of a folder have in common.
struct SavePlace {
  Descriptor folder;
  std::string path;  // For messages.
  bool overwrite = false;
};

/// A file that was there before, perhaps under a name with a number.
class SavedFile : public StoredFile {
 public:
  SavedFile(Descriptor file, std::uint64_t size, std::string name)
      : file_(std::move(file)), name_(std::move(name)), check_(file_.number(), size, name_) {}

  [[nodiscard]] std::string saved_name() const override { return name_; }

  [[nodiscard]] std::optional<Result<Checked>> checked() override { return check_.result(); }

  [[nodiscard]] Result<void> append(std::uint64_t, Bytes) override { return {}; }

  [[nodiscard]] std::optional<Result<std::string>> save() override { return std::nullopt; }

  void discard() override {}

 private:
  Descriptor file_;
  std::string name_;
  FileCheck check_;
};

/// A part. `file` is open for reading and writing, locked, and has `size` bytes.
class PartFile : public StoredFile {
 public:
  PartFile(std::shared_ptr<const SavePlace> place, Descriptor file, std::uint64_t size,
           const FileOffer& offer);
  /// Leaves no empty part behind.
  ~PartFile() override;
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  [[nodiscard]] std::string saved_name() const override { return ""; }

  [[nodiscard]] std::optional<Result<Checked>> checked() override { return check_.result(); }

  [[nodiscard]] Result<void> append(std::uint64_t offset, Bytes bytes) override;
  [[nodiscard]] std::optional<Result<std::string>> save() override;
  void discard() override;

 private:
  [[nodiscard]] Result<std::string> put_in_place() const;
  [[nodiscard]] Result<std::string> rename() const;

  std::shared_ptr<const SavePlace> place_;
  Descriptor file_;
  std::string name_;
  std::string part_;
  std::uint64_t modified_ns_;
  std::uint64_t written_;            // The end of what was written …
  std::uint64_t under_way_to_disk_;  // … and of what the system was told to write.
  FileCheck check_;
  std::future<Result<std::string>> saving_;
};

}  // namespace zpost::cli
