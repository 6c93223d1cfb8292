%% Many senders to one receiver, whose queue is kept off its heap, as the manual advises for this load.
%% The time begins before the senders do.
-module(fanin).
-export([main/1]).

main([Count, Variant]) ->
    Senders = list_to_integer(Variant),
    Each = list_to_integer(Count) div Senders,
    N = Each * Senders,
    Main = self(),
    Sink = spawn_opt(fun() -> sink(Main, N) end, [link, {message_queue_data, off_heap}]),
    Began = erlang:monotonic_time(nanosecond),
    [spawn_link(fun() -> source(Sink, Each) end) || _ <- lists:seq(1, Senders)],
    receive finished -> ok end,
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=fanin params=senders:~b,mailbox:unbounded,n:~b value=~b unit=per_s better=higher~n",
              [Senders, N, N * 1000000000 div Took]),
    halt(0).

source(_, 0) -> ok;
source(Sink, N) -> Sink ! {item, N}, source(Sink, N - 1).

sink(Main, N) ->
    take(N),
    Main ! finished.

take(0) -> ok;
take(N) -> receive {item, _} -> take(N - 1) end.
