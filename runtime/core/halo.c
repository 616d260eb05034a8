/* Zeroing the halo of padded images. Layer: runtime/core. */
#include "internal.h"
#include <string.h>

/* What lies between two interior rows in memory is one run: the end of a row with the start of the next. */
void syl_zero_halo(void *blocks, int32_t count, const syl_halo *halo) {
  const size_t pixel = (size_t)halo->pixel_bytes, row = (size_t)halo->extent[0] * pixel,
               plane = (size_t)halo->extent[1] * row, block = (size_t)halo->extent[2] * plane;
  const size_t inside = (size_t)halo->size[0] * pixel;
  char *start = blocks; /* of the run to zero */
  for (int32_t i = 0; i < count; ++i) {
    char *first = (char *)blocks + (size_t)i * block + (size_t)halo->before[2] * plane + (size_t)halo->before[1] * row +
                  (size_t)halo->before[0] * pixel;
    for (int32_t z = 0; z < halo->size[2]; ++z)
      for (int32_t y = 0; y < halo->size[1]; ++y) {
        char *interior = first + (size_t)z * plane + (size_t)y * row;
        if (interior > start)
          memset(start, 0, (size_t)(interior - start));
        start = interior + inside;
      }
  }
  char *end = (char *)blocks + (size_t)count * block;
  if (count > 0 && end > start)
    memset(start, 0, (size_t)(end - start));
}
