// One actor sets n timers with delayed_send, 10 to 75 seconds ahead. CAF 0.17 cannot cancel one of them.
#include "bench.hpp"

static caf::behavior starter(caf::event_based_actor* self, uint64_t n) {
  uint32_t seed = 1;
  auto began = bench_clock::now();
  for (uint64_t i = 0; i < n; i++)
    self->delayed_send(self, std::chrono::milliseconds(10000 + bench_random(seed)), item_atom::value);
  bench_latency("timers", "metric:set", n, seconds_since(began));
  std::_Exit(0); // a million timers are pending: there is nothing to wait for
  return {[](item_atom) {}};
}

int main(int argc, char** argv) {
  bench_config config{1};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 1000000));
}
