//===- Attributes.cpp - a layer's attributes as MLIR attributes ---------------------------------------------------===//
#include "compiler/frontend/Attributes.h"

#include "compiler/support/Names.h"

#include <algorithm>

namespace sylvite {

using yaml::Node;

namespace {

/// How a window's attribute is written along 1, 2 or 3 axes, and padding on their sides.
struct AxesForm {
  size_t axes;
  const char *perAxis; ///< in examples
  const char *several; ///< in messages
  const char *sides;   ///< padding of each side
};
const AxesForm oneAxis = {1, "[W]", "[W]", "a pair [before, after]"};
const AxesForm twoAxes = {2, "[H, W]", "a pair [H, W]", "[top, bottom, left, right]"};
const AxesForm threeAxes = {3, "[D, H, W]", "[D, H, W]", "[front, back, top, bottom, left, right]"};

class AttributeReader {
public:
  AttributeReader(const Node &node, const std::string &what, mlir::MLIRContext &context, ValueReader &reader)
      : node(node), what(what), context(context), reader(reader) {}

  mlir::Attribute whole(int64_t least) {
    auto value = reader.whole(node, what, least, nn::maxDimension);
    return value ? mlir::IntegerAttr::get(mlir::IntegerType::get(&context, 64), *value) : nullptr;
  }
  mlir::Attribute flag() {
    auto value = reader.flag(node, what);
    return value ? mlir::BoolAttr::get(&context, *value) : nullptr;
  }
  mlir::Attribute number() {
    auto value = reader.number(node, what);
    return value ? mlir::FloatAttr::get(mlir::Float64Type::get(&context), *value) : nullptr;
  }
  mlir::Attribute word(const std::vector<std::string> &words) {
    auto value = reader.word(node, what, words);
    return value ? mlir::StringAttr::get(&context, *value) : nullptr;
  }
  mlir::Attribute wholes(int64_t least);
  mlir::Attribute numbers();
  mlir::Attribute extents(const AxesForm &form);
  mlir::Attribute padding(const AxesForm &form);

private:
  bool isList() const { return node.kind == Node::Kind::Sequence; }
  /// A text that is neither number nor flag.
  bool isText() const { return node.kind == Node::Kind::Scalar && ValueReader::describe(node) != node.text; }
  /// The numbers of a list, or the one number; nothing after a message.
  std::optional<llvm::SmallVector<int64_t>> readWholes(int64_t least);
  /// Reports a value of another form than `expected`.
  mlir::Attribute wrong(const std::string &expected, std::string hint = "") {
    std::string found = isList() ? "a list of " + std::to_string(node.items.size()) : ValueReader::describe(node);
    reader.error(node, what + " must be " + expected + ", found " + found, std::move(hint));
    return nullptr;
  }
  mlir::Attribute array(llvm::ArrayRef<int64_t> values) { return mlir::DenseI64ArrayAttr::get(&context, values); }

  const Node &node;
  const std::string &what;
  mlir::MLIRContext &context;
  ValueReader &reader;
};

std::optional<llvm::SmallVector<int64_t>> AttributeReader::readWholes(int64_t least) {
  llvm::SmallVector<int64_t> values;
  bool valid = true;
  auto readOne = [&](const Node &item) {
    auto value = reader.whole(item, what, least, nn::maxDimension);
    valid &= value.has_value();
    values.push_back(value.value_or(0));
  };
  if (!isList())
    readOne(node);
  for (const yaml::NodeRef &item : node.items)
    readOne(*item);
  return valid ? std::optional(values) : std::nullopt;
}

mlir::Attribute AttributeReader::wholes(int64_t least) {
  if (!isList() && node.kind != Node::Kind::Scalar)
    return wrong("a whole number or a list of them");
  auto values = readWholes(least);
  return values ? array(*values) : nullptr;
}

mlir::Attribute AttributeReader::numbers() {
  llvm::SmallVector<double> values;
  bool valid = true;
  auto readOne = [&](const Node &item) {
    auto value = reader.number(item, what);
    valid &= value.has_value();
    values.push_back(value.value_or(0));
  };
  if (!isList())
    readOne(node);
  for (const yaml::NodeRef &item : node.items)
    readOne(*item);
  return valid ? mlir::DenseF64ArrayAttr::get(&context, values) : nullptr;
}

mlir::Attribute AttributeReader::extents(const AxesForm &form) {
  if (isList() ? node.items.size() != form.axes : node.kind != Node::Kind::Scalar)
    return wrong(std::string("a number or ") + form.several);
  auto values = readWholes(1);
  if (!values)
    return nullptr;
  if (!isList())
    values->assign(form.axes, values->front());
  return array(*values);
}

mlir::Attribute AttributeReader::padding(const AxesForm &form) {
  if (node.kind == Node::Kind::Scalar && (node.text == "same" || node.text == "valid"))
    return mlir::StringAttr::get(&context, node.text);
  size_t count = isList() ? node.items.size() : 1, sides = 2 * form.axes;
  bool fits =
      isList() ? count == sides || (count == form.axes && count > 1) : node.kind == Node::Kind::Scalar && !isText();
  if (!fits)
    return wrong(std::string("a number, ") + (form.axes > 1 ? form.several + std::string(", ") : "") + form.sides +
                     ", same or valid",
                 isText() ? didYouMean(node.text, {"same", "valid"}) : "");
  auto values = readWholes(0);
  if (!values)
    return nullptr;
  llvm::SmallVector<int64_t> result;
  for (size_t side = 0; side < sides; ++side)
    result.push_back((*values)[count == sides ? side : count == 1 ? 0 : side / 2]);
  return array(result);
}

} // namespace

mlir::Attribute readAttribute(const Node &node, const LayerAttribute &attribute, const std::string &what,
                              mlir::MLIRContext &context, ValueReader &reader) {
  AttributeReader values(node, what, context, reader);
  switch (attribute.type) {
  case AttributeType::Count:
    return values.whole(1);
  case AttributeType::Counts:
    return values.wholes(1);
  case AttributeType::Integer:
    return values.whole(-nn::maxDimension);
  case AttributeType::Integers:
    return values.wholes(-nn::maxDimension);
  case AttributeType::Single:
    return values.extents(oneAxis);
  case AttributeType::Pair:
    return values.extents(twoAxes);
  case AttributeType::Triple:
    return values.extents(threeAxes);
  case AttributeType::Padding1:
    return values.padding(oneAxis);
  case AttributeType::Padding:
    return values.padding(twoAxes);
  case AttributeType::Padding3:
    return values.padding(threeAxes);
  case AttributeType::Flag:
    return values.flag();
  case AttributeType::Number:
    return values.number();
  case AttributeType::Numbers:
    return values.numbers();
  case AttributeType::Word:
    return values.word(attribute.words);
  }
  llvm_unreachable("every attribute type is read");
}

std::string placeholder(const LayerAttribute &attribute) {
  switch (attribute.type) {
  case AttributeType::Counts:
  case AttributeType::Integers:
  case AttributeType::Numbers:
    return "[NUMBER, ...]";
  case AttributeType::Pair:
    return std::string("NUMBER or ") + twoAxes.perAxis;
  case AttributeType::Triple:
    return std::string("NUMBER or ") + threeAxes.perAxis;
  case AttributeType::Flag:
    return "true or false";
  case AttributeType::Word: {
    std::string text;
    for (const std::string &word : attribute.words)
      text += (text.empty() ? "" : " or ") + word;
    return text;
  }
  default:
    return "NUMBER";
  }
}

} // namespace sylvite
