// Skynet: an actor spawns ten, each of them ten, down to a million leaves; the sums travel back up.
#include "bench.hpp"

static constexpr uint64_t children = 10;

struct sky_state {
  uint64_t value = 0;
  unsigned answers = 0;
};

static caf::behavior sky(caf::stateful_actor<sky_state>* self, uint64_t first, uint64_t size,
                         caf::actor parent) {
  if (size == 1) {
    self->send(parent, item_atom::value, first);
    return {};
  }
  size /= children;
  for (uint64_t i = 0; i < children; i++)
    self->spawn(sky, first + i * size, size, caf::actor_cast<caf::actor>(self));
  return {[=](item_atom, uint64_t value) {
    self->state.value += value;
    if (++self->state.answers < children) return;
    self->send(parent, item_atom::value, self->state.value);
    self->quit();
  }};
}

struct starter_state {
  bench_clock::time_point began;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n) {
  self->state.began = bench_clock::now();
  self->spawn(sky, uint64_t{0}, n, caf::actor_cast<caf::actor>(self));
  return {[=](item_atom, uint64_t value) {
    if (value != n * (n - 1) / 2) std::exit(1);
    bench_latency("skynet", "per:leaf,workers:auto", n, seconds_since(self->state.began));
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 1000000));
}
