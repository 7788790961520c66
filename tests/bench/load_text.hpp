#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace agentd::bench {

/// The texts of a load: calls in the form that a program with the SDK writes, whose ids tell their number;
/// and what is read of their outcomes, by looking for it, since both sides' forms are known.
class LoadText {
public:
  explicit LoadText(std::string_view prefix) : prefix_(prefix) {
    constexpr std::string_view digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    std::random_device device;
    for (char& c : run_) c = digits[device() % digits.size()];
  }

  void append_call(std::string& out, std::uint64_t number, std::uint64_t agent) const {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, agent);
    ((out += R"({"jsonrpc":"2.0","method":"agent.call","params":{"agent":")") += prefix_) += '-';
    out.append(digits, end.ptr) += R"(","call":")";
    append_id(out, number);
    out += R"(","settled":"auto","input":{"content":"hello, tide"},"deadline_ms":300000}})";
  }

  void append_release(std::string& out, const std::vector<std::uint64_t>& numbers) const {
    out += R"({"jsonrpc":"2.0","method":"call.release","params":{"calls":[)";
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      out += i > 0 ? ",\"" : "\"";
      append_id(out, numbers[i]);
      out += '"';
    }
    out += "]}}";
  }

  struct Outcome {
    std::uint64_t number = 0;
    bool done = false;
    /// Of a call that is done: whether its value came with it.
    bool has_value = false;
    /// The bound that a refused call met; empty where it failed otherwise.
    std::string_view limit{};
  };

  /// Gives each outcome in a frame's text to `take`; those of other runs are passed by.
  template <typename Take>
  void read(std::string_view text, Take take) const {
    constexpr std::string_view head = R"("call.settled","params":{"call":")";
    for (std::size_t at = text.find(head); at != std::string_view::npos;) {
      std::string_view rest = text.substr(at + head.size());
      const std::size_t next = rest.find(head);
      if (const auto outcome = read_one(rest.substr(0, next))) take(*outcome);
      at = next == std::string_view::npos ? next : at + head.size() + next;
    }
  }

private:
  static constexpr std::size_t digits_of_number = 16;

  void append_id(std::string& out, std::uint64_t number) const {
    constexpr std::string_view digits = "0123456789ABCDEF";
    out.append(run_.data(), run_.size());
    for (unsigned i = digits_of_number; i > 0; --i) out += digits[number >> (4 * (i - 1)) & 15U];
  }

  /// `text` begins with an id, and goes on to the next outcome.
  std::optional<Outcome> read_one(std::string_view text) const {
    if (!text.starts_with(std::string_view(run_.data(), run_.size()))) return std::nullopt;
    text.remove_prefix(run_.size());
    Outcome outcome;
    std::from_chars(text.data(), text.data() + digits_of_number, outcome.number, 16);
    text.remove_prefix(digits_of_number);
    constexpr std::string_view done = R"(","state":"done")", limit = R"("limit":")";
    outcome.done = text.starts_with(done);
    if (outcome.done) {
      outcome.has_value = text[done.size()] == ',';
    } else if (const auto at = text.find(limit); at != std::string_view::npos) {
      outcome.limit = text.substr(at + limit.size());
      outcome.limit = outcome.limit.substr(0, outcome.limit.find('"'));
    }
    return outcome;
  }

  std::string prefix_;
  std::array<char, 10> run_{};
};

}  // namespace agentd::bench
