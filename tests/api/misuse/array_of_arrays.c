/* expect: TROUPE_X_[A-Z]*_array|TROUPE_X_ARRAY */
#include "common.h"

#define BAD_FIELDS(field) field(array(array(u8)), rows)
TROUPE_MESSAGE(bad, BAD_FIELDS)
