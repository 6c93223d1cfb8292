// Many senders to one receiver, a scheduler thread a core. The time begins before the senders do.
#include "bench.hpp"

static constexpr uint64_t batch = 128;

struct sink_state {
  uint64_t seen = 0;
};

static caf::behavior sink(caf::stateful_actor<sink_state>* self, uint64_t n, unsigned senders,
                          bench_clock::time_point began) {
  return {[=](item_atom, uint64_t) {
    if (++self->state.seen < n) return;
    bench_rate("fanin", "senders:" + std::to_string(senders) + ",mailbox:unbounded", n,
               seconds_since(began));
    self->quit();
  }};
}

// A batch at a time, then a message to itself, so that others get their turn.
static caf::behavior source(caf::event_based_actor* self, uint64_t n, caf::actor to) {
  self->send(self, started_atom::value, n);
  return {[=](started_atom, uint64_t left) {
    for (uint64_t i = 0; i < batch && left > 0; i++) self->send(to, item_atom::value, left--);
    if (left > 0) self->send(self, started_atom::value, left);
    else self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  auto senders = bench_variant(argc, argv, 5);
  auto each = bench_count(argc, argv, 2000000) / senders;
  auto to = system.spawn(sink, each * senders, senders, bench_clock::now());
  for (unsigned i = 0; i < senders; i++) system.spawn(source, each, to);
}
