// SHA-256 over bytes as they come.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "zpost/protocol/msgpack_reader.h"

// OpenSSL's EVP_MD_CTX, whose header only checksum.cpp needs.
struct evp_md_ctx_st;

namespace zpost::cli {

using Digest = std::array<std::byte, 32>;

/// As sha256sum prints it.
[[nodiscard]] std::string hexadecimal(Bytes bytes);

/// A running SHA-256. Copies go on separately. Thread: one at a time.
class Checksum {
 public:
  Checksum();
  Checksum(const Checksum& other);
  Checksum(Checksum&&) noexcept = default;
  Checksum& operator=(const Checksum& other);
  Checksum& operator=(Checksum&&) noexcept = default;
  ~Checksum() = default;

  void update(Bytes bytes);

  /// Of all bytes so far; more may follow.
  [[nodiscard]] Digest digest() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };

  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

[[nodiscard]] Digest digest_of(Bytes bytes);

}  // namespace zpost::cli
