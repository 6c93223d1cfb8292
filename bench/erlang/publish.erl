%% One publisher to the members of a pg group, batch by batch: it waits for a word of each member.
-module(publish).
-export([main/1]).

-define(BATCH, 512).

main([Count, Variant]) ->
    {ok, _} = pg:start_link(),
    Subscribers = list_to_integer(Variant),
    Batches = list_to_integer(Count) div Subscribers div ?BATCH,
    Main = self(),
    Sinks = [spawn_opt(fun() -> ok = pg:join(items, self()), Main ! caught_up, take(Main, 0) end,
                       [link, {message_queue_data, off_heap}]) || _ <- lists:seq(1, Subscribers)],
    wait(Sinks),
    Began = erlang:monotonic_time(nanosecond),
    publish(Sinks, Batches, 0),
    Took = erlang:monotonic_time(nanosecond) - Began,
    N = Batches * ?BATCH * Subscribers,
    io:format("work=publish params=subscribers:~b,mailbox:unbounded,n:~b value=~b unit=per_s better=higher~n",
              [Subscribers, N, N * 1000000000 div Took]),
    halt(0).

wait(Sinks) -> [receive caught_up -> ok end || _ <- Sinks], ok.

publish(_, 0, _) -> ok;
publish(Sinks, Batches, Number) ->
    [[Pid ! {item, N} || Pid <- pg:get_members(items)] || N <- lists:seq(Number, Number + ?BATCH - 1)],
    wait(Sinks),
    publish(Sinks, Batches - 1, Number + ?BATCH).

take(Main, N) ->
    receive {item, N} -> ok end,
    (N + 1) rem ?BATCH =:= 0 andalso (Main ! caught_up),
    take(Main, N + 1).
