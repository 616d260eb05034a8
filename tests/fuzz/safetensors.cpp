// Fuzzes the safetensors reader, as a data set and as a file to load.
#include "runtime/data/Safetensors.h"
#include "Fuzz.h"
#include "runtime/data/Bag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  const std::string path = fuzz::fileOf(data, size);
  try {
    syl::SafetensorsFile(path).load();
  } catch (const syl::Error &) {
  }
  try {
    syl::Bag bag = syl::openSafetensors(path);
    for (size_t i = 0; i < bag.names.size() && i < 8; ++i)
      try {
        syl::ColumnPointer column = bag.open(bag.names[i], nullptr);
        if (column->count() <= INT32_MAX)
          syl::forEachWindow(*column, [](int64_t, size_t, const char *) {});
      } catch (const syl::Error &) {
      }
  } catch (const syl::Error &) {
  }
  return 0;
}
