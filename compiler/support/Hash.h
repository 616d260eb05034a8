// A stable hash: the same text gives the same name in every process, on every machine. Layer: support.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sylvite {

/// SHA-256 of the bytes of `text`, as 64 lower-case hexadecimal digits (FIPS 180-4).
std::string sha256Hex(std::string_view text);

/// SHA-256 of a list of texts, as 64 hexadecimal digits. Each text is preceded by its length, so that {"ab", "c"} and
/// {"a", "bc"} differ.
std::string sha256Hex(const std::vector<std::string> &texts);

} // namespace sylvite
