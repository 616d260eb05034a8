// Fuzzes the IDX reader, plain and gzipped, whole and by row.
#include "runtime/data/Idx.h"
#include "Fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  const std::string path = fuzz::fileOf(data, size);
  for (uint64_t limit : {uint64_t(1) << 20, uint64_t(0)})
    try {
      syl::ColumnPointer column = syl::openIdx(path, limit);
      if (column->count() <= INT32_MAX)
        syl::forEachWindow(*column, [](int64_t, size_t, const char *) {});
    } catch (const syl::Error &) {
    }
  return 0;
}
