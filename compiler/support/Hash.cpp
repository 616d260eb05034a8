// SHA-256 by way of LLVM's implementation. Layer: support.
#include "compiler/support/Hash.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

namespace sylvite {

namespace {
std::string finish(llvm::SHA256 &hash) {
  auto digest = hash.final();
  return llvm::toHex(llvm::ArrayRef<uint8_t>(digest.data(), digest.size()), /*LowerCase=*/true);
}
} // namespace

std::string sha256Hex(std::string_view text) {
  llvm::SHA256 hash;
  hash.update(llvm::StringRef(text.data(), text.size()));
  return finish(hash);
}

std::string sha256Hex(const std::vector<std::string> &texts) {
  llvm::SHA256 hash;
  for (const std::string &text : texts) {
    hash.update(llvm::StringRef(std::to_string(text.size()) + ":"));
    hash.update(llvm::StringRef(text));
  }
  return finish(hash);
}

} // namespace sylvite
