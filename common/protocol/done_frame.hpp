#pragma once

#include <string_view>
#include <vector>

#include <agentd/ids.hpp>

#include "common/protocol/values.hpp"

namespace agentd::protocol {

/// A call that is done, and its value.
struct DoneNotice {
  CallId call;
  MessageText value;
};

/// Reads a frame in which there is nothing but `call.settled` of calls that are done, in the form that a
/// node writes: nearly all that a busy program receives. Checks and reads in one pass.
///
///     DoneFrame frame;
///     if (frame.read(text)) {
///       for (const DoneNotice& notice : frame.notices()) settle(notice);
///     } else {
///       // `FrameReader` reads what is in it
///     }
///
/// The notices' views point into the text. Kept and filled again, so that it allocates rarely.
class DoneFrame {
public:
  /// False where there is anything else in the frame, or anything wrong.
  [[nodiscard]] bool read(std::string_view text);
  /// Of the frame that was read last.
  [[nodiscard]] const std::vector<DoneNotice>& notices() const { return notices_; }

private:
  std::vector<DoneNotice> notices_;
};

}  // namespace agentd::protocol
