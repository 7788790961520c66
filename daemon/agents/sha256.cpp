#include "daemon/agents/sha256.hpp"

#include <stdexcept>

#include <openssl/evp.h>

namespace agentd::agents {
namespace {

void must(int succeeded) {
  if (succeeded != 1) throw std::runtime_error("SHA-256 failed in the cryptographic library");
}

}  // namespace

void Sha256::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  must(context_ != nullptr);
  must(EVP_DigestInit_ex2(context_.get(), EVP_sha256(), nullptr));
}

Sha256::Digest Sha256::of(std::string_view bytes) {
  Digest digest{};
  // Without a type: the one the context has, looked up once.
  must(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr));
  must(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
  must(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
  return digest;
}

Sha256::Digest Sha256::of(const Digest& digest) {
  return of(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::string hex(const Sha256::Digest& digest) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace agentd::agents
