// Savina's "fork-join create": n actors at once, each gets one message, answers and ends.
#include "bench.hpp"

static caf::behavior child(caf::event_based_actor* self) {
  return {[=](item_atom, uint64_t number) -> caf::result<started_atom, uint64_t> {
    self->quit();
    return {started_atom::value, number};
  }};
}

struct starter_state {
  uint64_t finished = 0;
  bench_clock::time_point began;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n) {
  self->state.began = bench_clock::now();
  for (uint64_t i = 0; i < n; i++) self->send(self->spawn(child), item_atom::value, i);
  return {[=](started_atom, uint64_t) {
    if (++self->state.finished < n) return;
    bench_latency("fjcreate", "workers:auto", n, seconds_since(self->state.began));
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 200000));
}
