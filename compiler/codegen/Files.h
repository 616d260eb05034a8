//===- Files.h - the files that a compilation leaves --------------------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_FILES_H
#define SYLVITE_CODEGEN_FILES_H

#include "compiler/codegen/Program.h"

#include <filesystem>
#include <string>

namespace sylvite::codegen {

/// Joins drivers and the kernels of all versions of a network into one relocatable object that exports only the net's
/// own names. Returns an empty text, or what went wrong.
std::string joinObject(llvm::ArrayRef<Plan> versions, llvm::ArrayRef<std::filesystem::path> drivers,
                       const std::filesystem::path &object);
/// A static library with one member. Returns an empty text, or what went wrong.
std::string writeArchive(const std::filesystem::path &object, const std::filesystem::path &archive);

/// `<net>.h`, the same for each version of a network; `target` is what it was compiled for.
std::string headerText(const Plan &plan, const std::string &target);
/// `<net>.json`: tensors, memory plan, kernels with their schedules, target; of several versions a list of these.
std::string manifestText(llvm::ArrayRef<Plan> versions, const std::string &target);
/// For --explain: every kernel with its rule and parameters, every buffer with its offset, size, life and neighbours.
std::string explain(const Plan &plan);

} // namespace sylvite::codegen

#endif
