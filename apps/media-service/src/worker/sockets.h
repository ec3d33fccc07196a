/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How the sockets of this process behave that libraries make and keep to
 * themselves: nothing waits for the acknowledgement of what went before it.
 *
 * An RTMP connection opens with a row of small messages, and the peer delays
 * its acknowledgements by 40 ms: two of them are waited for before the first
 * packet of media comes.
 */
G_BEGIN_DECLS

/* For every GSocketClient of the process from now on. Once, before there are
 * other threads. */
void dub_sockets_tune (void);

G_END_DECLS
