/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The names of the events on the wire, as the field knows them. Worker means
 * media-worker, service means sts-service; the arrow is the way of the event.
 */

#define DUB_EVENT_STREAM_INIT "stream:init"         /* worker -> service */
#define DUB_EVENT_STREAM_READY "stream:ready"       /* service -> worker */
#define DUB_EVENT_STREAM_PAUSE "stream:pause"       /* worker -> service */
#define DUB_EVENT_STREAM_RESUME "stream:resume"     /* worker -> service */
#define DUB_EVENT_STREAM_END "stream:end"           /* worker -> service */
#define DUB_EVENT_STREAM_COMPLETE "stream:complete" /* service -> worker */
#define DUB_EVENT_FRAGMENT_DATA "fragment:data"     /* worker -> service */
#define DUB_EVENT_FRAGMENT_ACK "fragment:ack"       /* both ways */
#define DUB_EVENT_FRAGMENT_PROCESSED                                           \
  "fragment:processed"                        /* service -> worker */
#define DUB_EVENT_BACKPRESSURE "backpressure" /* service -> worker */
#define DUB_EVENT_BACKPRESSURE_STATE                                           \
  "backpressure:state"          /* an old spelling                             \
                                 */
#define DUB_EVENT_ERROR "error" /* service -> worker */

/* Echo mode only: they make a test's life hard on purpose. */
#define DUB_EVENT_ERROR_SIMULATION "config:error_simulation"
#define DUB_EVENT_ERROR_SIMULATION_ACK "config:error_simulation:ack"
#define DUB_EVENT_SIMULATE_DISCONNECT "simulate:disconnect"
#define DUB_EVENT_SIMULATE_DISCONNECT_ACK "simulate:disconnect:ack"
