// Edit distance and identifiers. Layer: support.
#include "compiler/support/Names.h"

#include <algorithm>
#include <string>

namespace sylvite {

namespace {

/// Longer names are never suggested or looked up: the distance costs the product of the lengths.
constexpr size_t kLongestName = 256;

std::string fold(std::string_view name) {
  std::string result(name);
  for (char &c : result) {
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
    else if (c == '-')
      c = '_';
  }
  return result;
}

/// Damerau's distance in its restricted form ("optimal string alignment").
size_t editDistance(const std::string &a, const std::string &b) {
  std::vector<size_t> beforeLast, last(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({replace, last[j] + 1, current[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.size()];
}

/// True for C23's and C++20's keywords; generated headers are read by both languages.
bool isKeyword(std::string_view name) {
  static const char words[] =
      " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class "
      "co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype "
      "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline "
      "int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register "
      "reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch "
      "template this thread_local throw true try typedef typeid typename typeof typeof_unqual union unsigned using "
      "virtual void volatile wchar_t while xor xor_eq ";
  std::string wanted = " ";
  wanted.append(name).append(" ");
  return std::string_view(words).find(wanted) != std::string_view::npos;
}

} // namespace

std::optional<std::string> nearestName(std::string_view name, const std::vector<std::string> &candidates) {
  if (name.empty() || name.size() > kLongestName)
    return std::nullopt;
  std::string wanted = fold(name);
  std::optional<std::string> best;
  size_t bestDistance = 0;
  for (const std::string &candidate : candidates) {
    if (candidate.empty() || candidate.size() > kLongestName)
      continue;
    size_t distance = editDistance(wanted, fold(candidate));
    size_t allowed = (std::max(wanted.size(), candidate.size()) + 2) / 3;
    // A name that shares nothing with the candidate (x for c) is no misspelling of it.
    if (distance > allowed || distance >= std::max(wanted.size(), candidate.size()))
      continue;
    if (!best || distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

std::string didYouMean(std::string_view name, const std::vector<std::string> &candidates) {
  std::optional<std::string> nearest = nearestName(name, candidates);
  return nearest ? "did you mean '" + *nearest + "'?" : "";
}

bool isCIdentifier(std::string_view name) {
  auto isLetter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || !isLetter(name.front()))
    return false;
  if (!std::all_of(name.begin(), name.end(), [&](char c) { return isLetter(c) || (c >= '0' && c <= '9'); }))
    return false;
  return !isKeyword(name);
}

} // namespace sylvite
