// Savina's "chameneos": 100 creatures meet in pairs in a mall, n times.
#include "bench.hpp"

static constexpr uint32_t creatures = 100, colours = 3;

struct creature_state {
  uint32_t colour = 0;
  uint64_t meetings = 0;
};

static uint32_t complement(uint32_t a, uint32_t b) { return a == b ? a : colours - a - b; }

static caf::behavior creature(caf::stateful_actor<creature_state>* self, uint32_t colour, caf::actor mall) {
  self->state.colour = colour;
  auto enter = [=] {
    self->send(mall, meet_atom::value, self->state.colour, caf::actor_cast<caf::actor>(self));
  };
  enter();
  return {[=](meet_atom, uint32_t other, const caf::actor& who) {
            self->state.colour = complement(self->state.colour, other);
            self->state.meetings++;
            self->send(who, change_atom::value, self->state.colour);
            enter();
          },
          [=](change_atom, uint32_t mine) {
            self->state.colour = mine;
            self->state.meetings++;
            enter();
          },
          [=](closed_atom) {
            self->send(mall, closed_atom::value, self->state.meetings);
            self->quit();
          }};
}

struct mall_state {
  uint64_t left = 0, sum = 0;
  unsigned counted = 0;
  bench_clock::time_point began;
  caf::actor waiting;
};

static caf::behavior mall(caf::stateful_actor<mall_state>* self, uint64_t n) {
  self->state.left = n;
  self->state.began = bench_clock::now();
  for (uint32_t i = 0; i < creatures; i++)
    self->spawn(creature, i % colours, caf::actor_cast<caf::actor>(self));
  return {[=](meet_atom, uint32_t colour, const caf::actor& who) {
            auto& state = self->state;
            if (state.left == 0) {
              self->send(who, closed_atom::value);
            } else if (!state.waiting) {
              state.waiting = who;
            } else {
              state.left--;
              self->send(state.waiting, meet_atom::value, colour, who);
              state.waiting = nullptr;
            }
          },
          [=](closed_atom, uint64_t meetings) {
            auto& state = self->state;
            state.sum += meetings;
            if (++state.counted < creatures) return;
            if (state.sum != 2 * n) std::exit(1);
            bench_rate("chameneos", "creatures:100,workers:auto", n, seconds_since(state.began));
            self->quit();
          }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  system.spawn(mall, bench_count(argc, argv, 500000));
}
