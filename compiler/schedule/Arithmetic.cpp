// A recursive-descent reader and a stack machine for integer expressions. Layer: schedule.
#include "compiler/schedule/Arithmetic.h"

#include "compiler/support/Names.h"

#include <limits>
#include <utility>

namespace sylvite::schedule {

namespace {
constexpr size_t kLongestExpression = 1000;
constexpr int kDeepestParentheses = 64;

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
} // namespace

class ArithmeticParser {
public:
  ArithmeticParser(std::string_view text, Arithmetic &result) : text(text), result(result) {}

  /// Text of the first error; empty when there is none. `position` then is where it is.
  std::string error;
  size_t position = 0;

  void run() {
    if (text.size() > kLongestExpression) {
      error = "an expression is longer than " + std::to_string(kLongestExpression) + " characters";
      return;
    }
    sum();
    skipSpaces();
    if (error.empty() && position < text.size())
      error = "expected an operator, found '" + std::string(text.substr(position)) + "'";
  }

private:
  void skipSpaces() {
    while (position < text.size() && (text[position] == ' ' || text[position] == '\t'))
      ++position;
  }

  char peek() {
    skipSpaces();
    return position < text.size() ? text[position] : '\0';
  }

  void emit(char code, int64_t number = 0) { result.program.push_back({code, number}); }

  void sum() {
    product();
    while (error.empty() && (peek() == '+' || peek() == '-')) {
      char code = text[position++];
      product();
      emit(code);
    }
  }

  void product() {
    factor();
    while (error.empty() && (peek() == '*' || peek() == '/' || peek() == '%')) {
      char code = text[position++];
      factor();
      emit(code);
    }
  }

  void factor() {
    char next = peek();
    if (!error.empty())
      return;
    if (isDigit(next))
      number();
    else if (next == '$')
      name();
    else if (next == '-' || next == '(')
      nested(next);
    else if (isLetter(next))
      bareWord();
    else
      error = next ? std::string("expected a number or $name, found '") + next + "'"
                   : std::string("expected a number or $name");
  }

  void nested(char opening) {
    if (++depth > kDeepestParentheses) {
      error = "an expression is nested more than " + std::to_string(kDeepestParentheses) + " deep";
      return;
    }
    ++position;
    if (opening == '-') {
      factor();
      emit('~');
    } else {
      sum();
      if (error.empty() && peek() != ')')
        error = "expected ')'";
      else if (error.empty())
        ++position;
    }
    --depth;
  }

  void number() {
    int64_t value = 0;
    for (; position < text.size() && isDigit(text[position]); ++position)
      if (__builtin_mul_overflow(value, int64_t(10), &value) ||
          __builtin_add_overflow(value, int64_t(text[position] - '0'), &value)) {
        error = "a number does not fit in 64 bits";
        return;
      }
    if (position < text.size() && (isLetter(text[position]) || text[position] == '.')) {
      error = "expected an integer, found '" + std::string(text) + "'";
      return;
    }
    emit('n', value);
  }

  std::string word() {
    size_t start = position;
    while (position < text.size() && (isLetter(text[position]) || isDigit(text[position])))
      ++position;
    return std::string(text.substr(start, position - start));
  }

  void name() {
    ++position;
    if (position >= text.size() || !isLetter(text[position])) {
      error = "expected a name after '$'";
      return;
    }
    emit('$', static_cast<int64_t>(result.symbols.size()));
    result.symbols.push_back(word());
  }

  void bareWord() {
    size_t start = position;
    std::string found = word();
    position = start;
    error = "expected a number, found '" + found + "' (a parameter is written '$" + found + "')";
  }

  std::string_view text;
  Arithmetic &result;
  int depth = 0;
};

std::optional<Arithmetic> Arithmetic::parse(std::string_view text, Location location, Diagnostics &diagnostics) {
  Arithmetic result;
  result.source = std::string(text);
  result.place = location;
  ArithmeticParser parser(text, result);
  parser.run();
  if (parser.error.empty())
    return result;
  if (location.column > 0)
    location.column += static_cast<int>(parser.position);
  diagnostics.error(std::move(location), parser.error);
  return std::nullopt;
}

std::optional<int64_t> Arithmetic::evaluate(const Values &values, std::string &error) const {
  std::vector<int64_t> stack;
  auto fail = [&](std::string text) {
    error = std::move(text);
    return std::nullopt;
  };
  for (const Instruction &instruction : program) {
    if (instruction.code == 'n') {
      stack.push_back(instruction.number);
      continue;
    }
    if (instruction.code == '$') {
      const std::string &symbol = symbols[static_cast<size_t>(instruction.number)];
      auto found = values.find(symbol);
      if (found == values.end())
        return fail("unknown name '$" + symbol + "'");
      stack.push_back(found->second);
      continue;
    }
    int64_t right = stack.back();
    stack.pop_back();
    int64_t left = 0;
    if (instruction.code != '~') {
      left = stack.back();
      stack.pop_back();
    }
    int64_t value = 0;
    bool overflow = false;
    switch (instruction.code) {
    case '~':
    case '-':
      overflow = __builtin_sub_overflow(left, right, &value);
      break;
    case '+':
      overflow = __builtin_add_overflow(left, right, &value);
      break;
    case '*':
      overflow = __builtin_mul_overflow(left, right, &value);
      break;
    default: // / and %
      if (right == 0)
        return fail("division by zero in '" + source + "'");
      if (right == -1) {
        if (instruction.code == '/')
          overflow = __builtin_sub_overflow(int64_t(0), left, &value);
        break;
      }
      int64_t quotient = left / right, remainder = left % right;
      if (remainder != 0 && (remainder < 0) != (right < 0)) {
        quotient -= 1;
        remainder += right;
      }
      value = instruction.code == '/' ? quotient : remainder;
    }
    if (overflow)
      return fail("the value of '" + source + "' does not fit in 64 bits");
    stack.push_back(value);
  }
  return stack.back();
}

std::optional<int64_t> Arithmetic::evaluate(const Values &values, Diagnostics &diagnostics) const {
  std::string error;
  std::optional<int64_t> value = evaluate(values, error);
  if (value)
    return value;
  std::vector<std::string> known;
  for (const auto &[name, number] : values)
    known.push_back(name);
  std::string hint;
  for (const std::string &symbol : symbols)
    if (!values.count(symbol)) {
      hint = didYouMean(symbol, known);
      break;
    }
  diagnostics.error(place, error, hint);
  return std::nullopt;
}

std::vector<std::string> Arithmetic::names() const { return symbols; }

} // namespace sylvite::schedule
