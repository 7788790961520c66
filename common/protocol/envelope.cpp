#include "common/protocol/envelope.hpp"

namespace agentd::protocol {
namespace {

constexpr std::string_view opening = R"({"jsonrpc":"2.0")";

void append_id(std::string& out, std::string_view id) {
  out += ",\"id\":";
  out += id.empty() ? std::string_view("null") : id;
}

void append_method(std::string& out, std::string_view method, std::string_view params) {
  out += ",\"method\":";
  json::append_string(out, method);
  if (!params.empty()) {
    out += ",\"params\":";
    out += params;
  }
  out += '}';
}

}  // namespace

void append_result(std::string& out, std::string_view id, std::string_view result) {
  out += opening;
  append_id(out, id);
  out += ",\"result\":";
  out += result;
  out += '}';
}

void append_error_response(std::string& out, std::string_view id, const Error& error) {
  out += opening;
  append_id(out, id);
  out += ",\"error\":";
  append_error(out, error);
  out += '}';
}

void append_request(std::string& out, std::string_view id, std::string_view method, std::string_view params) {
  out += opening;
  append_id(out, id);
  append_method(out, method, params);
}

void append_notification(std::string& out, std::string_view method, std::string_view params) {
  out += opening;
  append_method(out, method, params);
}

}  // namespace agentd::protocol
