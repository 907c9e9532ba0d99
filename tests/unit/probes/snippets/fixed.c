// SPDX-License-Identifier: Apache-2.0
// Makes the snippets a program at a fixed address, with what gcc makes of a switch and of labels
// there: tables of absolute addresses that no relocation tells of.
__attribute__((noinline)) int external(int value) { return value; }

int absolute_switch(int value) {
  switch (value) {
    case 0:
      return external(7);
    case 1:
      return external(value) + 5;
    case 2:
      return 31;
    case 3:
      return external(external(2)) * 3;
    case 4:
      return 1;
    case 5:
      return external(9) - value;
    default:
      return 0;
  }
}

int absolute_labels(const unsigned char* code) {
  static const void* const labels[] = {&&add, &&multiply, &&stop};
  int value = 0;
  goto* labels[*code];
add:
  value += external(*code);
  goto* labels[*++code];
multiply:
  value *= external(value);
  goto* labels[*++code];
stop:
  return value;
}

int main(int argc, char** argv) {
  return absolute_switch(argc) + absolute_labels((const unsigned char*)argv[0]);
}
