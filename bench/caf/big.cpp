// Savina's "big": 120 actors; each has one ping under way, to one of all at random.
#include "bench.hpp"

static constexpr unsigned actors = 120;

struct member_state {
  uint64_t left = 0;
  uint32_t seed = 0;
  std::vector<caf::actor> all;
};

static caf::behavior member(caf::stateful_actor<member_state>* self, uint64_t n, uint32_t seed,
                            caf::actor starter) {
  self->state.left = n;
  self->state.seed = seed;
  auto next = [=] {
    auto& state = self->state;
    if (state.left-- == 0) self->send(starter, started_atom::value);
    else self->send(state.all[bench_random(state.seed) % actors], ball_atom::value);
  };
  return {[=](token_atom, const std::vector<caf::actor>& all) {
            self->state.all = all;
            next();
          },
          [](ball_atom) { return item_atom::value; },
          [=](item_atom) { next(); }};
}

struct starter_state {
  unsigned finished = 0;
  bench_clock::time_point began;
  std::vector<caf::actor> all;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n) {
  auto& all = self->state.all;
  for (unsigned i = 0; i < actors; i++)
    all.push_back(self->spawn(member, n / actors, i, caf::actor_cast<caf::actor>(self)));
  self->state.began = bench_clock::now();
  for (auto& each : all) self->send(each, token_atom::value, all);
  return {[=](started_atom) {
    if (++self->state.finished < actors) return;
    bench_rate("big", "actors:120,workers:auto", n, seconds_since(self->state.began));
    for (auto& each : self->state.all) self->send_exit(each, caf::exit_reason::user_shutdown);
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 1200000) / actors * actors);
}
