// What the CAF programs share: their message atoms and the line that each prints.
#pragma once

#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using ball_atom = caf::atom_constant<caf::atom("ball")>;
using item_atom = caf::atom_constant<caf::atom("item")>;
using started_atom = caf::atom_constant<caf::atom("started")>;

using ask_atom = caf::atom_constant<caf::atom("ask")>;
using token_atom = caf::atom_constant<caf::atom("token")>;
using meet_atom = caf::atom_constant<caf::atom("meet")>;
using change_atom = caf::atom_constant<caf::atom("change")>;
using closed_atom = caf::atom_constant<caf::atom("closed")>;

using bench_clock = std::chrono::steady_clock;

inline double seconds_since(bench_clock::time_point began) {
  return std::chrono::duration<double>(bench_clock::now() - began).count();
}

inline uint64_t bench_count(int argc, char** argv, uint64_t standard) {
  return argc > 1 ? std::strtoull(argv[1], nullptr, 10) : standard;
}

inline unsigned bench_variant(int argc, char** argv, unsigned standard) {
  return argc > 2 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : standard;
}

// Which of its two schedulers CAF is to use; nullptr: as it is configured by itself.
inline const char* bench_policy() { return std::getenv("BENCH_CAF_POLICY"); }

inline std::string bench_params(const std::string& params) {
  return bench_policy() != nullptr ? params + ",policy:" + bench_policy() : params;
}

inline void bench_each(const char* work, const std::string& params, uint64_t n, double total,
                       const char* unit) {
  std::printf("work=%s params=%s,n:%llu value=%.4f unit=%s better=lower\n", work,
              bench_params(params).c_str(), static_cast<unsigned long long>(n),
              total / static_cast<double>(n), unit);
  std::fflush(stdout);
}

inline void bench_latency(const char* work, const std::string& params, uint64_t n, double seconds) {
  bench_each(work, params, n, seconds * 1e6, "us");
}

inline void bench_rate(const char* work, const std::string& params, uint64_t n, double seconds) {
  std::printf("work=%s params=%s,n:%llu value=%.0f unit=per_s better=higher\n", work,
              bench_params(params).c_str(), static_cast<unsigned long long>(n),
              static_cast<double>(n) / seconds);
  std::fflush(stdout);
}

// The generator and the burden that the programs in every language use.
inline uint32_t bench_random(uint32_t& state) {
  state = state * 69069u + 1u;
  return state >> 16;
}

inline uint32_t bench_burn(uint32_t steps) {
  uint32_t x = steps;
  while (steps-- > 0) x = x * 69069u + 1u;
  return x;
}

// CAF 0.17: a system with this many scheduler threads; 0: one a core.
struct bench_config : caf::actor_system_config {
  explicit bench_config(size_t threads) {
    if (threads > 0) this->set("scheduler.max-threads", threads);
    if (bench_policy() != nullptr) this->set("scheduler.policy", caf::atom_from_string(bench_policy()));
  }
};
