#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "daemon/http/frames.hpp"
#include "tests/fuzz/require.hpp"

using namespace agentd::http;

namespace {

constexpr FrameParser::Limits limits{.message = 1000, .fragments = 5};

struct Seen {
  FrameEvent::Kind kind;
  CloseCode code;
  std::string payload;

  bool operator==(const Seen&) const = default;
};

/// Feeds `bytes` in parts of `size`. By value: what is fed is unmasked where it stands.
std::vector<Seen> parse(std::string bytes, std::size_t size) {
  FrameParser parser(limits);
  std::vector<Seen> seen;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    std::span<char> input = std::span<char>(bytes).subspan(at, std::min(size, bytes.size() - at));
    for (;;) {
      const FrameEvent event = parser.next(input);
      if (event.kind == FrameEvent::Kind::more) break;
      require(event.payload.size() <= limits.message, "a payload keeps to its limit");
      seen.push_back({event.kind, event.code, std::string(event.payload)});
    }
    require(input.empty(), "all input is taken");
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::vector<Seen> whole = parse(bytes, bytes.size() + 1);
  require(whole == parse(bytes, 1), "how frames are cut does not matter");
  require(whole == parse(bytes, 7), "how frames are cut does not matter");
  return 0;
}
