// SPDX-License-Identifier: Apache-2.0
// Where CPython 3.11 keeps its fields, by its own headers.
#define Py_BUILD_CORE 1
#include <Python.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>
#include <stddef.h>
#include <stdint.h>

uint32_t python311_offset(int field) {
  const uint32_t offsets[] = {
      offsetof(_PyRuntimeState, interpreters.head),
      offsetof(PyInterpreterState, next),
      offsetof(PyInterpreterState, threads.head),
      offsetof(PyThreadState, next),
      offsetof(PyThreadState, thread_id),
      offsetof(PyThreadState, cframe),
      1,
      offsetof(_PyCFrame, current_frame),
      offsetof(_PyInterpreterFrame, f_code),
      offsetof(_PyInterpreterFrame, previous),
      offsetof(_PyInterpreterFrame, prev_instr),
      offsetof(_PyInterpreterFrame, owner),
      offsetof(_PyInterpreterFrame, is_entry),
      1,
      offsetof(PyCodeObject, ob_base.ob_size),
      offsetof(PyCodeObject, co_firstlineno),
      offsetof(PyCodeObject, co_filename),
      offsetof(PyCodeObject, co_qualname),
      offsetof(PyCodeObject, co_linetable),
      offsetof(PyCodeObject, co_code_adaptive),
      sizeof(PyASCIIObject),
      sizeof(PyCompactUnicodeObject),
  };
  return field < (int)(sizeof(offsets) / sizeof(offsets[0])) ? offsets[field] : UINT32_MAX;
}
