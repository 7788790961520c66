#include "daemon/http/request_body.hpp"

#include <algorithm>

#include "daemon/http/text.hpp"

namespace agentd::http {

namespace {

constexpr unsigned max_size_digits = 8;
/// Of all extensions and trailers of a body: nobody needs them.
constexpr std::size_t max_skipped = 8192;
constexpr std::size_t kept_capacity = 4096;

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

void BodyReader::expect_length(std::uint64_t length) {
  release();
  chunked_ = false;
  remaining_ = length;
}

void BodyReader::expect_chunks(std::uint64_t limit) {
  release();
  chunked_ = true;
  limit_ = limit;
  remaining_ = 0;
  part_ = Part::size;
  size_digits_ = 0;
  skipped_ = 0;
}

void BodyReader::release() {
  received_ = 0;
  text_ = {};
  stored_.clear();
  if (stored_.capacity() > kept_capacity) stored_.shrink_to_fit();
}

BodyReader::State BodyReader::feed(std::span<const char>& input) {
  return chunked_ ? feed_chunks(input) : feed_length(input);
}

BodyReader::State BodyReader::complete(std::string_view text) {
  text_ = text;
  return State::complete;
}

BodyReader::State BodyReader::complete_stored() {
  const std::size_t size = stored_.size();
  stored_.append(padding, '\0');
  return complete(std::string_view(stored_).substr(0, size));
}

BodyReader::State BodyReader::feed_length(std::span<const char>& input) {
  const std::size_t size = std::min<std::uint64_t>(input.size(), remaining_);
  const std::span<const char> part = input.first(size);
  input = input.subspan(size);
  remaining_ -= size;
  received_ += size;
  if (remaining_ == 0 && stored_.empty()) return complete({part.data(), part.size()});
  stored_.append(part.data(), part.size());
  return remaining_ == 0 ? complete_stored() : State::partial;
}

BodyReader::State BodyReader::feed_chunks(std::span<const char>& input) {
  State state = State::partial;
  while (state == State::partial && !input.empty()) {
    if (part_ == Part::data) {
      state = feed_data(input);
    } else {
      const char c = input.front();
      input = input.subspan(1);
      state = feed_syntax(c);
    }
  }
  return state;
}

BodyReader::State BodyReader::feed_data(std::span<const char>& input) {
  const std::size_t size = std::min<std::uint64_t>(input.size(), remaining_);
  stored_.append(input.data(), size);
  received_ += size;
  remaining_ -= size;
  input = input.subspan(size);
  if (remaining_ == 0) part_ = Part::data_cr;
  return State::partial;
}

/// One byte of what stands between the data.
BodyReader::State BodyReader::feed_syntax(char c) {
  const auto go_on = [&](Part next, bool right) {
    part_ = next;
    return right ? State::partial : State::malformed;
  };
  const auto skip = [&](Part on_cr, Part otherwise) {
    if (c == '\r') return go_on(on_cr, true);
    return go_on(otherwise, !is_control(c) && ++skipped_ <= max_skipped);
  };
  switch (part_) {
    case Part::size:
      return read_size_digit(c);
    case Part::extension:
      return skip(Part::size_end, Part::extension);
    case Part::size_end:
      return c == '\n' ? begin_data() : State::malformed;
    case Part::data_cr:
      return go_on(Part::data_end, c == '\r');
    case Part::data_end:
      size_digits_ = 0;
      return go_on(Part::size, c == '\n');
    // Begins a trailer's line: an empty one ends the body.
    case Part::trailer:
      return skip(Part::last_end, Part::trailer_text);
    case Part::trailer_text:
      return skip(Part::trailer_end, Part::trailer_text);
    case Part::trailer_end:
      return go_on(Part::trailer, c == '\n');
    case Part::last_end:
      return c == '\n' ? complete_stored() : State::malformed;
    case Part::data:
      break;
  }
  return State::malformed;
}

BodyReader::State BodyReader::read_size_digit(char c) {
  const int value = hex_value(c);
  if (value >= 0) {
    if (++size_digits_ > max_size_digits) return State::too_large;
    remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(value);
    return State::partial;
  }
  if (size_digits_ == 0 || (c != '\r' && c != ';')) return State::malformed;
  part_ = c == '\r' ? Part::size_end : Part::extension;
  return State::partial;
}

BodyReader::State BodyReader::begin_data() {
  if (stored_.size() + remaining_ > limit_) return State::too_large;
  part_ = remaining_ == 0 ? Part::trailer : Part::data;
  return State::partial;
}

}  // namespace agentd::http
