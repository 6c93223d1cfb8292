// What a message costs with few and with many active actors: each has one ping under way, to one of all at
// random, until it has sent its share. The handles are in a table that all share.
#include "bench.hpp"

static std::vector<caf::actor> all;

struct member_state {
  uint64_t left = 0;
  uint32_t seed = 0;
};

static caf::behavior member(caf::stateful_actor<member_state>* self, uint64_t n, uint32_t seed,
                            caf::actor starter) {
  self->state.left = n;
  self->state.seed = seed;
  auto next = [=] {
    auto& state = self->state;
    if (state.left-- == 0) {
      self->send(starter, started_atom::value);
      return;
    }
    state.seed = state.seed * 69069u + 1u;
    self->send(all[static_cast<uint64_t>(state.seed) * all.size() >> 32], ball_atom::value);
  };
  return {[=](token_atom) { next(); },
          [](ball_atom) { return item_atom::value; },
          [=](item_atom) { next(); }};
}

struct starter_state {
  size_t finished = 0;
  bench_clock::time_point began;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n, size_t actors) {
  uint64_t each = n / (2 * actors) > 0 ? n / (2 * actors) : 1;
  all.reserve(actors);
  for (size_t i = 0; i < actors; i++)
    all.push_back(self->spawn(member, each, static_cast<uint32_t>(i * 2654435761u),
                              caf::actor_cast<caf::actor>(self)));
  self->state.began = bench_clock::now();
  for (auto& one : all) self->send(one, token_atom::value);
  return {[=](started_atom) {
    if (++self->state.finished < actors) return;
    bench_latency("scale", "actors:" + std::to_string(actors) + ",workers:auto", 2 * each * actors,
                  seconds_since(self->state.began));
    for (auto& one : all) self->send_exit(one, caf::exit_reason::user_shutdown);
    all.clear();
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 10000000), size_t{bench_variant(argc, argv, 1000)});
}
