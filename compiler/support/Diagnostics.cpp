// Collecting, ordering and printing messages about a user's files. Layer: support.
#include "compiler/support/Diagnostics.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <tuple>
#include <utility>

namespace sylvite {

std::string Location::str() const {
  std::string result = file;
  if (line > 0) {
    if (!result.empty())
      result += ':';
    result += std::to_string(line);
    if (column > 0)
      result.append(1, ':').append(std::to_string(column));
  }
  return result;
}

std::string Message::str() const {
  std::string place = location.str();
  std::string result = place.empty() ? "" : place + ": ";
  result += severity == Severity::Error ? "error: " : "warning: ";
  result += text;
  if (!hint.empty())
    result += "\n  hint: " + hint;
  return result;
}

void Diagnostics::add(Message message) {
  if (!seen.insert(message.str()).second)
    return;
  if (message.severity == Severity::Error)
    ++errors;
  collected.push_back(std::move(message));
}

void Diagnostics::error(Location location, std::string text, std::string hint) {
  add({std::move(location), Severity::Error, std::move(text), std::move(hint)});
}

void Diagnostics::warning(Location location, std::string text, std::string hint) {
  add({std::move(location), Severity::Warning, std::move(text), std::move(hint)});
}

std::vector<Message> Diagnostics::messages() const {
  std::map<std::string, size_t> fileOrder;
  for (const Message &message : collected)
    fileOrder.emplace(message.location.file, fileOrder.size());
  std::vector<Message> sorted = collected;
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Message &a, const Message &b) {
    return std::make_tuple(fileOrder.at(a.location.file), a.location.line, a.location.column) <
           std::make_tuple(fileOrder.at(b.location.file), b.location.line, b.location.column);
  });
  return sorted;
}

void Diagnostics::print(std::ostream &out) const {
  for (const Message &message : messages())
    out << message.str() << '\n';
}

std::string Diagnostics::str() const {
  std::ostringstream out;
  print(out);
  return out.str();
}

} // namespace sylvite
