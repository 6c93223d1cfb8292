// What an idle actor with 16 bytes of state costs, spawned a thousand at a time.
#include "bench.hpp"

#include "../resident.h"

static constexpr unsigned batch = 1000;

struct idler_state {
  uint64_t number = 0, seen = 0;
};

static caf::behavior idler(caf::stateful_actor<idler_state>* self, uint64_t number, caf::actor parent) {
  self->state.number = number;
  self->send(parent, started_atom::value);
  return {[=](item_atom) { self->state.seen++; }};
}

struct starter_state {
  uint64_t started = 0;
  double before = 0;
  std::vector<caf::actor> all; // an actor that nobody knows ends; 8 bytes each, part of its cost
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n) {
  auto spawn_some = [=] {
    auto& all = self->state.all;
    for (unsigned i = 0; i < batch && all.size() < n; i++)
      all.push_back(self->spawn(idler, uint64_t{all.size()}, caf::actor_cast<caf::actor>(self)));
  };
  self->state.all.reserve(n);
  self->state.before = bench_resident();
  spawn_some();
  return {[=](started_atom) {
    auto& state = self->state;
    if (++state.started < state.all.size()) return;
    if (state.all.size() < n) {
      spawn_some();
      return;
    }
    bench_each("memory", "state:16,workers:1", n, bench_resident() - state.before, "bytes");
    std::_Exit(0);
  }};
}

int main(int argc, char** argv) {
  bench_config config{1};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 1000000));
}
