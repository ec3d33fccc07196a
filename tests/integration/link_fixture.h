/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "sts/sts_link.h"

/*
 * The worker's link and a service in a process of its own, for tests. Waits
 * are for a state, with a watchdog; the service dies with the test.
 */
typedef struct {
  GSubprocess *service;
  char *url;
  DubStsLink *link;
  DubStsLinkState state;
  char *error;        /* (nullable) the last reason why the link waits */
  GPtrArray *answers; /* of DubAnswer */
} LinkFixture;

/* argv starts a service that prints "listening on URL". FALSE when it says
 * that it cannot run here. */
gboolean link_fixture_init (LinkFixture *self, const char *const *argv);
void link_fixture_clear (LinkFixture *self);
gboolean link_fixture_start (LinkFixture *self, const char *const *argv);
void link_fixture_stop (LinkFixture *self, int signal);
void link_fixture_connect (
    LinkFixture *self, const char *api_key, gboolean force_m4a);

void link_fixture_wait_phase (LinkFixture *self, DubStsLinkPhase phase);
void link_fixture_wait_answers (LinkFixture *self, guint n);
const DubAnswer *link_fixture_answer (LinkFixture *self, guint index);

/* Every sample tells its place. (transfer full) */
DubPcm *link_fixture_make_pcm (guint seed, gsize frames);
/* 440 Hz at half of full scale: -9.03 dB. (transfer full) */
DubPcm *link_fixture_make_tone (gsize frames);
/* pcm (transfer full). The id of the fragment; (transfer full). */
char *link_fixture_send (LinkFixture *self, DubPcm *pcm);
