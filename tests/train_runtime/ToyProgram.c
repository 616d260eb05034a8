/* The two lines that the compiler command writes for a network, here for the toy model. */
#include "sylvite/train.h"

const syl_model *toyModel(void);

int main(int argc, char **argv) { return syl_main(toyModel(), argc, argv); }
