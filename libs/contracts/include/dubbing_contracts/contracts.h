/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Everything that media-worker and sts-service say to each other, as plain C
 * values with JSON both ways. events.h has the names, limits.h the limits,
 * wire_error.h the codes; the rest is one header per group of events.
 */
#include <dubbing_contracts/audio.h>
#include <dubbing_contracts/backpressure.h>
#include <dubbing_contracts/events.h>
#include <dubbing_contracts/fragment.h>
#include <dubbing_contracts/limits.h>
#include <dubbing_contracts/simulation.h>
#include <dubbing_contracts/stream.h>
#include <dubbing_contracts/wire_error.h>
