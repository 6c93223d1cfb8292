// Two event-based actors on one scheduler thread.
#include "bench.hpp"

static caf::behavior pong(caf::event_based_actor*) {
  return {[](ball_atom, uint64_t left) -> caf::result<ball_atom, uint64_t> {
    return {ball_atom::value, left};
  }};
}

struct ping_state {
  bench_clock::time_point began;
};

static caf::behavior ping(caf::stateful_actor<ping_state>* self, uint64_t n, caf::actor other) {
  self->send(other, ball_atom::value, n + n / 10 + 1);
  return {[=](ball_atom, uint64_t left) {
    if (left == n) self->state.began = bench_clock::now();
    if (left > 0) {
      self->send(other, ball_atom::value, left - 1);
      return;
    }
    bench_latency("pingpong", "workers:1", n, seconds_since(self->state.began));
    self->send_exit(other, caf::exit_reason::user_shutdown);
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{1};
  caf::actor_system system{config};
  auto other = system.spawn(pong);
  system.spawn(ping, bench_count(argc, argv, 2000000), other);
}
