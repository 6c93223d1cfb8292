// A hundred actors that have started and have nothing to do, a scheduler thread a core, until SIGTERM.
#include "bench.hpp"

#include <unistd.h>

static constexpr unsigned actors = 100;

static caf::behavior idler(caf::event_based_actor*) {
  return {[](item_atom) { return started_atom::value; }};
}

struct starter_state {
  unsigned answers = 0;
  std::vector<caf::actor> all;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self) {
  for (unsigned i = 0; i < actors; i++) {
    self->state.all.push_back(self->spawn(idler));
    self->send(self->state.all.back(), item_atom::value);
  }
  return {[=](started_atom) {
    if (++self->state.answers < actors) return;
    std::printf("ready params=%s\n", bench_params("actors:100,workers:auto").c_str());
    std::fflush(stdout);
  }};
}

int main() {
  bench_config config{0};
  caf::actor_system system{config};
  auto holder = system.spawn(starter);
  pause();
}
