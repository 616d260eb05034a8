// Fuzzes the PNG and JPEG path: header, decoding to color and gray, resizing.
#include "runtime/data/Image.h"
#include "Fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  const std::string path = fuzz::fileOf(data, size);
  try {
    syl::ImageSize header = syl::readImageSize(path);
    syl::Image color = syl::decodeImage(path, 3);
    if (color.width != header.width || color.height != header.height)
      __builtin_trap();
    if (color.width * color.height < 1 << 16) {
      syl::resizeImage(color, 7, 5);
      syl::decodeImage(path, 1);
    }
  } catch (const syl::Error &) {
  }
  return 0;
}
