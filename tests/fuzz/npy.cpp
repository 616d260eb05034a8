// Fuzzes the .npy and .npz readers: an input that starts as a ZIP archive is one.
#include "runtime/data/Npy.h"
#include "Fuzz.h"
#include "runtime/data/Bag.h"

namespace {
void readAll(const syl::ColumnPointer &column) {
  if (column->count() <= INT32_MAX)
    syl::forEachWindow(*column, [](int64_t, size_t, const char *) {});
}
} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  const std::string path = fuzz::fileOf(data, size);
  try {
    if (size && data[0] == 'P') {
      syl::Bag bag = syl::openNpz(path);
      for (size_t i = 0; i < bag.names.size() && i < 8; ++i)
        try {
          readAll(bag.open(bag.names[i], nullptr));
        } catch (const syl::Error &) {
        }
      return 0;
    }
    readAll(syl::openNpy(path));
    readAll(syl::openNpy(path, 0));
  } catch (const syl::Error &) {
  }
  return 0;
}
