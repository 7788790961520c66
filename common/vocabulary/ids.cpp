#include <agentd/ids.hpp>

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstring>
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

/// Which characters an id may have, one look-up each: ids are read with every call.
class CharacterSet {
public:
  constexpr explicit CharacterSet(std::string_view beside_alphanumerics) {
    for (char c = '0'; c <= '9'; ++c) add(c);
    for (char c = 'A'; c <= 'Z'; ++c) add(c);
    for (char c = 'a'; c <= 'z'; ++c) add(c);
    for (const char c : beside_alphanumerics) add(c);
  }

  /// Whether `text` is 1 to `longest` of these.
  [[nodiscard]] bool makes(std::string_view text, std::size_t longest) const {
    if (text.empty() || text.size() > longest) return false;
    unsigned all = 1;
    for (const char c : text) all &= has_[static_cast<unsigned char>(c)];
    return all != 0;
  }

private:
  constexpr void add(char c) { has_[static_cast<unsigned char>(c)] = 1; }
  std::array<std::uint8_t, 256> has_{};
};

/// Whether 16 characters are of those that a call id may have: all at once, since several ids come with
/// every call.
bool are_of_call_ids(const char* at) {
  using Bytes = std::uint8_t __attribute__((vector_size(CallId::min_length)));
  const auto all = [](char c) { return Bytes{} + static_cast<std::uint8_t>(c); };
  Bytes text;
  std::memcpy(&text, at, sizeof text);
  const auto good = (text - all('0') <= all('9' - '0')) | ((text | all(' ')) - all('a') <= all('z' - 'a')) |
                    (text == all('_')) | (text == all('-'));
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), &good, sizeof good);
  return (halves[0] & halves[1]) == ~std::uint64_t{0};
}

/// Crockford's.
constexpr std::string_view digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Base 32, two digits at a time: an id is minted for every call.
class DigitPairs {
public:
  constexpr DigitPairs() {
    for (std::size_t i = 0; i < 1024; ++i) pairs_[i] = {digits[i / 32], digits[i % 32]};
  }
  /// @pre bits < 1024
  void put(std::size_t bits, char* to) const { std::memcpy(to, pairs_[bits].data(), 2); }

private:
  std::array<std::array<char, 2>, 1024> pairs_{};
};

/// What a character counts: a digit its value, and any other some of its bits.
class DigitValues {
public:
  constexpr DigitValues() {
    for (std::size_t c = 0; c < values_.size(); ++c) values_[c] = c & 31;
    for (std::size_t i = 0; i < digits.size(); ++i) values_[static_cast<unsigned char>(digits[i])] = i;
  }
  [[nodiscard]] constexpr Home of(char c) const { return values_[static_cast<unsigned char>(c)]; }

private:
  std::array<std::uint8_t, 256> values_{};
};

constexpr DigitPairs pairs;
constexpr DigitValues values;
constexpr CharacterSet of_agent_ids("._-");
constexpr CharacterSet of_caller_ids("._-:/");

std::uint64_t load(const char* at) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

/// 64 bits in which each bit depends on all of both: a product folded, as in wyhash and its kin.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

/// Unknown outside this process, so that nobody can choose ids that all fall into one place.
std::uint64_t secret() {
  static const std::uint64_t drawn = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device() | 1U;
  }();
  return drawn;
}

/// Since the epoch, some milliseconds late at most: a quarter of what the exact time costs.
std::uint64_t coarse_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

CallId CallId::mint() { return mint_at(static_cast<Home>(random_of_thread().next() % homes)); }

CallId CallId::mint_at(Home home) {
  // https://github.com/ulid/spec: 48 bits of milliseconds, 80 random bits, Crockford's base 32. The last ten
  // are the home's.
  CallId id;
  id.size_ = 26;
  std::uint64_t time = coarse_milliseconds();
  for (std::size_t i = 10; i > 0; time >>= 10) pairs.put(time & 1023, &id.text_[i -= 2]);
  Random& random = random_of_thread();
  for (std::size_t i = 10; i < 26;) {
    std::uint64_t bits = random.next();
    for (std::size_t pair = 0; pair < 4; ++pair, bits >>= 10, i += 2) pairs.put(bits & 1023, &id.text_[i]);
  }
  pairs.put(home, &id.text_[24]);
  id.hash_ = id.hash_of_text();
  return id;
}

Home CallId::home() const noexcept {
  return static_cast<Home>(32 * values.of(text_[size_ - 2]) + values.of(text_[size_ - 1]));
}

Home home_of(std::string_view name) noexcept {
  // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv: no secret, so that all make the same of a name.
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return static_cast<Home>((hash ^ (hash >> 20U) ^ (hash >> 40U)) % homes);
}

std::optional<CallId> CallId::parse(std::string_view text) {
  if (text.size() < min_length || text.size() > max_length) return std::nullopt;
  bool good = are_of_call_ids(text.data() + text.size() - min_length);
  for (std::size_t at = 0; at + min_length < text.size(); at += min_length) {
    good &= are_of_call_ids(text.data() + at);
  }
  if (!good) return std::nullopt;
  CallId id;
  std::memcpy(id.text_.data(), text.data(), text.size());
  id.size_ = static_cast<std::uint8_t>(text.size());
  id.hash_ = id.hash_of_text();
  return id;
}

std::uint64_t CallId::hash_of_text() const noexcept {
  // At least 16 bytes: two words from the front, then two at a time; the last two may overlap.
  const char* const begin = text_.data();
  const std::uint64_t seed = secret();
  std::uint64_t hash = mix(load(begin) ^ seed, load(begin + 8) ^ size_);
  for (std::size_t at = min_length; at + min_length < size_; at += min_length) {
    hash = mix(load(begin + at) ^ hash, load(begin + at + 8) ^ seed);
  }
  return mix(load(begin + size_ - 16) ^ hash, load(begin + size_ - 8) ^ seed);
}

std::string NodeAddress::text() const {
  if (host.empty()) return {};
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

bool is_agent_id(std::string_view text) { return of_agent_ids.makes(text, 128); }

bool is_caller_id(std::string_view text) { return of_caller_ids.makes(text, 160); }

std::string random_suffix(std::size_t length) {
  static constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string text(length, '0');
  for (char& c : text) c = digits[random_of_thread().next() % 36];
  return text;
}

}  // namespace agentd
