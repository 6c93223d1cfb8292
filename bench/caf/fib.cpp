// Savina's "fib": an actor for each call of the recursive function.
#include "bench.hpp"

struct fib_state {
  uint64_t value = 0, calls = 0;
  bool half = false;
};

static caf::behavior fib(caf::stateful_actor<fib_state>* self, uint32_t n, caf::actor parent) {
  if (n < 2) {
    self->send(parent, item_atom::value, uint64_t{n}, uint64_t{1});
    return {};
  }
  self->spawn(fib, n - 1, caf::actor_cast<caf::actor>(self));
  self->spawn(fib, n - 2, caf::actor_cast<caf::actor>(self));
  return {[=](item_atom, uint64_t value, uint64_t calls) {
    auto& state = self->state;
    state.value += value;
    state.calls += calls;
    if (!state.half) {
      state.half = true;
      return;
    }
    self->send(parent, item_atom::value, state.value, state.calls + 1);
    self->quit();
  }};
}

static uint64_t fib_plain(uint64_t n) { return n < 2 ? n : fib_plain(n - 1) + fib_plain(n - 2); }

struct starter_state {
  bench_clock::time_point began;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n) {
  self->state.began = bench_clock::now();
  self->spawn(fib, static_cast<uint32_t>(n), caf::actor_cast<caf::actor>(self));
  return {[=](item_atom, uint64_t value, uint64_t calls) {
    auto seconds = seconds_since(self->state.began);
    if (value != fib_plain(n)) std::exit(1);
    bench_latency("fib", "fib:" + std::to_string(n) + ",workers:auto", calls, seconds);
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 25));
}
