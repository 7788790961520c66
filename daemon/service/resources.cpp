#include "daemon/service/resources.hpp"

#include <malloc.h>
#include <sys/resource.h>

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

}  // namespace agentd::service
