/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sts_service/processor.h>

/*
 * The processor that gives back what it got, after a fixed delay: the stand-in
 * for tests, with texts and figures that are the same on every run. Jobs do
 * not wait for one another.
 *
 * Main thread only. Jobs that are open when it is freed end as FAILED.
 */
G_BEGIN_DECLS

/* (transfer full): free it with its own free function. */
DubProcessor *dub_echo_new (guint delay_ms);

G_END_DECLS
