/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/metrics.h>

/*
 * The names that dashboards of an earlier design ask for, and base units beside
 * the milliseconds that the workers count in. The one table of them; a worker
 * tells each figure once, and /metrics repeats it.
 *
 * Names that end in _ms break Prometheus's rule of base units and are kept for
 * those who have them; docs/metrics.md lists each beside the name to use.
 */
G_BEGIN_DECLS

/* Static. */
const DubMetricAlias *dub_metric_aliases (gsize *ret_n);

G_END_DECLS
