#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

namespace agentd::agents {

/// SHA-256, one after another without an allocation for each. Throws `std::runtime_error` where the
/// cryptographic library fails. One thread at a time.
class Sha256 {
public:
  using Digest = std::array<unsigned char, 32>;

  Sha256();
  [[nodiscard]] Digest of(std::string_view bytes);
  [[nodiscard]] Digest of(const Digest& digest);

private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// Lower case.
[[nodiscard]] std::string hex(const Sha256::Digest& digest);

}  // namespace agentd::agents
