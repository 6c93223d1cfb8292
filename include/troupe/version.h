/* The version of Troupe, in this one place: CMake reads it from here. */
#ifndef TROUPE_VERSION_H
#define TROUPE_VERSION_H

#define TROUPE_VERSION_MAJOR 0
#define TROUPE_VERSION_MINOR 1
#define TROUPE_VERSION_PATCH 0
#define TROUPE_VERSION "0.1.0"

#endif
