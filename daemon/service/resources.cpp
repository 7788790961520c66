#include "daemon/service/resources.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

namespace agentd::service {

void raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void share_one_heap() {
  // The loop's thread would get a heap of its own, which glibc grows a page at a time, a system call each.
  mallopt(M_ARENA_MAX, 1);
  // What a burst needed is kept for the next one.
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
}

void fill_standard_streams() {
  for (int opened = 0; opened <= STDERR_FILENO;) {
    // The lowest number that is free, by what POSIX says of open.
    opened = open("/dev/null", O_RDWR);
    if (opened < 0) return;
    if (opened > STDERR_FILENO) close(opened);
  }
}

}  // namespace agentd::service
