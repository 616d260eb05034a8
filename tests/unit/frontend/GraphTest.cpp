// Graphs: from, blocks, inputs, shared and frozen parameters, initial distributions, several losses, warnings.
#include "TestNetwork.h"

#include <cmath>

namespace sylvite::test {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Names of the network's ops but its variables, in order.
static std::vector<std::string> layersOf(Network &net) {
  std::vector<std::string> names;
  for (mlir::Operation &op : net.network().getBody().front())
    if (auto name = mlir::dyn_cast<mlir::NameLoc>(op.getLoc());
        name && mlir::isa<nn::LayerOpInterface>(op) && op.getName().getStringRef() != "nn.cross_entropy")
      names.push_back(name.getName().str());
  return names;
}

static std::vector<std::string> variablesOf(Network &net) {
  std::vector<std::string> names;
  for (nn::VariableOp op : net.network().getBody().getOps<nn::VariableOp>())
    names.push_back(op.getName().str());
  return names;
}

static nn::VariableOp variable(Network &net, const std::string &name) {
  for (nn::VariableOp op : net.network().getBody().getOps<nn::VariableOp>())
    if (op.getName() == name)
      return op;
  ADD_FAILURE() << "no variable " << name;
  return nullptr;
}

/// The op of the layer of this name.
static mlir::Operation *layerOp(Network &net, const std::string &name) {
  for (mlir::Operation &op : net.network().getBody().front())
    if (auto place = mlir::dyn_cast<mlir::NameLoc>(op.getLoc());
        place && place.getName() == name && mlir::isa<nn::LayerOpInterface>(op))
      return &op;
  ADD_FAILURE() << "no layer " << name;
  return nullptr;
}

TEST(Graph, FromNamesAnEarlierValue) {
  Network net(around("  - conv2d: {name: a, filters: 1, kernel: 1}\n"
                     "  - conv2d: {name: b, from: input, filters: 2, kernel: 1}\n"
                     "  - relu: {from: a}\n"
                     "  - flatten: {from: [relu_1]}\n"
                     "  - linear: {name: head, units: 2}\n"
                     "  - flatten: {name: flat, from: b}\n"
                     "  - linear: {units: 2}\n"));
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(layerOp(net, "b")->getOperand(0), layerOp(net, "a")->getOperand(0));
  EXPECT_EQ(layerOp(net, "relu_1")->getOperand(0), layerOp(net, "a")->getResult(0));
  EXPECT_EQ(layerOp(net, "flat")->getOperand(0), layerOp(net, "b")->getResult(0));
  EXPECT_EQ(net.first<nn::CrossEntropyOp>().getLogits(), layerOp(net, "linear_2")->getResult(0));
  EXPECT_EQ(net.errors(), "net.yaml:8:5: warning: linear 'head': nothing uses its output\n");
}

TEST(Graph, SeveralInputs) {
  Network net(
      "name: net\ninputs:\n  image: {shape: [4, 4, 3], dtype: uint8}\n  meta: {shape: [7], dtype: int32}\n"
      "preprocess: {image: [normalize: {divide: 255}]}\n"
      "network:\n  - flatten: {from: image}\n  - linear: {units: 2}\n  - linear: {name: other, from: meta, units: "
      "3}\n"
      "loss: [{cross_entropy: {from: linear_1}}, {cross_entropy: {from: other, target: b}}]\noptimizer: sgd\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_THAT(net.lines<nn::InputOp>(), ElementsAre("nn.input {nn.name = \"image\"} : tensor<64x4x4x3xui8, \"batch\">",
                                                    "nn.input {nn.name = \"meta\"} : tensor<64x7xi32, \"batch\">"));
  EXPECT_EQ(net.lines<nn::NormalizeOp>().size(), 1u);
  EXPECT_EQ(layerOp(net, "flatten_1")->getOperand(0), net.first<nn::NormalizeOp>().getResult());
  EXPECT_EQ(net.errors(), "");
}

TEST(Graph, LayersOfSeveralValues) {
  Network net("name: net\ninputs: {a: {shape: [4, 6]}, b: {shape: [4, 6]}, c: {shape: [1, 6]}, d: {shape: [7, 6]}}\n"
              "network:\n  - add: {name: three, from: [a, b, a]}\n  - subtract: {name: row, from: [three, c]}\n"
              "  - multiply: {name: product, from: [row, b]}\n  - concat: {name: long, from: [product, d], axis: 0}\n"
              "  - attention: {name: mixed, heads: 2, from: [product, d, d]}\n"
              "  - concat: {name: wide, from: [mixed, product]}\n  - concat: {name: all, from: [wide, wide]}\n"
              "  - flatten: {name: flat, from: all}\n  - flatten: {name: rest, from: long}\n"
              "  - concat: {name: both, from: [flat, rest]}\n  - linear: 2\nloss: cross_entropy\noptimizer: sgd\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(net.errors(), "");
  auto shape = [&](const std::string &name) {
    auto sizes = mlir::cast<mlir::RankedTensorType>(layerOp(net, name)->getResult(0).getType()).getShape();
    return std::vector<int64_t>(sizes.begin() + 1, sizes.end());
  };
  auto operands = [&](const std::string &name) {
    auto all = layerOp(net, name)->getOperands();
    return std::vector<mlir::Value>(all.begin(), all.end());
  };
  mlir::Value a = operands("three")[0], b = operands("three")[1], d = operands("long")[1];
  EXPECT_NE(a, b);
  EXPECT_THAT(operands("three"), ElementsAre(a, b, a));
  EXPECT_EQ(operands("row")[0], layerOp(net, "three")->getResult(0));
  EXPECT_THAT(operands("product"), ElementsAre(layerOp(net, "row")->getResult(0), b));
  EXPECT_THAT(operands("mixed"), ElementsAre(layerOp(net, "product")->getResult(0), d, d));
  EXPECT_THAT(shape("row"), ElementsAre(4, 6));
  EXPECT_THAT(shape("long"), ElementsAre(11, 6));
  EXPECT_THAT(shape("mixed"), ElementsAre(4, 6));
  EXPECT_THAT(shape("wide"), ElementsAre(4, 12));
  EXPECT_THAT(shape("all"), ElementsAre(4, 24));
  EXPECT_THAT(shape("both"), ElementsAre(4 * 24 + 11 * 6));
}

TEST(Graph, MetricsOfLabels) {
  Network net("name: net\ninput: {shape: [6]}\nnetwork: [linear: 2]\nloss: binary_cross_entropy\noptimizer: sgd\n"
              "metrics: [accuracy, f1]\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(print(net.network()->getAttr("nn.metrics")), R"(["accuracy", "f1"])");
  EXPECT_FALSE(net.first<nn::ReturnOp>().getCorrect());
}

TEST(Graph, PaddingRowOfAnEmbeddingStartsAtZero) {
  Network net("name: net\ninput: {shape: [6], dtype: int32}\n"
              "network: [embedding: {name: a, count: 5, size: 3, padding_idx: 2}, flatten, linear: 2]\n"
              "loss: cross_entropy\noptimizer: sgd\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(variable(net, "a.weight").getInit(), "normal_zero_row");
  EXPECT_EQ(variable(net, "a.weight").getInitC().convertToDouble(), 2);
}

TEST(Graph, WarnsAboutWhatNothingUses) {
  Network net("name: net\ninputs: {a: {shape: [7]}, b: {shape: [7]}}\n"
              "blocks:\n  one: {layers: [relu]}\n"
              "  two: {layers: [linear: {units: 3, weights: shared}, relu: {name: dead}, relu: {from: linear_1}]}\n"
              "network: [two: {from: a}]\nloss: cross_entropy\noptimizer: sgd\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(net.errors(), "net.yaml:2:27: warning: input 'b': nothing uses it\n"
                          "net.yaml:4:3: warning: block 'one': nothing uses it\n"
                          "net.yaml:5:46: warning: weights 'two_1.shared': no other layer shares them\n"
                          "net.yaml:5:55: warning: relu 'two_1.dead': nothing uses its output\n"
                          "  hint: in block 'two', used in line 6\n");
}

TEST(Graph, BlocksExpand) {
  Network net("name: net\ninput: {shape: [6, 6, 2]}\n"
              "blocks:\n"
              "  unit:\n"
              "    parameters: {filters: null, kernel: 3, activation: relu}\n"
              "    layers:\n"
              "      - conv2d: {name: conv, filters: $filters, kernel: $kernel, padding: same}\n"
              "      - $activation\n"
              "  pair:\n"
              "    parameters: {width: null}\n"
              "    layers: [unit: $width, unit: {name: last, filters: $width, kernel: [1, 3]}]\n"
              "network:\n"
              "  - unit: {name: stem, filters: 4, activation: {max_pool2d: 2}}\n"
              "  - pair: {name: body, width: 5, repeat: 2}\n"
              "  - relu: {name: side, from: body_1.last.conv}\n"
              "  - flatten: {from: body}\n"
              "  - linear: 2\n"
              "loss: cross_entropy\noptimizer: sgd\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_THAT(layersOf(net),
              ElementsAre("stem.conv", "stem.max_pool2d_1", "body_1.unit_1.conv", "body_1.unit_1.relu_1",
                          "body_1.last.conv", "body_1.last.relu_1", "body_2.unit_1.conv", "body_2.unit_1.relu_1",
                          "body_2.last.conv", "body_2.last.relu_1", "side", "flatten_1", "linear_1", "output"));
  EXPECT_EQ(layerOp(net, "flatten_1")->getOperand(0), layerOp(net, "body_2.last.relu_1")->getResult(0));
  EXPECT_EQ(layerOp(net, "side")->getOperand(0), layerOp(net, "body_1.last.conv")->getResult(0));
  EXPECT_THAT(print(variable(net, "body_2.last.conv.weight").getType()), HasSubstr("tensor<5x5x1x3xf32>"));
  EXPECT_EQ(print(layerOp(net, "body_1.last.conv")->getLoc()), "loc(\"body_1.last.conv\"(\"net.yaml\":7:9))");
  EXPECT_EQ(net.errors(), "net.yaml:15:5: warning: relu 'side': nothing uses its output\n");
}

TEST(Graph, InputOfABlock) {
  Network net(
      "name: net\ninput: {shape: [6]}\n"
      "blocks: {skip: {layers: [linear: 6, relu: {name: r}, linear: {from: input, units: 2}, relu: {from: r}]}}\n"
      "network: [linear: {name: a, units: 5}, skip: {from: a}]\nloss: cross_entropy\noptimizer: sgd\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(layerOp(net, "skip_1.linear_2")->getOperand(0), layerOp(net, "a")->getResult(0));
}

TEST(Graph, SharedParametersAreOneVariable) {
  Network net("name: net\ninput: {shape: [6]}\n"
              "blocks: {tower: {layers: [linear: {name: a, units: 6}, relu]}}\n"
              "network:\n"
              "  - linear: {name: x, units: 6}\n"
              "  - linear: {name: y, units: 6, weights: x}\n"
              "  - linear: {name: p, units: 6, weights: common, bias: false}\n"
              "  - linear: {name: q, units: 6, weights: p, bias: false}\n"
              "  - tower: {name: left, repeat: 2}\n"
              "  - tower: {name: right, weights: left, repeat: 2}\n"
              "  - tower: {name: third, weights: right_1}\n"
              "loss: cross_entropy\noptimizer: sgd\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(net.errors(), "");
  EXPECT_THAT(variablesOf(net), ElementsAre("x.weight", "x.bias", "common.weight", "left_1.a.weight", "left_1.a.bias",
                                            "left_2.a.weight", "left_2.a.bias"));
  EXPECT_EQ(layerOp(net, "y")->getOperand(1), variable(net, "x.weight").getResult());
  EXPECT_EQ(layerOp(net, "q")->getOperand(1), variable(net, "common.weight").getResult());
  EXPECT_EQ(layerOp(net, "right_2.a")->getOperand(2), variable(net, "left_2.a.bias").getResult());
  EXPECT_EQ(layerOp(net, "third.a")->getOperand(1), variable(net, "left_1.a.weight").getResult());
}

TEST(Graph, FrozenLayersAndMultipliers) {
  Network net("name: net\ninput: {shape: [6]}\n"
              "blocks:\n  part: {layers: [linear: {name: a, units: 6, learning_rate: 0.5}, linear: {name: b, units: 6, "
              "trainable: true}, batch_norm]}\n"
              "network: [part: {name: p, trainable: false, learning_rate: 0.1, weight_decay: 0}, linear: 2]\n"
              "loss: cross_entropy\noptimizer: sgd\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_TRUE(variable(net, "p.a.weight").getFrozen());
  EXPECT_TRUE(variable(net, "p.a.bias").getFrozen());
  EXPECT_FALSE(variable(net, "p.b.weight").getFrozen());
  EXPECT_TRUE(variable(net, "p.batch_norm_1.weight").getFrozen());
  EXPECT_FALSE(variable(net, "p.batch_norm_1.running_mean").getFrozen());
  EXPECT_FALSE(variable(net, "linear_1.weight").getFrozen());
  EXPECT_DOUBLE_EQ(variable(net, "p.a.weight").getRateScale().convertToDouble(), 0.05);
  EXPECT_DOUBLE_EQ(variable(net, "p.b.weight").getRateScale().convertToDouble(), 0.1);
  EXPECT_EQ(variable(net, "p.b.weight").getDecayScale().convertToDouble(), 0);
  EXPECT_EQ(variable(net, "linear_1.weight").getDecayScale().convertToDouble(), 1);
}

/// `init` of a 3x5 convolution from 4 to 8 channels: fan_in 60, fan_out 120. Figures are PyTorch's formulas.
TEST(Graph, InitialDistributions) {
  struct {
    std::string text, init;
    double a, b, c, d;
  } cases[] = {
      {"zeros", "constant", 0, 0, 0, 0},
      {"ones", "constant", 1, 0, 0, 0},
      {"{constant: {value: 0.25}}", "constant", 0.25, 0, 0, 0},
      {"{constant: 3}", "constant", 3, 0, 0, 0},
      {"normal", "normal", 0, 1, 0, 0},
      {"{normal: {mean: 2, std: 0.5}}", "normal", 2, 0.5, 0, 0},
      {"uniform", "uniform", 0, 1, 0, 0},
      {"{uniform: {low: -2, high: 3}}", "uniform", -2, 3, 0, 0},
      {"truncated_normal", "truncated_normal", 0, 1, -2, 2},
      {"{truncated_normal: {std: 0.02, a: -0.04, b: 0.03}}", "truncated_normal", 0, 0.02, -0.04, 0.03},
      {"{xavier_uniform: {gain: 2}}", "uniform", -2 * std::sqrt(6. / 180), 2 * std::sqrt(6. / 180), 0, 0},
      {"xavier_normal", "normal", 0, std::sqrt(2. / 180), 0, 0},
      {"kaiming_uniform", "uniform", -std::sqrt(6. / 60), std::sqrt(6. / 60), 0, 0},
      {"{kaiming_uniform: {a: 2.2360679774997896}}", "uniform", -std::sqrt(1. / 60), std::sqrt(1. / 60), 0, 0},
      {"{kaiming_normal: {mode: fan_out, nonlinearity: relu}}", "normal", 0, std::sqrt(2. / 120), 0, 0},
      {"{kaiming_normal: {nonlinearity: tanh}}", "normal", 0, 5 / 3. / std::sqrt(60.), 0, 0},
      {"{kaiming_normal: {nonlinearity: selu}}", "normal", 0, 0.75 / std::sqrt(60.), 0, 0},
      {"lecun_normal", "normal", 0, std::sqrt(1. / 60), 0, 0},
      {"lecun_uniform", "uniform", -std::sqrt(3. / 60), std::sqrt(3. / 60), 0, 0},
      {"{orthogonal: {gain: 1.5}}", "orthogonal", 1.5, 0, 0, 0},
  };
  for (const auto &each : cases) {
    Network net(around("  - conv2d: {name: x, filters: 8, kernel: [3, 5], init: {weight: " + each.text +
                           ", bias: ones}}\n  - flatten\n  - linear: 2\n",
                       "{shape: [6, 6, 4]}"));
    ASSERT_TRUE(net.module) << net.errors();
    nn::VariableOp weight = variable(net, "x.weight");
    EXPECT_EQ(weight.getInit(), each.init) << each.text;
    EXPECT_NEAR(weight.getInitA().convertToDouble(), each.a, 1e-15) << each.text;
    EXPECT_NEAR(weight.getInitB().convertToDouble(), each.b, 1e-15) << each.text;
    EXPECT_EQ(weight.getInitC().convertToDouble(), each.c) << each.text;
    EXPECT_EQ(weight.getInitD().convertToDouble(), each.d) << each.text;
    EXPECT_EQ(variable(net, "x.bias").getInitA().convertToDouble(), 1);
    EXPECT_EQ(variable(net, "linear_1.bias").getInit(), "uniform");
  }
}

TEST(Graph, SeveralLosses) {
  Network net(
      "name: net\ninput: {shape: [6]}\n"
      "network: [linear: {name: trunk, units: 6}, linear: {name: a, units: 3}, linear: {name: b, from: trunk, "
      "units: 3}]\n"
      "loss:\n  - cross_entropy: {from: a, weight: 0.5}\n  - cross_entropy\n  - cross_entropy: {target: t2, from: "
      "a}\n"
      "output: {a: linear}\nmetrics: [accuracy, top_2, per_class, confusion]\noptimizer: sgd\n"
      "weights: {file: a.safetensors, prefix: {from.: to., x: }}\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(net.errors(), "");
  EXPECT_THAT(net.lines<nn::TargetOp>(),
              ElementsAre("nn.target {nn.classes = 3 : i64, nn.name = \"target\"} : tensor<64xi32, \"batch\">",
                          "nn.target {nn.classes = 3 : i64, nn.name = \"t2\"} : tensor<64xi32, \"batch\">"));
  EXPECT_THAT(net.lines<nn::LossSumOp>(), ElementsAre(HasSubstr("weights = array<f64: 5.000000e-01, 1.000000e+00, "
                                                                "1.000000e+00>")));
  auto end = net.first<nn::ReturnOp>();
  EXPECT_EQ(end.getLoss(), net.first<nn::LossSumOp>().getResult());
  EXPECT_EQ(end.getLogits().size(), 3u);
  EXPECT_EQ(end.getPrediction().size(), 3u);
  EXPECT_EQ(end.getPrediction()[0], layerOp(net, "a")->getResult(0));
  EXPECT_TRUE(end.getPrediction()[1].getDefiningOp<nn::SoftmaxOp>());
  EXPECT_FALSE(end.getCorrect());
  EXPECT_EQ(print(net.network()->getAttr("nn.output_names")), R"(["a", "b", "a_2"])");
  EXPECT_EQ(print(net.network()->getAttr("nn.output_kinds")), R"(["linear", "softmax", "linear"])");
  EXPECT_EQ(print(net.network()->getAttr("nn.metrics")), R"(["accuracy", "top_2", "per_class", "confusion"])");
  EXPECT_EQ(print(net.network()->getAttr("nn.weights")),
            R"({file = "a.safetensors", prefix = [["from.", "to."], ["x", ""]]})");
}

TEST(Graph, OneWeightedLoss) {
  Network net("name: net\ninput: {shape: [6]}\nnetwork: [linear: 2]\nloss: {cross_entropy: {weight: 2}}\noptimizer: "
              "sgd\nmetrics: {top_k: 2}\nweights: a.safetensors\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(net.lines<nn::LossSumOp>().size(), 1u);
  EXPECT_EQ(print(net.network()->getAttr("nn.metrics")), R"(["top_2"])");
  EXPECT_EQ(print(net.network()->getAttr("nn.weights")), R"({file = "a.safetensors", prefix = []})");
}

} // namespace sylvite::test
