#include "peer/cli/files/checksum.h"

#include <openssl/evp.h>

#include <new>

namespace zpost::cli {
namespace {

// What can fail here is memory, and a libcrypto without SHA-256.
void require(bool succeeded) {
  if (!succeeded) throw std::bad_alloc();
}

}  // namespace

std::string hexadecimal(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte each : bytes) {
    text += kDigits[std::to_integer<unsigned>(each) >> 4];
    text += kDigits[std::to_integer<unsigned>(each) & 15];
  }
  return text;
}

void Checksum::Free::operator()(evp_md_ctx_st* context) const {
  ::EVP_MD_CTX_free(context);
}

Checksum::Checksum() : context_(::EVP_MD_CTX_new()) {
  require(context_ != nullptr);
  require(::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) == 1);
}

Checksum::Checksum(const Checksum& other) : context_(::EVP_MD_CTX_new()) {
  require(context_ != nullptr);
  require(::EVP_MD_CTX_copy_ex(context_.get(), other.context_.get()) == 1);
}

Checksum& Checksum::operator=(const Checksum& other) {
  if (this != &other) *this = Checksum(other);
  return *this;
}

void Checksum::update(Bytes bytes) {
  require(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Checksum::digest() const {
  const Checksum copy(*this);  // Final ends a context.
  Digest digest{};
  unsigned length = 0;
  require(::EVP_DigestFinal_ex(copy.context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                               &length) == 1);
  return digest;
}

Digest digest_of(Bytes bytes) {
  Checksum sum;
  sum.update(bytes);
  return sum.digest();
}

}  // namespace zpost::cli
