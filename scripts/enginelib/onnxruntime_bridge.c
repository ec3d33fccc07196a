/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands where sherpa-onnx looks for its ONNX Runtime (libonnxruntime.so, with
 * the version of the symbol that it was linked against) and hands on what a
 * newer one says, whose file this one needs. An ONNX Runtime knows every older
 * version of its interface (OrtApiBase::GetApi), so nothing else is between
 * them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct OrtApiBase OrtApiBase;
typedef const OrtApiBase *(*GetApiBase) (void);

const OrtApiBase *OrtGetApiBase (void);

const OrtApiBase *
OrtGetApiBase (void)
{
  /* ISO C has no way from a pointer to a function; POSIX has this one. */
  union {
    void *symbol;
    GetApiBase get;
  } newer = {dlsym (RTLD_NEXT, "OrtGetApiBase")};

  if (newer.symbol == NULL) {
    fputs ("libonnxruntime.so.1 has no OrtGetApiBase\n", stderr);
    abort ();
  }
  return newer.get ();
}
