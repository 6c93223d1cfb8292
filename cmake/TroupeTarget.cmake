# troupe_target(NAME): what every target of this project is compiled with. It changes that target and
# nothing else: a project that adds Troupe as a folder keeps its own settings.

# For example "address,undefined" or "thread".
set(TROUPE_SANITIZE "" CACHE STRING "Sanitizers, separated by commas")

# How much longer than a plain build the tests may take.
set(TROUPE_SLOWNESS 1)
if(TROUPE_SANITIZE OR TROUPE_FUZZ)
    set(TROUPE_SLOWNESS 4)
endif()

function(troupe_target name)
    set_target_properties(${name} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
    set(sanitize ${TROUPE_SANITIZE})
    if(TROUPE_FUZZ)
        set(sanitize fuzzer-no-link,address,undefined)
    endif()
    if(sanitize)
        set(options -fsanitize=${sanitize} -fno-omit-frame-pointer)
        # What UBSan finds ends the program, as with the other sanitizers.
        if(sanitize MATCHES undefined)
            list(APPEND options -fno-sanitize-recover=undefined)
        endif()
        # GCC warns that TSan does not model fences on their own; TSan itself then reports the race.
        if(sanitize MATCHES thread AND CMAKE_C_COMPILER_ID STREQUAL GNU)
            target_compile_options(${name} PRIVATE -Wno-tsan)
        endif()
        target_compile_options(${name} PRIVATE ${options})
        target_link_options(${name} PRIVATE ${options})
    endif()
endfunction()
