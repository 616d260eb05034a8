// Writes Halide's standalone runtime as an object for any x86-64, which becomes a part of libsylvite_rt: kernels are
// compiled with no_runtime and find it there. Runs while Sylvite is built. Layer: runtime/core.
//
//   sylvite_halide_runtime halide_runtime.o
#include <Halide.h>
#include <iostream>

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: sylvite_halide_runtime OBJECT\n";
    return 1;
  }
  try {
    Halide::Target target("x86-64-linux-user_context");
    Halide::compile_standalone_runtime({{Halide::OutputFileType::object, argv[1]}}, target);
  } catch (const Halide::Error &error) {
    std::cerr << "sylvite_halide_runtime: error: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
