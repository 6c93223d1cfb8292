%% Round trips of a message and its reply, then of gen_server:call with a time limit, on one scheduler.
-module(ask).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).

main([Count]) ->
    N = list_to_integer(Count),
    Pong = spawn_link(fun pong/0),
    measure("metric:message,workers:1", N, fun(I) -> message(Pong, I) end),
    {ok, Server} = gen_server:start_link(?MODULE, [], []),
    measure("metric:ask,timeout:5s,workers:1", N, fun(I) -> call(Server, I) end),
    halt(0).

measure(Params, N, Play) ->
    Play(N div 10 + 1),
    Began = erlang:monotonic_time(nanosecond),
    Play(N),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=ask params=~s,n:~b value=~.4f unit=us better=lower~n", [Params, N, Took / 1000 / N]).

message(_, 0) -> ok;
message(Pong, N) ->
    Pong ! {ball, self(), N},
    receive {ball, N} -> message(Pong, N - 1) end.

pong() -> receive {ball, From, N} -> From ! {ball, N}, pong() end.

call(_, 0) -> ok;
call(Server, N) ->
    {ball, N} = gen_server:call(Server, {ball, N}, 5000),
    call(Server, N - 1).

init([]) -> {ok, none}.
handle_call({ball, N}, _, State) -> {reply, {ball, N}, State}.
handle_cast(_, State) -> {noreply, State}.
handle_info(_, State) -> {noreply, State}.
