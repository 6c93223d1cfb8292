// What the CAF programs share: their message atoms and the line that each prints.
#pragma once

#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

using ball_atom = caf::atom_constant<caf::atom("ball")>;
using item_atom = caf::atom_constant<caf::atom("item")>;
using started_atom = caf::atom_constant<caf::atom("started")>;

using bench_clock = std::chrono::steady_clock;

inline double seconds_since(bench_clock::time_point began) {
  return std::chrono::duration<double>(bench_clock::now() - began).count();
}

inline uint64_t bench_count(int argc, char** argv, uint64_t standard) {
  return argc > 1 ? std::strtoull(argv[1], nullptr, 10) : standard;
}

inline void bench_latency(const char* work, const char* params, uint64_t n, double seconds) {
  std::printf("work=%s params=%s,n:%llu value=%.4f unit=us better=lower\n", work, params,
              static_cast<unsigned long long>(n), seconds * 1e6 / static_cast<double>(n));
  std::fflush(stdout);
}

inline void bench_rate(const char* work, const char* params, uint64_t n, double seconds) {
  std::printf("work=%s params=%s,n:%llu value=%.0f unit=per_s better=higher\n", work, params,
              static_cast<unsigned long long>(n), static_cast<double>(n) / seconds);
  std::fflush(stdout);
}

// CAF 0.17: a system with this many scheduler threads; 0: one a core.
struct bench_config : caf::actor_system_config {
  explicit bench_config(size_t threads) {
    if (threads > 0) this->set("scheduler.max-threads", threads);
  }
};
