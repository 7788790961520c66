#include "daemon/http/frames.hpp"

#include <algorithm>
#include <cstring>

#include <simdjson.h>

namespace agentd::http {

namespace {

constexpr std::size_t max_control = 125;
constexpr std::size_t kept_capacity = 1024;

bool is_text(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

std::uint64_t big_endian(const char* bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

/// `offset` is how far into the frame's payload `data` begins.
void unmask(std::span<char> data, const std::array<char, 4>& mask, std::uint64_t offset) {
  std::array<char, 8> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = mask[(offset + i) % mask.size()];
  std::uint64_t wide_key = 0;
  std::memcpy(&wide_key, key.data(), sizeof wide_key);
  std::size_t i = 0;
  for (; i + sizeof wide_key <= data.size(); i += sizeof wide_key) {
    std::uint64_t word = 0;
    std::memcpy(&word, data.data() + i, sizeof word);
    word ^= wide_key;
    std::memcpy(data.data() + i, &word, sizeof word);
  }
  for (; i < data.size(); ++i) data[i] = static_cast<char>(data[i] ^ key[i % key.size()]);
}

/// RFC 6455, 7.4: what a close frame may carry.
bool may_be_sent(std::uint64_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/// How many bytes the header takes, by its first two.
std::size_t header_size(const char* bytes) {
  const auto length = static_cast<unsigned char>(bytes[1]) & 0x7f;
  const bool masked = (static_cast<unsigned char>(bytes[1]) & 0x80) != 0;
  return 2 + (length == 126 ? 2U : length == 127 ? 8U : 0U) + (masked ? 4U : 0U);
}

}  // namespace

std::string frame_header(Opcode opcode, std::size_t size) {
  std::string header;
  header += static_cast<char>(0x80 | static_cast<unsigned>(opcode));
  const auto append_size = [&](unsigned marker, unsigned bytes) {
    header += static_cast<char>(marker);
    for (unsigned i = bytes; i-- > 0;) header += static_cast<char>(size >> (8 * i) & 0xff);
  };
  if (size < 126) {
    header += static_cast<char>(size);
  } else if (size <= 0xffff) {
    append_size(126, 2);
  } else {
    append_size(127, 8);
  }
  return header;
}

FrameEvent FrameParser::next(std::span<char>& input) {
  if (handed_out_) release_stored();
  while (!lost_) {
    if (!in_frame_) {
      if (!take_header(input)) return {};
      if (const FrameEvent event = begin_frame(); event.kind != FrameEvent::Kind::more) return event;
    }
    if (input.empty() && taken_ < header_.size) return {};
    if (const FrameEvent event = take_payload(input); event.kind != FrameEvent::Kind::more) return event;
  }
  input = {};
  return {};
}

/// Collects a header's bytes until it is complete.
bool FrameParser::take_header(std::span<char>& input) {
  std::size_t wanted = partial_size_ < 2 ? 2 : header_size(partial_.data());
  while (partial_size_ < wanted) {
    const std::size_t size = std::min(wanted - partial_size_, input.size());
    if (size == 0) return false;
    std::memcpy(partial_.data() + partial_size_, input.data(), size);
    partial_size_ = static_cast<std::uint8_t>(partial_size_ + size);
    input = input.subspan(size);
    if (partial_size_ >= 2) wanted = header_size(partial_.data());
  }
  return true;
}

/// Reads the header (RFC 6455, 5.2).
FrameEvent FrameParser::begin_frame() {
  const char* bytes = partial_.data();
  const std::size_t size = partial_size_;
  partial_size_ = 0;
  in_frame_ = true;
  taken_ = 0;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  const unsigned opcode = first & 0x0fU;
  const unsigned length = second & 0x7fU;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  if ((second & 0x80) == 0) return fault(CloseCode::protocol_error, "a client's frames must be masked");
  if ((first & 0x70) != 0) return fault(CloseCode::protocol_error, "reserved bits are set");
  if ((opcode > 2 && opcode < 8) || opcode > 10) return fault(CloseCode::protocol_error, "unknown opcode");
  header_.fin = (first & 0x80) != 0;
  header_.opcode = static_cast<Opcode>(opcode);
  header_.size = extended == 0 ? length : big_endian(bytes + 2, extended);
  std::memcpy(header_.mask.data(), bytes + size - header_.mask.size(), header_.mask.size());
  const bool longer_than_needed =
      (extended == 2 && header_.size < 126) || (extended == 8 && header_.size <= 0xffff);
  if (longer_than_needed || header_.size >> 63 != 0) {
    return fault(CloseCode::protocol_error, "the length is not in its shortest form");
  }
  if (!is_control()) return begin_data_frame();
  if (!header_.fin || header_.size > max_control) {
    return fault(CloseCode::protocol_error, "a control frame is fragmented or too long");
  }
  control_.clear();
  return {};
}

FrameEvent FrameParser::begin_data_frame() {
  const bool continues = header_.opcode == Opcode::continuation;
  if (continues != in_message_) {
    return fault(CloseCode::protocol_error,
                 continues ? "a continuation of nothing" : "a message inside a fragmented message");
  }
  if (!continues) fragments_ = 0;
  in_message_ = !header_.fin;
  if (skipping_) return {};
  if (header_.opcode == Opcode::binary)
    return fault(CloseCode::unsupported_data, "only text frames are taken");
  if (++fragments_ > limits_.fragments) return fault(CloseCode::policy, "too many fragments in one message");
  if (header_.size > limits_.message - message_.size()) {
    return fault(CloseCode::too_big, "the message is longer than this node takes");
  }
  return {};
}

FrameEvent FrameParser::take_payload(std::span<char>& input) {
  const std::size_t size = std::min<std::uint64_t>(input.size(), header_.size - taken_);
  const std::span<char> part = input.first(size);
  input = input.subspan(size);
  const bool skip = skipping_ && !is_control();
  if (!skip) unmask(part, header_.mask, taken_);
  const bool whole = size == header_.size;
  taken_ += size;
  const bool ended = taken_ == header_.size;
  if (ended) in_frame_ = false;
  if (skip) return {};
  if (whole && (is_control() || (header_.fin && message_.empty()))) return end_frame({part.data(), size});
  std::string& stored = is_control() ? control_ : message_;
  if (stored.empty()) stored.reserve(std::min<std::uint64_t>(header_.size, 4 * size) + padding);
  stored.append(part.data(), size);
  if (!ended || (!is_control() && !header_.fin)) return {};
  const std::size_t length = stored.size();
  stored.append(padding, '\0');
  return end_frame(std::string_view(stored).substr(0, length));
}

FrameEvent FrameParser::end_frame(std::string_view payload) {
  return is_control() ? end_control(payload) : end_message(payload);
}

FrameEvent FrameParser::end_message(std::string_view text) {
  handed_out_ = true;
  if (!is_text(text)) return fault(CloseCode::invalid_text, "the text is not UTF-8");
  return {.kind = FrameEvent::Kind::message, .payload = text};
}

FrameEvent FrameParser::end_control(std::string_view payload) {
  if (header_.opcode == Opcode::ping) return {.kind = FrameEvent::Kind::ping, .payload = payload};
  if (header_.opcode == Opcode::pong) return {.kind = FrameEvent::Kind::pong, .payload = payload};
  FrameEvent event{.kind = FrameEvent::Kind::close, .payload = {}, .code = CloseCode::no_status};
  if (payload.empty()) return event;
  const std::uint64_t code = payload.size() >= 2 ? big_endian(payload.data(), 2) : 0;
  if (!may_be_sent(code)) return fault(CloseCode::protocol_error, "a close code that may not be sent");
  if (!is_text(payload.substr(2)))
    return fault(CloseCode::invalid_text, "the reason for closing is not UTF-8");
  event.code = static_cast<CloseCode>(code);
  return event;
}

FrameEvent FrameParser::fault(CloseCode code, std::string_view why) {
  skipping_ = true;
  lost_ = code == CloseCode::protocol_error;
  return {.kind = FrameEvent::Kind::fault, .payload = why, .code = code};
}

void FrameParser::release_stored() {
  handed_out_ = false;
  message_.clear();
  if (message_.capacity() > kept_capacity) message_.shrink_to_fit();
}

}  // namespace agentd::http
