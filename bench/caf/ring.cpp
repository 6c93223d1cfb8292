// A thousand actors in a ring; one token goes round it, first one lap to warm up.
#include "bench.hpp"

static constexpr unsigned actors = 1000;

struct member_state {
  caf::actor next;
};

static caf::behavior member(caf::stateful_actor<member_state>* self, caf::actor next, caf::actor starter) {
  self->state.next = next;
  return {[=](item_atom, const caf::actor& last) { self->state.next = last; },
          [=](token_atom, uint64_t left) {
            if (left == 0) self->send(starter, started_atom::value);
            else self->send(self->state.next, token_atom::value, left - 1);
          }};
}

struct starter_state {
  bool warm = false;
  bench_clock::time_point began;
  std::vector<caf::actor> members;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n) {
  auto& members = self->state.members;
  for (unsigned i = 0; i < actors; i++)
    members.push_back(self->spawn(member, i > 0 ? members.back() : caf::actor{},
                                  caf::actor_cast<caf::actor>(self)));
  self->send(members.front(), item_atom::value, members.back());
  self->send(members.front(), token_atom::value, uint64_t{actors});
  return {[=](started_atom) {
    auto& state = self->state;
    if (!state.warm) {
      state.warm = true;
      state.began = bench_clock::now();
      self->send(state.members.front(), token_atom::value, n);
      return;
    }
    bench_latency("ring", "actors:1000,workers:auto", n, seconds_since(state.began));
    for (auto& each : state.members) self->send_exit(each, caf::exit_reason::user_shutdown);
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  system.spawn(starter, bench_count(argc, argv, 1000000));
}
