/* expect: TROUPE_X_[A-Z]*_string|unknown type|troupe_fields_n|string */
#include "common.h"

#define BAD_FIELDS(field) field(string, text)
TROUPE_MESSAGE(bad, BAD_FIELDS)
