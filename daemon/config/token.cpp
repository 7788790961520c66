#include "daemon/config/token.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "common/protocol/token.hpp"

namespace agentd::config {
namespace {

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

Result<std::string> checked(const std::string& file, std::string_view token) {
  const std::string advice = token.empty() ? "; put a token into it, such as: openssl rand -hex 32" : "";
  if (const auto fault = protocol::token_fault(token, protocol::shortest_asked_token)) {
    return refuse(file, *fault + advice);
  }
  return std::string(token);
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
  std::array<char, protocol::longest_token + 64> buffer{};
  const ssize_t size = read(opened.fd, buffer.data(), buffer.size());
  if (size < 0) return cannot_read(file);
  return checked(file, protocol::token_in({buffer.data(), static_cast<std::size_t>(size)}));
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
