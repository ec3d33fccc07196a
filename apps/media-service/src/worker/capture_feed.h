/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../capture/capture.h"
#include "../programme/programme.h"

G_BEGIN_DECLS

/* What a programme's event means for the run on disk. capture: (nullable) */
void dub_capture_feed (DubCapture *capture, const DubProgrammeEvent *event);

G_END_DECLS
