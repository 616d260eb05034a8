// Fuzzes the loading of checkpoints into a small network. A file whose seal is wrong is loaded again with the seal
// taken off its name, so that what follows the check is reached.
#include "runtime/train/Checkpoint.h"
#include "Fuzz.h"
#include "ToyModel.h"
#include "runtime/train/Session.h"

#include <algorithm>
#include <cstring>
#include <vector>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  static toy::Model model;
  static syl::Session session(*model.get(), 1);
  static bool ready = (session.init(1), true);
  (void)ready;
  std::vector<char> before(session.state.get(), session.state.get() + session.state.size());
  auto load = [&](const std::vector<uint8_t> &bytes, bool position) {
    try {
      syl::Progress progress;
      syl::loadCheckpoint(fuzz::fileOf(bytes.data(), bytes.size()), *model.get(), session.state.get(),
                          position ? &progress : nullptr);
      std::memcpy(session.state.get(), before.data(), before.size());
    } catch (const syl::Error &) {
      if (std::memcmp(session.state.get(), before.data(), before.size()) != 0)
        __builtin_trap(); // a refused file must leave the state as it was
    }
  };
  std::vector<uint8_t> bytes(data, data + size);
  load(bytes, true);
  for (const char *word : {"sha256", "sylvite"})
    for (auto at = bytes.begin(); (at = std::search(at, bytes.end(), word, word + std::strlen(word))) != bytes.end();)
      *at = 'x';
  load(bytes, false);
  return 0;
}
