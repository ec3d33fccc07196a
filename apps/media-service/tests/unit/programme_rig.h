/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "programme/programme.h"

/*
 * A programme with a source and a recorder, for tests. The source sends 25
 * pictures a second, a key frame each second, shown two pictures after they are
 * decoded, and blocks of 1000 sound frames; both carry who they are:
 *
 *   picture   its number, as 8 bytes
 *   sound     left: 1 + frame number % RIG_CYCLE, right: 0
 *
 * Source time is (number of ns since the source began) + base_ns. Time only
 * goes on in rig_play and rig_idle.
 */
G_BEGIN_DECLS

#define RIG_CYCLE 16000
#define RIG_RATE 48000
#define RIG_WINDOW 1536 /* 32 ms */
#define RIG_MS DUB_NS_PER_MS
#define RIG_S DUB_NS_PER_S
#define RIG_START (1000 * RIG_S) /* now when a rig begins */

typedef struct {
  const char *name;
  void (*func) (void);
} RigTest;

/* prefix ends with a slash. */
void rig_add_tests (const char *prefix, const RigTest *tests, gsize n);

typedef struct {
  guint64 number;
  gint64 pts_ns, dts_ns, left_ns;
  gboolean is_key, has_config;
} RigPicture;

typedef struct {
  DubProgrammeEventType type;
  gint64 media_ns, duration_ns, lag_ns;
  char *detail;
} RigEvent;

typedef struct {
  DubProgramme *programme;
  gint64 now_ns;
  gint64 next_run_ns;
  /* source */
  gint64 base_ns; /* source time of picture 0 and frame 0 */
  gint64 picture; /* next number to be sent */
  gint64 frame;   /* next sound frame to be sent */
  gint64 sent_ns; /* source ns sent so far, since the base */
  gboolean has_no_dts;
  gboolean is_rtmp;   /* times are whole ms, and wrap at 32 bits of them */
  const char *config; /* codec data of its key frames */
  gboolean is_mute, is_blind; /* sends no sound, no pictures */
  /* recorder */
  GArray *pictures; /* RigPicture */
  GArray *sound;    /* gint16, stereo, from sound_first on */
  gint64 sound_first;
  gint64 sound_left_ns; /* when the last block left */
  GPtrArray *fragments; /* DubFragment */
  GArray *events;       /* RigEvent */
  gint64 heard_end;
  gint64 jitter_ns; /* largest extra delay of what arrives */
} Rig;

/* params (nullable): the defaults */
Rig *rig_new (const DubProgrammeParams *params);
void rig_free (Rig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

/* The source sends for so long, in real time. */
void rig_play (Rig *rig, gint64 ns);
/* The source is silent for so long. */
void rig_idle (Rig *rig, gint64 ns);
/* The source goes on with other times. */
void rig_jump (Rig *rig, gint64 ns);
/* What was held back: the source sends so much at once. */
void rig_burst (Rig *rig, gint64 ns);
/* A new connection whose times begin at base_ns. */
void rig_reconnect (Rig *rig, gint64 base_ns);

/* Speech from one position to another, as marks of RIG_WINDOW frames on a
 * raster of as much. */
void rig_speak (
    Rig *rig, gint64 from_frame, gint64 to_frame, gboolean is_speech);
/* Answers fragment i with frames of a constant value, in mono. */
void rig_answer (Rig *rig, guint i, gsize frames, gint16 value);

guint rig_count (const Rig *rig, DubProgrammeEventType type);
const RigEvent *rig_event (const Rig *rig, DubProgrammeEventType type, guint i);
gint16 rig_left (const Rig *rig, gint64 frame);
DubProgrammeStats rig_stats (const Rig *rig);
/* Every picture in its order, dts rising and <= pts, the first a key frame;
 * each that left with its sound: the frame under its pts is its own. */
void rig_check_video (const Rig *rig);
/* Frames [from, to) of the output are the source's, shifted by shift. */
void rig_check_sound (const Rig *rig, gint64 from, gint64 to, gint64 shift);
/* Where both picture and sound of a moment are there, they are within 10 ms of
 * each other. Returns how many pictures were so. */
guint rig_check_sync (const Rig *rig);
/* They are silent. */
void rig_check_silence (const Rig *rig, gint64 from, gint64 to);

G_END_DECLS
