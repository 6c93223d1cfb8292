/* --set 'KEY=VALUE': changes the YAML before it is checked. */
#ifndef TR_SETTINGS_H
#define TR_SETTINGS_H

#include "config/yaml.h"

/* `*root` may be NULL (an empty file) and is then made. */
void tr_settings_apply(struct tr_mistakes *mistakes, struct tr_yaml **root,
                       const char *const *settings);

#endif
