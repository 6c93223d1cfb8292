// One actor spawns others, one after the other; each reports and ends.
#include "bench.hpp"

static void child(caf::event_based_actor* self, caf::actor parent) {
  self->send(parent, started_atom::value);
}

struct parent_state {
  uint64_t left = 0;
  bench_clock::time_point began;
};

static caf::behavior parent(caf::stateful_actor<parent_state>* self, uint64_t n) {
  self->state.left = n;
  self->state.began = bench_clock::now();
  self->spawn(child, caf::actor_cast<caf::actor>(self));
  return {[=](started_atom) {
    if (--self->state.left > 0) {
      self->spawn(child, caf::actor_cast<caf::actor>(self));
      return;
    }
    bench_latency("spawn", "chain,workers:1", n, seconds_since(self->state.began));
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{1};
  caf::actor_system system{config};
  system.spawn(parent, bench_count(argc, argv, 300000));
}
