#include "daemon/http/answer.hpp"

#include <array>
#include <charconv>

namespace agentd::http {

namespace {

std::string_view reason(unsigned status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 426:
      return "Upgrade Required";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

Answer refuse(unsigned status, std::string why, std::string headers) {
  Answer answer;
  answer.status = status;
  answer.body = std::move(why);
  answer.body += '\n';
  answer.headers = std::move(headers);
  return answer;
}

Answer refuse_and_close(unsigned status, std::string why) {
  Answer answer = refuse(status, std::move(why));
  answer.close = true;
  return answer;
}

void append_head(std::string& out, const Answer& answer, const AnswerForm& form) {
  out += "HTTP/1.1 ";
  append_number(out, answer.status);
  out += ' ';
  out += reason(answer.status);
  out += "\r\nServer: agentd\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  if (answer.status != 204) {
    out += "Content-Type: ";
    out += answer.type;
    out += "\r\nContent-Length: ";
    append_number(out, answer.body.size());
    out += "\r\n";
  }
  if (answer.status == 503) out += "Retry-After: 1\r\n";
  out += answer.headers;
  if (form.close) {
    out += "Connection: close\r\n";
  } else if (form.say_keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

}  // namespace agentd::http
