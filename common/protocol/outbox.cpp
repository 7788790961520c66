#include "common/protocol/outbox.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace agentd::protocol {
namespace {

/// Of a frame that may well stay as short as an answer, and of one that becomes full.
constexpr std::size_t short_block = 256;
constexpr std::size_t full_block = Outbox::frame_size + (4U << 10);

}  // namespace

void Outbox::batch_came() {
  if (packing_ == Packing::none) packing_ = Packing::alike;
  // Where all is packed, they do.
  if (packing_ == Packing::alike && !frames_.empty()) frames_.back().closed = true;
}

void Outbox::put_frame(std::string frame) {
  bytes_ += frame.size();
  frames_.push_back({.text = std::move(frame), .closed = true});
}

std::string& Outbox::begin() {
  fresh_ = packing_ != Packing::all || frames_.empty() || frames_.back().closed ||
           frames_.back().text.size() >= frame_size;
  if (fresh_) {
    const std::size_t expected = packing_ != Packing::all ? short_block
                                 : frames_.empty()        ? 2 * std::exchange(largest_, 0)
                                                          : full_block;
    frames_.emplace_back().text.reserve(std::clamp(expected, short_block, full_block));
  }
  std::string& text = frames_.back().text;
  open_at_ = text.size();
  if (!fresh_) text += ',';
  return text;
}

void Outbox::finish(Kind kind) {
  if (!fresh_ && frames_.back().text.size() > frame_size) split();
  if (joins(kind)) join();
  Frame& frame = frames_.back();
  frame.kind = kind;
  ++frame.objects;
  // Here rather than in `take`, where it would move a whole frame's bytes.
  if (!frame.array && (kind == Kind::batch_answer || frame.objects > 1)) {
    frame.array = true;
    frame.text.insert(0, 1, '[');
  }
  bytes_ += frame.text.size() - open_at_;
}

/// Whether the open object goes into the frame before its own.
bool Outbox::joins(Kind kind) const {
  if (packing_ != Packing::alike || kind == Kind::answer || frames_.size() < 2) return false;
  const Frame& before = frames_[frames_.size() - 2];
  return before.kind == kind && !before.closed &&
         before.text.size() + frames_.back().text.size() < frame_size;
}

void Outbox::join() {
  const std::string object = std::move(frames_.back().text);
  frames_.pop_back();
  std::string& text = frames_.back().text;
  open_at_ = text.size();
  text += ',';
  text += object;
}

/// The open object is too large for its frame: it gets one of its own.
void Outbox::split() {
  Frame& full = frames_.back();
  std::string object = full.text.substr(open_at_ + 1);
  full.text.resize(open_at_);
  frames_.emplace_back().text = std::move(object);
  open_at_ = 0;
}

std::string Outbox::take() {
  assert(!frames_.empty());
  Frame frame = std::move(frames_.front());
  frames_.pop_front();
  bytes_ -= frame.text.size();
  largest_ = std::max(largest_, frame.text.size() + 1);
  if (frame.array) frame.text += ']';
  return std::move(frame.text);
}

}  // namespace agentd::protocol
