#pragma once

#include <atomic>

#include <agentd/agentd.hpp>

#include "tests/integration/support/loops.hpp"

/// Keeps what it is told, and says so.
class Notebook : public agentd::Agent {
public:
  explicit Notebook(const agentd::Json& args);
  /// `{"by": name, "n": how many so far, "heard": the content}`.
  agentd::Message reply(const agentd::Message& x) override;
  void observe(const agentd::Message& x) override;
  agentd::Json save() const override { return notes_; }
  void restore(const agentd::Json& state) override { notes_ = state; }

  agentd::Message notes(const agentd::Message&) { return notes_; }
  agentd::Message pid(const agentd::Message&);
  /// Ends the process it is in.
  agentd::Message vanish(const agentd::Message&);
  /// Sends pieces 1 … n, and answers n.
  agentd::Message count(const agentd::Message& n);

  static void describe(agentd::TypeOf<Notebook>& type) {
    type.method("notes", &Notebook::notes)
        .method("pid", &Notebook::pid)
        .method("vanish", &Notebook::vanish)
        .method("count", &Notebook::count);
  }

private:
  std::string name_;
  agentd::Json notes_ = agentd::Json::array();
};

/// Calls another agent with what it gets: `{"to": agent}` in the arguments.
class Relay : public agentd::Agent {
public:
  explicit Relay(const agentd::Json& args) : to_(args.at("to").get<agentd::AgentRef>()) {}
  agentd::Message reply(const agentd::Message& x) override { return to_(x).content(); }

private:
  agentd::AgentRef to_;
};

/// The same as a coroutine.
class AsyncRelay : public agentd::Agent {
public:
  explicit AsyncRelay(const agentd::Json& args) : to_(args.at("to").get<agentd::AgentRef>()) {}
  agentd::Task<agentd::Message> reply_async(agentd::Message x) override {
    const agentd::Message answer = co_await to_(x);
    co_return agentd::Message(answer.content());
  }

private:
  agentd::AgentRef to_;
};

/// Answers with a text of so many characters.
class Inflater : public agentd::Agent {
public:
  agentd::Message reply(const agentd::Message& size) override;
  /// How long its input's content is, as JSON.
  agentd::Message measure(const agentd::Message& x) { return x.raw_content().size(); }

  static void describe(agentd::TypeOf<Inflater>& type) { type.method("measure", &Inflater::measure); }
};

/// Answers with what it can see of a message.
class Mirror : public agentd::Agent {
public:
  agentd::Message reply(const agentd::Message& x) override;
};

/// Throws what it gets.
class Failing : public agentd::Agent {
public:
  agentd::Message reply(const agentd::Message& x) override {
    throw std::runtime_error(x.content().get<std::string>());
  }
};

/// Holds its answer back until it is told. Not registered: local agents only.
class Gate : public agentd::Agent {
public:
  agentd::Task<agentd::Message> reply_async(agentd::Message x) override;
  static inline std::atomic<bool> open{false};
};

/// Does not come to be.
class Stillborn : public agentd::Agent {
public:
  Stillborn() { throw std::runtime_error("not today"); }
};

/// A server of this process, on a free port.
struct Server {
  Server() { server.launch(); }
  agentd::At at() const { return {"127.0.0.1", server.port()}; }
  agentd::AgentRef make(const std::string& type, const agentd::Json& args = agentd::Json::object()) const {
    return agentd::remote(type, {.host = "127.0.0.1", .port = server.port()}, args);
  }
  agentd::DistOptions here() const { return {.port = server.port(), .launch_server = false}; }

  agentd::AgentServer server{{.port = 0, .loops = loops_of_servers()}};
};

/// The port of a server that has ended: nobody listens there.
std::uint16_t free_port();
