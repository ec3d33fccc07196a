/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/metrics.h>

/*
 * The names of specification 016 for what is counted here already; those in
 * _ms are kept for who has them, docs/metrics.md names the ones to use.
 */
G_BEGIN_DECLS

/* Static. */
const DubMetricAlias *dub_sts_metric_aliases (gsize *ret_n);

G_END_DECLS
