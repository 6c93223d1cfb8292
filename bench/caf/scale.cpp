// What a message costs with few and with many active actors: each has one ping under way until it has sent
// its share, to one of all at random (1000:any) or to its partner (1000:partner). The handles are in a table
// that all share. The clock begins when each has had a message.
#include "bench.hpp"

static std::vector<caf::actor> all;
static bool partner;

struct member_state {
  uint64_t left = 0;
  uint32_t memory = 0; // its number, or the state of a generator
};

static caf::behavior member(caf::stateful_actor<member_state>* self, uint64_t n, uint32_t number,
                            caf::actor starter) {
  self->state.left = n;
  self->state.memory = partner ? number : number * 2654435761u;
  auto next = [=] {
    auto& state = self->state;
    if (state.left-- == 0) {
      self->send(starter, started_atom::value);
      return;
    }
    if (!partner) state.memory = state.memory * 69069u + 1u;
    auto target = partner ? state.memory ^ 1 : static_cast<uint64_t>(state.memory) * all.size() >> 32;
    self->send(all[target], ball_atom::value);
  };
  return {[=](token_atom) { next(); },
          [=](meet_atom) { self->send(starter, started_atom::value); },
          [](ball_atom) { return item_atom::value; },
          [=](item_atom) { next(); }};
}

struct starter_state {
  size_t finished = 0;
  bool warm = false;
  bench_clock::time_point began;
};

static caf::behavior starter(caf::stateful_actor<starter_state>* self, uint64_t n, size_t actors) {
  uint64_t each = n / (2 * actors) > 0 ? n / (2 * actors) : 1;
  all.reserve(actors);
  for (size_t i = 0; i < actors; i++)
    all.push_back(self->spawn(member, each, static_cast<uint32_t>(i),
                              caf::actor_cast<caf::actor>(self)));
  for (auto& one : all) self->send(one, meet_atom::value);
  return {[=](started_atom) {
    if (++self->state.finished < actors) return;
    if (!self->state.warm) {
      self->state.warm = true;
      self->state.finished = 0;
      self->state.began = bench_clock::now();
      for (auto& one : all) self->send(one, token_atom::value);
      return;
    }
    bench_latency("scale", "actors:" + std::to_string(actors) + (partner ? ",to:partner" : ",to:any") + ",workers:auto", 2 * each * actors,
                  seconds_since(self->state.began));
    for (auto& one : all) self->send_exit(one, caf::exit_reason::user_shutdown);
    all.clear();
    self->quit();
  }};
}

int main(int argc, char** argv) {
  bench_config config{0};
  caf::actor_system system{config};
  partner = argc > 2 && std::string{argv[2]}.find(":partner") != std::string::npos;
  system.spawn(starter, bench_count(argc, argv, 10000000), size_t{bench_variant(argc, argv, 1000)});
}
