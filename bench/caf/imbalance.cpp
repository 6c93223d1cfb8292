// One actor spawns 64 others and gives them tasks for the processor alone.
#include "bench.hpp"

static constexpr unsigned actors = 64;
static constexpr uint32_t steps = 20000;

static caf::behavior doer(caf::event_based_actor*) {
  return {[](item_atom, uint32_t n) -> caf::result<started_atom, uint32_t> {
    return {started_atom::value, bench_burn(n)};
  }};
}

struct starter_state {
  uint64_t results = 0;
  bench_clock::time_point began;
  std::vector<caf::actor> doers;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n, unsigned threads) {
  auto& doers = self->state.doers;
  self->state.began = bench_clock::now();
  for (unsigned i = 0; i < actors; i++) doers.push_back(self->spawn(doer));
  for (uint64_t i = 0; i < n; i++) self->send(doers[i % actors], item_atom::value, steps);
  return {[=](started_atom, uint32_t) {
    if (++self->state.results < n) return;
    bench_latency("imbalance", "threads:" + std::to_string(threads) + ",actors:64,steps:20000", n,
                  seconds_since(self->state.began));
    for (auto& each : self->state.doers) self->send_exit(each, caf::exit_reason::user_shutdown);
    self->quit();
  }};
}

int main(int argc, char** argv) {
  auto threads = bench_variant(argc, argv, 2);
  bench_config config{threads};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 20000), threads);
}
