// Round trips of a message and its reply, then of a request and its response, on one scheduler thread.
#include "bench.hpp"

static caf::behavior server(caf::event_based_actor*) {
  return {[](ball_atom, uint64_t left) -> caf::result<ball_atom, uint64_t> {
            return {ball_atom::value, left};
          },
          [](ask_atom, uint64_t left) -> caf::result<ball_atom, uint64_t> {
            return {ball_atom::value, left};
          }};
}

struct client_state {
  bench_clock::time_point began;
};
using client_actor = caf::stateful_actor<client_state>;

static void ask(client_actor* self, caf::actor to, uint64_t n, uint64_t left) {
  self->request(to, std::chrono::seconds(5), ask_atom::value, left)
    .then([=](ball_atom, uint64_t reply) {
      if (reply == n) self->state.began = bench_clock::now();
      if (reply > 0) {
        ask(self, to, n, reply - 1);
        return;
      }
      bench_latency("ask", "metric:ask,timeout:5s,workers:1", n, seconds_since(self->state.began));
      self->send_exit(to, caf::exit_reason::user_shutdown);
      self->quit();
    });
}

static caf::behavior client(client_actor* self, uint64_t n, caf::actor to) {
  auto all = n + n / 10 + 1;
  self->send(to, ball_atom::value, all);
  return {[=](ball_atom, uint64_t left) {
    if (left == n) self->state.began = bench_clock::now();
    if (left > 0) {
      self->send(to, ball_atom::value, left - 1);
      return;
    }
    bench_latency("ask", "metric:message,workers:1", n, seconds_since(self->state.began));
    ask(self, to, n, all);
  }};
}

int main(int argc, char** argv) {
  bench_config config{1};
  caf::actor_system system{config};
  auto to = system.spawn(server);
  system.spawn(client, bench_count(argc, argv, 1000000), to);
}
