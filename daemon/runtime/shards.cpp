#include "daemon/runtime/shards.hpp"

#include "daemon/runtime/runtime.hpp"

namespace agentd::runtime {

Runtime* Shards::open_runtime(std::size_t shard) const {
  Runtime* const runtime = runtimes_[shard];
  return runtime->closed() ? nullptr : runtime;
}

Totals Shards::others(std::size_t shard) const {
  Totals sum;
  for (std::size_t other = 0; other < runtimes_.size(); ++other) {
    if (other != shard) sum += runtimes_[other]->tally();
  }
  return sum;
}

}  // namespace agentd::runtime
