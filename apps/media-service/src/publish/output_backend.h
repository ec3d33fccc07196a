/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "output.h"

/*
 * What a protocol brings to output.h: all functions are wanted, with the same
 * threads and meaning as there.
 */
G_BEGIN_DECLS

typedef struct {
  const char *const *schemes; /* NULL-terminated, lower case */
  gpointer (*create) (const DubOutputOptions *options, GBytes *sound_config,
      DubPublisherStateFunc on_state, gpointer user_data, GError **error);
  void (*destroy) (gpointer self);
  void (*configure) (
      gpointer self, DubVideoCodec codec, GBytes *codec_data, gint64 dts_ms);
  void (*push) (gpointer self, DubCodedItem *item);
  void (*finish) (gpointer self, guint timeout_ms);
  void (*get_stats) (gpointer self, DubPublisherStats *ret_stats);
} DubOutputBackend;

extern const DubOutputBackend dub_rtmp_backend;

G_END_DECLS
