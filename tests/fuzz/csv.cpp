// Fuzzes the CSV reader: the first byte of the input chooses what is wanted of the table.
#include "runtime/data/Csv.h"
#include "Fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  if (!size)
    return 0;
  syl_array input{}, target{};
  input.name = "input";
  target.name = "target";
  input.dtype = data[0] % 5;
  input.rank = 1;
  input.shape[0] = 1 + data[0] / 5 % 4;
  target.dtype = SYL_INT32;
  target.classes = data[0] & 64 ? 3 : 0;
  syl::CsvWanted wanted;
  if (data[0] < 200) {
    wanted.input = input;
    wanted.target = target;
  }
  wanted.targets = data[0] & 1;
  wanted.label = data[0] & 32 ? "2" : "";
  const std::string path = fuzz::fileOf(data + 1, size - 1);
  for (uint64_t limit : {uint64_t(1) << 20, uint64_t(0)})
    try {
      syl::CsvColumns columns = syl::openCsv(path, wanted, limit);
      syl::forEachWindow(*columns.input, [](int64_t, size_t, const char *) {});
    } catch (const syl::Error &) {
    }
  return 0;
}
