#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include <agentd/ids.hpp>

#include "common/protocol/params.hpp"
#include "common/protocol/values.hpp"

namespace agentd::json {
class CheckingForm;
}

namespace agentd::protocol {

/// A call that is to be made, and told of as `SettledMode::automatic` says.
struct CallNotice {
  std::string_view agent;
  std::string_view method;
  CallId call;
  std::optional<Milliseconds> deadline;
  /// JSON text; empty where not given.
  std::string_view input;
  /// The input, where it is a message in the form that a program writes.
  std::optional<MessageText> message;
};

struct ReleaseNotice {
  std::vector<CallId> calls;
};

/// Reads a frame in which there is nothing but `agent.call` and `call.release`, as notifications in the form
/// that a program writes: nearly all that a busy node receives. Checks and reads in one pass.
///
///     CallFrame frame;
///     if (frame.read(text)) {
///       for (const CallFrame::Notice& notice : frame.notices()) std::visit(take, notice);
///     } else {
///       // `FrameReader` reads what is in it
///     }
///
/// The notices' views point into the text. Kept and filled again, so that it allocates rarely.
class CallFrame {
public:
  using Notice = std::variant<CallNotice, ReleaseNotice>;

  /// False where there is anything else in the frame, or anything wrong.
  [[nodiscard]] bool read(std::string_view text);
  /// Of the frame that was read last.
  [[nodiscard]] const std::vector<Notice>& notices() const { return notices_; }
  void clear();

private:
  [[nodiscard]] bool take_notice(json::CheckingForm& form);

  std::vector<Notice> notices_;
};

}  // namespace agentd::protocol
