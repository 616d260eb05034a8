//===- Object.cpp - one relocatable object from driver and kernels ------------------------------------------------===//
#include "compiler/codegen/Files.h"

#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"

namespace fs = std::filesystem;

namespace sylvite::codegen {
namespace {

/// Runs the first of `names` that is installed. Returns an empty text, or what went wrong.
std::string run(llvm::ArrayRef<const char *> names, const std::vector<std::string> &arguments) {
  for (const char *name : names) {
    llvm::ErrorOr<std::string> program = llvm::sys::findProgramByName(name);
    if (!program)
      continue;
    std::vector<llvm::StringRef> all{*program};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::string error;
    int status = llvm::sys::ExecuteAndWait(*program, all, std::nullopt, {}, 0, 0, &error);
    if (status)
      return std::string(name) + " failed with status " + std::to_string(status) + (error.empty() ? "" : ": " + error);
    return "";
  }
  return std::string("none of the programs is installed: ") + names[0];
}

} // namespace

std::string joinObject(llvm::ArrayRef<Plan> versions, llvm::ArrayRef<fs::path> drivers, const fs::path &object) {
  fs::path joined = object.string() + ".joined.tmp";
  std::vector<std::string> arguments{"-r", "-o", joined.string()};
  for (const fs::path &driver : drivers)
    arguments.push_back(driver.string());
  for (const Plan &plan : versions)
    for (const CompiledKernel &kernel : plan.kernels)
      arguments.push_back(kernel.object.string());
  std::string error = run({"ld.lld-22", "ld.lld", "ld"}, arguments);
  fs::path kept = object.string() + ".tmp";
  if (error.empty()) {
    arguments = {"--strip-debug", "--wildcard", "--keep-global-symbol=" + versions.front().net + "_*", joined.string(),
                 kept.string()};
    error = run({"llvm-objcopy-22", "llvm-objcopy", "objcopy"}, arguments);
  }
  std::error_code code;
  fs::remove(joined, code);
  if (error.empty()) {
    fs::rename(kept, object, code);
    if (code)
      error = code.message();
  } else {
    fs::remove(kept, code);
  }
  return error;
}

std::string writeArchive(const fs::path &object, const fs::path &archive) {
  llvm::Expected<llvm::NewArchiveMember> member =
      llvm::NewArchiveMember::getFile(object.string(), /*Deterministic=*/true);
  if (!member)
    return llvm::toString(member.takeError());
  std::string name = object.filename().string();
  member->MemberName = name;
  std::vector<llvm::NewArchiveMember> members;
  members.push_back(std::move(*member));
  if (llvm::Error error = llvm::writeArchive(archive.string(), members, llvm::SymtabWritingMode::NormalSymtab,
                                             llvm::object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false))
    return llvm::toString(std::move(error));
  return "";
}

} // namespace sylvite::codegen
