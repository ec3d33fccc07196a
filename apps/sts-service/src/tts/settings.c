/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

const char *const dub_voice_schemes[] = {"http", "https", NULL};
