// One sender to many receivers in turn, a scheduler thread a core.
#include "bench.hpp"

static constexpr uint64_t batch = 128;

struct sink_state {
  uint64_t left = 0;
};

static caf::behavior sink(caf::stateful_actor<sink_state>* self, uint64_t n, caf::actor starter) {
  self->state.left = n;
  return {[=](item_atom, uint64_t) {
    if (--self->state.left > 0) return;
    self->send(starter, started_atom::value);
    self->quit();
  }};
}

struct starter_state {
  unsigned finished = 0;
  std::vector<caf::actor> sinks;
  bench_clock::time_point began;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n, unsigned receivers) {
  for (unsigned i = 0; i < receivers; i++)
    self->state.sinks.push_back(self->spawn(sink, n / receivers, caf::actor_cast<caf::actor>(self)));
  self->state.began = bench_clock::now();
  self->send(self, item_atom::value, uint64_t{0});
  return {[=](item_atom, uint64_t sent) {
            for (uint64_t i = 0; i < batch && sent < n; i++, sent++)
              self->send(self->state.sinks[sent % receivers], item_atom::value, sent);
            if (sent < n) self->send(self, item_atom::value, sent);
          },
          [=](started_atom) {
            if (++self->state.finished < receivers) return;
            bench_rate("fanout", "receivers:" + std::to_string(receivers) + ",mailbox:unbounded", n,
                       seconds_since(self->state.began));
            self->quit();
          }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  auto receivers = bench_variant(argc, argv, 8);
  auto each = bench_count(argc, argv, 2000000) / receivers;
  system.spawn(starter, each * receivers, receivers);
}
