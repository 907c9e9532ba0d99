// SPDX-License-Identifier: Apache-2.0
// Statically linked: no dynamic loader, and no way to tell from its libraries what it contains.
int main(void) { return 5; }
