#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "common/json/text.hpp"
#include "common/protocol/envelope.hpp"
#include "common/protocol/params.hpp"
#include "common/protocol/values.hpp"

/// What reading one `agent.call` costs: our checker and slices beside simdjson's On-Demand, whose
/// raw slices must be checked as well, since it checks only what it visits.
namespace {

using namespace agentd;
using namespace agentd::protocol;

const std::string frame =
    R"({"jsonrpc":"2.0","method":"agent.call","params":{"agent":"echo-1","call":"01JABCDEFGHJKMNPQRSTVWXYZ0",)"
    R"("deadline_ms":300000,"settled":"auto","input":{"content":"hello"}}})";

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Work {
  const char* what;
  std::function<std::size_t()> round;
  double best = 1e9;
};

/// CPU nanoseconds a round: the best of many short runs, taken in turns, since the machine does
/// other things too.
void measure(std::vector<Work>& all) {
  constexpr int rounds = 2'000;
  constexpr int runs = 500;
  volatile std::size_t sum = 0;
  for (int run = 0; run < runs; ++run) {
    for (Work& work : all) {
      const double begin = cpu_seconds();
      for (int i = 0; i < rounds; ++i) sum = sum + work.round();
      work.best = std::min(work.best, (cpu_seconds() - begin) / rounds * 1e9);
    }
  }
}

std::size_t check_only() { return json::check(frame, 80) ? 1 : 0; }

std::size_t open_and_next() {
  FrameReader reader;
  if (reader.open(frame)) return 1;
  Envelope envelope;
  (void)reader.next(envelope);
  return envelope.params.size();
}

std::size_t up_to_params() {
  FrameReader reader;
  if (reader.open(frame)) return 1;
  Envelope envelope;
  (void)reader.next(envelope);
  const auto params = read_call_params(envelope.params);
  return params->input.size();
}

std::size_t everything() {
  FrameReader reader;
  if (reader.open(frame)) return 1;
  Envelope envelope;
  (void)reader.next(envelope);
  const auto params = read_call_params(envelope.params);
  return read_input(params->input, !reader.is_shallow())->parts.size();
}

/// The same with On-Demand. It copies the frame, since a frame comes without the padding that
/// simdjson reads beyond the end. It looks for no unknown members and for no text behind the end.
class OnDemand {
public:
  std::size_t everything() { return read_input(params(), false)->parts.size(); }
  std::size_t up_to_params() { return params().size(); }

private:
  static void once(unsigned& seen, unsigned bit) {
    if ((seen & bit) != 0) std::abort();
    seen |= bit;
  }

  std::string_view params() {
    std::memcpy(padded_.data(), frame.data(), frame.size());
    auto document = parser_.iterate(padded_);
    CallParams read;
    unsigned seen = 0;
    for (auto member : document.get_object()) {
      const std::string_view key = member.unescaped_key();
      if (key == "jsonrpc") {
        once(seen, 1);
        if (std::string_view(member.value()) != "2.0") std::abort();
      } else if (key == "method") {
        once(seen, 2);
        method_ = member.value();
      } else if (key == "params") {
        once(seen, 4);
        read_params(member.value().get_object(), read);
      }
    }
    if (json::check(read.input, 64)) std::abort();
    return read.input;
  }

  static void read_params(simdjson::ondemand::object params, CallParams& read) {
    unsigned seen = 0;
    for (auto member : params) {
      const std::string_view key = member.unescaped_key();
      if (key == "agent") {
        once(seen, 1);
        read.agent = member.value();
        if (!is_agent_id(read.agent)) std::abort();
      } else if (key == "call") {
        once(seen, 2);
        read.call = CallId::parse(std::string_view(member.value())).value();
      } else if (key == "deadline_ms") {
        once(seen, 4);
        read.deadline = Milliseconds(std::int64_t(member.value()));
      } else if (key == "settled") {
        once(seen, 8);
        const std::string_view mode = member.value();
        read.settled = mode == "auto" ? SettledMode::automatic : SettledMode::value;
      } else if (key == "input") {
        once(seen, 16);
        read.input = simdjson::to_json_string(member.value());
      }
    }
  }

  simdjson::padded_string padded_{frame};
  simdjson::ondemand::parser parser_;
  std::string_view method_;
};

std::size_t tree() {
  const Json document = Json::parse(frame);
  return document.at("params").at("input").size();
}

std::size_t write_answer(std::string& out) {
  out.clear();
  append_result(out, "1", R"({"call":"01JABCDEFGHJKMNPQRSTVWXYZ0","state":"done"})");
  return out.size();
}

std::size_t write_stamp(std::string& out) {
  out.clear();
  append_timestamp(out,
                   std::chrono::system_clock::time_point(std::chrono::microseconds(1'700'000'000'123'456)));
  return out.size();
}

}  // namespace

int main() {
  std::printf("a frame of %zu bytes\n", frame.size());
  std::string out;
  OnDemand on_demand;
  std::vector<Work> all = {
      {"check", check_only},
      {"check, envelope", open_and_next},
      {"check, envelope, params", up_to_params},
      {"check, envelope, params, input", everything},
      {"On-Demand: envelope, params; raw slice checked", [&] { return on_demand.up_to_params(); }},
      {"On-Demand: the same, input", [&] { return on_demand.everything(); }},
      {"nlohmann: a tree, nothing read", tree},
      {"write an answer", [&] { return write_answer(out); }},
      {"write a timestamp", [&] { return write_stamp(out); }},
  };
  measure(all);
  for (const Work& work : all) std::printf("%-50s %7.1f ns\n", work.what, work.best);
}
