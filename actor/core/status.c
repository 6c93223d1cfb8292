#include <troupe/status.h>

static const char *const names[] = {
#define STATUS_NAME(code, name, text) [TROUPE_##code] = name,
    TROUPE_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
};

static const char *const texts[] = {
#define STATUS_TEXT(code, name, text) [TROUPE_##code] = text,
    TROUPE_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
};

/* A status may have come over a wire: any number. */
static int is_known(enum troupe_status status) {
    return (unsigned)status < (unsigned)TROUPE_STATUS_COUNT;
}

const char *troupe_status_name(enum troupe_status status) {
    return is_known(status) ? names[status] : "unknown";
}

const char *troupe_status_text(enum troupe_status status) {
    return is_known(status) ? texts[status] : "a status this version does not know";
}
