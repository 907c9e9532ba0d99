// SPDX-License-Identifier: Apache-2.0
// t_cancel as a C++ program: the unwinder is mapped from the start and runs destructors.
#include "t_cancel.c"
