//===- Files.h - the files that a compilation leaves --------------------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_FILES_H
#define SYLVITE_CODEGEN_FILES_H

#include "compiler/codegen/Program.h"

#include <filesystem>
#include <string>

namespace sylvite::codegen {

/// Joins driver and kernels into one relocatable object that exports only the net's own names. Returns an empty text,
/// or what went wrong.
std::string joinObject(const Plan &plan, const std::filesystem::path &driver, const std::filesystem::path &object);
/// A static library with one member. Returns an empty text, or what went wrong.
std::string writeArchive(const std::filesystem::path &object, const std::filesystem::path &archive);

/// `<net>.h`.
std::string headerText(const Plan &plan);
/// `<net>.json`: tensors, memory plan, kernels with their schedules, target.
std::string manifestText(const Plan &plan);
/// For --explain: every kernel with its rule and parameters, every buffer with its offset, size, life and neighbours.
std::string explain(const Plan &plan);

} // namespace sylvite::codegen

#endif
