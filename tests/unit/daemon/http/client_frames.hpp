#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// WebSocket frames as a client writes them, right or wrong.
namespace agentd::http::test {

struct FrameForm {
  unsigned opcode = 1;
  bool fin = true;
  bool masked = true;
  unsigned reserved = 0;
};

inline std::string client_frame(std::string_view payload, FrameForm form = {}) {
  constexpr std::string_view mask = "\x12\x34\x56\x78";
  std::string frame;
  frame += static_cast<char>((form.fin ? 0x80U : 0U) | form.reserved << 4 | form.opcode);
  const unsigned mask_bit = form.masked ? 0x80U : 0U;
  const auto append_size = [&](unsigned marker, unsigned bytes) {
    frame += static_cast<char>(mask_bit | marker);
    for (unsigned i = bytes; i-- > 0;) frame += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  };
  if (payload.size() < 126) {
    frame += static_cast<char>(mask_bit | payload.size());
  } else if (payload.size() <= 0xffff) {
    append_size(126, 2);
  } else {
    append_size(127, 8);
  }
  if (!form.masked) return frame.append(payload);
  frame += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
  return frame;
}

inline std::string close_text(unsigned code, std::string_view why = {}) {
  std::string text{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return text.append(why);
}

}  // namespace agentd::http::test
