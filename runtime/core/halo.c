/* Zeroing the halo of padded images. Layer: runtime/core. */
#include "internal.h"
#include <string.h>

/* images: [count, rows, cols] pixels of pixel_bytes bytes. What lies between two interiors in memory is one run: the
 * end of a row with the start of the next. */
void syl_zero_halo(void *images, int32_t count, int32_t rows, int32_t cols, int32_t top, int32_t left, int32_t height,
                   int32_t width, int64_t pixel_bytes) {
  const size_t pixel = (size_t)pixel_bytes, row = (size_t)cols * pixel, image = (size_t)rows * row;
  const size_t inside = (size_t)width * pixel;
  char *start = images; /* of the run to zero */
  for (int32_t i = 0; i < count; ++i) {
    char *first = (char *)images + (size_t)i * image + (size_t)top * row + (size_t)left * pixel;
    for (int32_t y = 0; y < height; ++y) {
      char *interior = first + (size_t)y * row;
      if (interior > start)
        memset(start, 0, (size_t)(interior - start));
      start = interior + inside;
    }
  }
  char *end = (char *)images + (size_t)count * image;
  if (count > 0 && end > start)
    memset(start, 0, (size_t)(end - start));
}
