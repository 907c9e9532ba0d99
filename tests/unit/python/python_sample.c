// SPDX-License-Identifier: Apache-2.0
// Has the symbols that an interpreter is known by, and nothing behind them.
typedef unsigned long long word;

#if defined(PYTHON_FUTURE)
const unsigned Py_Version = 0x030e00f0;
#elif defined(PYTHON_DAMAGED)
const unsigned Py_Version = 0x030d00f0;
#endif

word _PyRuntime[512] = {0x7970677562656478};  // "xdebugpy", and no offsets
word PyCode_Type[64];

int _PyEval_EvalFrameDefault(void) { return 0; }
