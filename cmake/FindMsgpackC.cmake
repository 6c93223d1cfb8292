# Finds msgpack-c under the names that its releases have used, and makes MsgpackC::MsgpackC of it:
#
#   package msgpack, target msgpackc        up to 4
#   package msgpackc, target msgpackc       5
#   package msgpack-c, target msgpack-c     from 6
#
# The C++ library of the same project installs a package called msgpack too. So it is the target that
# decides, never the package: a package without a C target counts as not found.

set(MsgpackC_TARGET "")
foreach(package IN ITEMS msgpack-c msgpackc msgpack)
    find_package(${package} CONFIG QUIET)
    foreach(target IN ITEMS msgpack-c msgpackc msgpack-c-static msgpackc-static)
        if(NOT MsgpackC_TARGET AND TARGET ${target})
            set(MsgpackC_TARGET ${target})
        endif()
    endforeach()
endforeach()

if(NOT MsgpackC_TARGET)
    find_package(PkgConfig QUIET)
    foreach(module IN ITEMS msgpack-c msgpackc)
        if(PKG_CONFIG_FOUND AND NOT MsgpackC_TARGET)
            pkg_check_modules(MsgpackC_${module} QUIET IMPORTED_TARGET ${module})
            if(TARGET PkgConfig::MsgpackC_${module})
                set(MsgpackC_TARGET PkgConfig::MsgpackC_${module})
            endif()
        endif()
    endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MsgpackC REQUIRED_VARS MsgpackC_TARGET
    REASON_FAILURE_MESSAGE "no package offers the C library (msgpackc or msgpack-c), only perhaps the C++ one")

if(MsgpackC_FOUND AND NOT TARGET MsgpackC::MsgpackC)
    add_library(MsgpackC::MsgpackC INTERFACE IMPORTED)
    target_link_libraries(MsgpackC::MsgpackC INTERFACE ${MsgpackC_TARGET})
endif()
