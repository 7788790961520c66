#include "daemon/config/token.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace agentd::config {
namespace {

constexpr std::size_t min_length = 16;
constexpr std::size_t max_length = 4096;

Error refuse(const std::string& file, const std::string& what) {
  return {ErrorKind::invalid_params, "the token file " + file + " " + what};
}

Error cannot_read(const std::string& file) {
  return refuse(file, "cannot be read: " + std::generic_category().message(errno));
}

/// Closes what it holds.
struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

std::string trimmed(const std::string& text) {
  constexpr const char* blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

bool is_visible(char c) { return c > 0x20 && c < 0x7F; }

Result<std::string> checked(const std::string& file, const std::string& token) {
  if (token.empty()) return refuse(file, "is empty; put a token into it, such as: openssl rand -hex 32");
  if (!std::all_of(token.begin(), token.end(), is_visible)) {
    return refuse(file, "must hold one line of visible ASCII characters without blanks");
  }
  if (token.size() < min_length || token.size() > max_length) {
    return refuse(file, "holds " + std::to_string(token.size()) + " characters; a token has " +
                            std::to_string(min_length) + " to " + std::to_string(max_length));
  }
  return token;
}

}  // namespace

Result<std::string> read_token(const std::string& file) {
  // What is checked is what is read: one open file, whatever happens to its name meanwhile.
  const Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (opened.fd < 0) return cannot_read(file);
  struct stat about {};
  if (fstat(opened.fd, &about) != 0) return cannot_read(file);
  if (!S_ISREG(about.st_mode)) return refuse(file, "is not a regular file");
  if ((about.st_mode & S_IRWXO) != 0) {
    return refuse(file, "can be read or written by everybody; run: chmod o= " + file);
  }
  std::array<char, max_length + 64> buffer{};
  const ssize_t size = read(opened.fd, buffer.data(), buffer.size());
  if (size < 0) return cannot_read(file);
  return checked(file, trimmed(std::string(buffer.data(), static_cast<std::size_t>(size))));
}

std::string token_credential() {
  // Read once at start, before any thread: nothing changes the environment meanwhile.
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe)
  if (directory == nullptr) return {};
  const auto file = std::filesystem::path(directory) / "token";
  std::error_code ignored;
  return std::filesystem::exists(file, ignored) ? file.string() : std::string();
}

}  // namespace agentd::config
