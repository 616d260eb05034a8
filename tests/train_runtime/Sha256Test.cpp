// SHA-256 against the examples of FIPS 180-4 and of NIST's test vectors. Layer: tests.
#include "runtime/data/Sha256.h"

#include <gtest/gtest.h>

namespace {

std::string hashOf(const std::string &text, size_t piece) {
  syl::Sha256 hash;
  for (size_t at = 0; at < text.size(); at += piece)
    hash.update(text.data() + at, std::min(piece, text.size() - at));
  return hash.finish();
}

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(hashOf("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hashOf("abc", 1), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hashOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 7),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, MillionBytesInAnyPieces) {
  for (size_t piece : {1, 63, 64, 65, 1000000})
    EXPECT_EQ(hashOf(std::string(1000000, 'a'), piece),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

} // namespace
