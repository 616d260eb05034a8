// Writes small Halide kernels, compiled as Sylvite's are (no_runtime, user_context), for the test of the runtime's
// callbacks: one with a temporary on the heap and a parallel loop, one that fails, one that prints. Layer: tests.
//
//   runtime_test_kernels DIR    leaves test_blur, test_require and test_print as .o and .h
#include <Halide.h>
#include <iostream>
#include <string>

using namespace Halide;

static void write(Func function, std::vector<Argument> arguments, const std::string &folder) {
  Target target("x86-64-linux-no_runtime-user_context");
  std::string base = folder + "/" + function.name();
  function.compile_to({{OutputFileType::object, base + ".o"}, {OutputFileType::c_header, base + ".h"}}, arguments,
                      function.name(), target);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: runtime_test_kernels DIR\n";
    return 1;
  }
  Var x("x"), y("y");
  ImageParam input(Float(32), 2, "input");

  Func rows("rows"), blur("test_blur");
  rows(x, y) = input(x, y) + input(x + 1, y);
  blur(x, y) = rows(x, y) + rows(x, y + 1);
  rows.compute_root().store_in(MemoryType::Heap).parallel(y);
  blur.parallel(y);
  write(blur, {input}, argv[1]);

  Func checked("test_require");
  checked(x, y) = require(input(x, y) >= 0.f, input(x, y), "negative input");
  write(checked, {input}, argv[1]);

  Func printed("test_print");
  printed(x, y) = print(input(x, y), "<- printed by a kernel");
  write(printed, {input}, argv[1]);
  return 0;
}
