#include <agentd/ids.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <random>

namespace agentd {
namespace {

/// xoshiro256**, seeded from the system once per thread: ids must be unique, not secret.
class Random {
public:
  Random() {
    std::random_device device;
    for (auto& word : state_) word = (std::uint64_t{device()} << 32) | device();
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

private:
  static std::uint64_t rotate(std::uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }
  std::array<std::uint64_t, 4> state_;
};

Random& random_of_thread() {
  thread_local Random random;
  return random;
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

template <typename Allowed>
bool is_made_of(std::string_view text, std::size_t longest, Allowed allowed) {
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

CallId CallId::mint() {
  // https://github.com/ulid/spec: 48 bits of milliseconds, 80 random bits, Crockford's base 32.
  static constexpr char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  auto time = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
  CallId id;
  id.size_ = 26;
  for (std::size_t i = 10; i-- > 0; time >>= 5) id.text_[i] = digits[time & 31];
  Random& random = random_of_thread();
  for (std::size_t group = 0; group < 2; ++group) {
    std::uint64_t bits = random.next();
    for (std::size_t i = 0; i < 8; ++i, bits >>= 5) id.text_[10 + group * 8 + i] = digits[bits & 31];
  }
  return id;
}

std::optional<CallId> CallId::parse(std::string_view text) {
  if (text.size() < min_length) return std::nullopt;
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; };
  if (!is_made_of(text, max_length, allowed)) return std::nullopt;
  CallId id;
  std::copy(text.begin(), text.end(), id.text_.begin());
  id.size_ = static_cast<std::uint8_t>(text.size());
  return id;
}

std::string NodeAddress::text() const {
  const bool literal_v6 = host.find(':') != std::string::npos;
  return (literal_v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::optional<NodeAddress> NodeAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  NodeAddress address{std::string(host), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc{} || end != digits.data() + digits.size() || address.port == 0) return std::nullopt;
  return address;
}

std::string AgentAddress::text() const { return node.text() + '/' + agent; }

bool is_agent_id(std::string_view text) {
  return is_made_of(text, 128,
                    [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_caller_id(std::string_view text) {
  return is_made_of(text, 160, [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == ':' || c == '/';
  });
}

std::string random_suffix(std::size_t length) {
  static constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string text(length, '0');
  for (char& c : text) c = digits[random_of_thread().next() % 36];
  return text;
}

}  // namespace agentd
