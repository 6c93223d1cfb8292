# Installation: the headers, the library, a CMake package (find_package(troupe)) and a pkg-config file.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
get_target_property(type troupe TYPE)
string(COMPARE EQUAL ${type} STATIC_LIBRARY TROUPE_IS_STATIC)

install(TARGETS troupe EXPORT troupe-targets)
install(FILES include/troupe.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/troupe)
install(EXPORT troupe-targets NAMESPACE troupe:: DESTINATION ${package_dir})

configure_package_config_file(cmake/troupe-config.cmake.in troupe-config.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(troupe-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/troupe-config.cmake
    ${PROJECT_BINARY_DIR}/troupe-config-version.cmake cmake/FindMsgpackC.cmake
    DESTINATION ${package_dir})

# What the library needs itself matters to those who link it statically. NNG has no pkg-config file and
# that of msgpack-c has changed its name, so the file names the two libraries that this build linked.
set(needs "$<TARGET_LINKER_FILE:nng::nng> $<TARGET_LINKER_FILE:${MsgpackC_TARGET}> -pthread")
if(TROUPE_IS_STATIC)
    set(TROUPE_PC_LIBS " ${needs}")
    set(TROUPE_PC_PRIVATE "")
else()
    set(TROUPE_PC_LIBS "")
    set(TROUPE_PC_PRIVATE .private)
endif()
file(RELATIVE_PATH TROUPE_PC_UP ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/troupe.pc.in troupe.pc.in @ONLY)
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/troupe.pc INPUT ${PROJECT_BINARY_DIR}/troupe.pc.in)
install(FILES ${PROJECT_BINARY_DIR}/troupe.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
