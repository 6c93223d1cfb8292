%% One process spawns 64 others and gives them tasks for the processor alone. run.py sets the schedulers.
-module(imbalance).
-export([main/1]).

-define(ACTORS, 64).
-define(STEPS, 20000).

main([Count, _]) ->
    N = list_to_integer(Count),
    Began = erlang:monotonic_time(nanosecond),
    Doers = [spawn_link(fun doer/0) || _ <- lists:seq(1, ?ACTORS)],
    give(Doers, Doers, N),
    join(N),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=imbalance params=threads:~b,actors:64,steps:20000,n:~b value=~.4f unit=us better=lower~n",
              [erlang:system_info(schedulers_online), N, Took / 1000 / N]),
    halt(0).

give(_, _, 0) -> ok;
give(All, [], N) -> give(All, All, N);
give(All, [Next | Rest], N) -> Next ! {task, self(), ?STEPS}, give(All, Rest, N - 1).

doer() -> receive {task, From, Steps} -> From ! {result, burn(Steps, Steps)}, doer() end.

burn(0, X) -> X;
burn(Steps, X) -> burn(Steps - 1, (X * 69069 + 1) band 16#ffffffff).

join(0) -> ok;
join(N) -> receive {result, _} -> join(N - 1) end.
