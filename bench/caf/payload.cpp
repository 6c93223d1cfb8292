// 1 MiB between two event-based actors on one scheduler thread, as a shared pointer to its bytes: first
// passed to and fro, then made anew for each message.
#include "bench.hpp"

#include <memory>

using bytes = std::shared_ptr<const std::vector<uint8_t>>;
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bytes)

using passed_atom = caf::atom_constant<caf::atom("passed")>;
using made_atom = caf::atom_constant<caf::atom("made")>;
using seen_atom = caf::atom_constant<caf::atom("seen")>;

constexpr size_t payload = 1024 * 1024;
constexpr uint64_t forwards = 10; // for each message that is made

static bytes fill(uint64_t value) {
  return std::make_shared<const std::vector<uint8_t>>(payload, static_cast<uint8_t>(value));
}

static caf::behavior pong(caf::event_based_actor*) {
  return {[](passed_atom, const bytes& data, uint64_t left) -> caf::result<passed_atom, bytes, uint64_t> {
            return {passed_atom::value, data, left - 1};
          },
          [](made_atom, const bytes& data) -> caf::result<seen_atom, uint64_t> {
            return {seen_atom::value, static_cast<uint64_t>(data->front()) + data->back()};
          }};
}

struct ping_state {
  bench_clock::time_point began;
  uint64_t left;
};

static caf::behavior ping(caf::stateful_actor<ping_state>* self, uint64_t n, caf::actor other) {
  self->state.left = n;
  self->state.began = bench_clock::now();
  self->send(other, passed_atom::value, fill(1), forwards * n);
  return {[=](passed_atom, const bytes& data, uint64_t left) {
            if (left > 1) {
              self->send(other, passed_atom::value, data, left - 1);
              return;
            }
            bench_latency("payload", "workers:1,metric:pass_on", forwards * n,
                          seconds_since(self->state.began));
            self->state.began = bench_clock::now();
            self->send(other, made_atom::value, fill(self->state.left));
          },
          [=](seen_atom, uint64_t sum) {
            if (sum != 2 * (self->state.left & 0xff)) std::abort();
            if (--self->state.left > 0) {
              self->send(other, made_atom::value, fill(self->state.left));
              return;
            }
            bench_latency("payload", "workers:1,metric:make", n, seconds_since(self->state.began));
            self->send_exit(other, caf::exit_reason::user_shutdown);
            self->quit();
          }};
}

int main(int argc, char** argv) {
  bench_config config{1};
  caf::actor_system system{config};
  auto other = system.spawn(pong);
  system.spawn(ping, bench_count(argc, argv, 20000), other);
}
