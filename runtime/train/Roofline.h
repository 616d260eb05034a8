// Where each kernel stands between its machine's roofs, and a picture of that. Layer: runtime/train.
#pragma once

#include "runtime/train/Machine.h"
#include "runtime/train/Profile.h"

#include <string>
#include <vector>

namespace syl {

/// A kernel's rates and its share of what the machine could do. Source: Williams, Waterman, Patterson: Roofline (2009).
struct KernelRow {
  std::string name, rule;
  int32_t tasks = 0;
  double ms = 0, threads = 1;
  double gflops = 0, gbytes = 0; ///< per second
  double intensity = 0;          ///< operations a byte
  double share = 0;              ///< least possible time by this one; 1 is the roof
  std::string bound;             ///< what the least possible time is made of: compute, or the memory level
};

/// The rows of a program's kernels, in the order of the step. `full`: share of the compiled batch that a step had. The
/// least possible time is that of the operations, or that of the bytes where this is longer: those of a slice's own
/// values at the level that holds a slice's, the others at the level that holds all of them.
std::vector<KernelRow> rooflineRows(const std::vector<KernelTime> &times, const Machine &machine, double full);

/// Writes the roofline picture (log-log, SVG): a line for each level of memory, one for the multiply-adds, a disk for
/// each kernel with its share of the step as area, the heaviest numbered. Throws Error (SYL_ERROR_IO).
void writeRoofline(const std::string &path, const std::string &title, const Machine &machine,
                   const std::vector<KernelRow> &rows);

} // namespace syl
