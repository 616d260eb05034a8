// What network files become: ops, types, attributes, variables, locations.
#include "TestNetwork.h"

namespace sylvite::test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Network, ShippedModelsVerifyAndRoundTrip) {
  for (const char *name : {"mlp", "lenet5", "fashion_cnn"}) {
    Network net(slurp(std::string(SYLVITE_SOURCE_DIR "/models/") + name + ".yaml"));
    ASSERT_TRUE(net.module) << net.errors();
    std::string text = print(*net.module);
    auto again = mlir::parseSourceString<mlir::ModuleOp>(text, &net.context);
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(print(*again), text);
    EXPECT_EQ(net.network().getSymName(), name);
  }
}

TEST(Network, BodyInOrder) {
  Network net("name: tiny\n"
              "input: {shape: [4, 4, 1], dtype: uint8}\n"
              "preprocess: [normalize: {divide: 255, mean: [0.5], std: 0.25}]\n"
              "network: [flatten, linear: 3]\n"
              "loss: cross_entropy\n"
              "metrics: [accuracy]\n"
              "optimizer: {sgd: {learning_rate: 0.5, momentum: 0.9}}\n"
              "training: {batch: 8, epochs: 3, seed: 7}\n");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(print(*net.module), R"mlir(module {
  nn.network @tiny attributes {batch = 8 : i64, epochs = 3 : i64, nn.metrics = ["accuracy"], nn.output_kinds = ["softmax"], nn.output_names = ["output"], optimizer = {dampening = 0.000000e+00 : f64, kind = "sgd", learning_rate = 5.000000e-01 : f64, momentum = 9.000000e-01 : f64, weight_decay = 0.000000e+00 : f64}, output_kind = "softmax", seed = 7 : i64, slices = 8 : i64} {
    %0 = nn.input {nn.name = "input"} : tensor<8x4x4x1xui8, "batch">
    %1 = nn.identity %0 : (tensor<8x4x4x1xui8, "batch">) -> tensor<8x4x4x1xf32, "batch">
    %2 = nn.normalize %1 {divide = 2.550000e+02 : f64, mean = array<f64: 5.000000e-01>, std = array<f64: 2.500000e-01>} : (tensor<8x4x4x1xf32, "batch">) -> tensor<8x4x4x1xf32, "batch">
    %3 = nn.flatten %2 : (tensor<8x4x4x1xf32, "batch">) -> tensor<8x16xf32, "batch">
    %4 = nn.variable "linear_1.weight" {init = "uniform", init_a = -2.500000e-01 : f64, init_b = 2.500000e-01 : f64, kind = "parameter"} : tensor<3x16xf32>
    %5 = nn.variable "linear_1.bias" {init = "uniform", init_a = -2.500000e-01 : f64, init_b = 2.500000e-01 : f64, kind = "parameter"} : tensor<3xf32>
    %6 = nn.linear %3, %4, %5 {units = 3 : i64} : (tensor<8x16xf32, "batch">, tensor<3x16xf32>, tensor<3xf32>) -> tensor<8x3xf32, "batch">
    %7 = nn.target {nn.classes = 3 : i64, nn.name = "target"} : tensor<8xi32, "batch">
    %8 = nn.cross_entropy %6, %7 : (tensor<8x3xf32, "batch">, tensor<8xi32, "batch">) -> tensor<8xf32, "batch">
    %9 = nn.accuracy %6, %7 : (tensor<8x3xf32, "batch">, tensor<8xi32, "batch">) -> tensor<8xi32, "batch">
    %10 = nn.softmax %6 : (tensor<8x3xf32, "batch">) -> tensor<8x3xf32, "batch">
    nn.return logits %6 : tensor<8x3xf32, "batch"> loss %8 : tensor<8xf32, "batch"> correct %9 : tensor<8xi32, "batch"> prediction %10 : tensor<8x3xf32, "batch">
  }
})mlir");
}

TEST(Network, Defaults) {
  Network net("name: net\ninput: {shape: [5]}\nnetwork: [linear: 2]\nloss: cross_entropy\noptimizer: adam\n");
  ASSERT_TRUE(net.module) << net.errors();
  nn::NetworkOp network = net.network();
  EXPECT_EQ(network.getBatch(), 64);
  EXPECT_EQ(network.getEpochs(), 1);
  EXPECT_EQ(network.getSeed(), 0);
  EXPECT_EQ(network.getOutputKind(), "softmax");
  EXPECT_EQ(
      print(network.getOptimizer()),
      "{beta1 = 9.000000e-01 : f64, beta2 = 0.99899999999999999 : f64, eps = 1.000000e-08 : f64, kind = \"adam\", "
      "learning_rate = 1.000000e-03 : f64, weight_decay = 0.000000e+00 : f64}");
  EXPECT_THAT(net.lines<nn::InputOp>(), ElementsAre(HasSubstr("tensor<64x5xf32, \"batch\">")));
  EXPECT_TRUE(net.lines<nn::AccuracyOp>().empty());
  EXPECT_THAT(net.lines<nn::ReturnOp>()[0], testing::Not(HasSubstr("correct")));
}

TEST(Network, OptionsStandBeforeTheFile) {
  std::string text = around("  - flatten\n  - linear: 3\n") + "training: {batch: 8, epochs: 3, seed: 7}\n";
  Network net(text, {.batch = 20, .seed = 18446744073709551615u, .epochs = 9});
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(net.network().getBatch(), 20);
  EXPECT_EQ(net.network().getSlices(), 10);
  EXPECT_EQ(net.network().getEpochs(), 9);
  EXPECT_EQ(static_cast<uint64_t>(net.network().getSeed()), 18446744073709551615u);
}

TEST(Network, DoublePrecision) {
  Network net(around("  - batch_norm\n  - flatten\n  - linear: 3\n"), {.doublePrecision = true});
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(print(*net.module).find("f32"), std::string::npos);
  EXPECT_THAT(net.lines<nn::InputOp>(), ElementsAre(HasSubstr("xf64")));
  Network bytes(around("  - flatten\n  - linear: 3\n", "{shape: [2, 2, 1], dtype: uint8}"), {.doublePrecision = true});
  ASSERT_TRUE(bytes.module) << bytes.errors();
  EXPECT_THAT(bytes.lines<nn::InputOp>(), ElementsAre(HasSubstr("xui8")));
  EXPECT_THAT(bytes.lines<nn::IdentityOp>(), ElementsAre(HasSubstr("-> tensor<64x2x2x1xf64")));
}

TEST(Network, InputShapes) {
  EXPECT_THAT(Network(around("  - flatten\n  - linear: 2\n", "{shape: [3, 4, 5]}")).lines<nn::InputOp>()[0],
              HasSubstr("tensor<64x3x4x5xf32, \"batch\">"));
  auto input = [](const std::string &settings) {
    Network net(around("  - flatten\n  - linear: 2\n", settings));
    EXPECT_TRUE(net.module) << net.errors();
    return net.lines<nn::InputOp>()[0];
  };
  EXPECT_THAT(input("{shape: [4, 5]}"), HasSubstr("tensor<64x4x5xf32, \"batch\">"));
  EXPECT_THAT(input("{shape: [2, 3, 4, 5]}"), HasSubstr("tensor<64x2x3x4x5xf32, \"batch\">"));
  EXPECT_THAT(Network(around("  - linear: 2\n", "{shape: [5]}")).lines<nn::InputOp>()[0],
              HasSubstr("tensor<64x5xf32, \"batch\">"));
  EXPECT_EQ(input("{shape: [3, 4, 5], layout: chw, dtype: int32}"),
            "nn.input {nn.layout = \"chw\", nn.name = \"input\"} : tensor<64x4x5x3xi32, \"batch\">");
}

TEST(Network, LayerForms) {
  Network net(around("  - conv2d: {filters: 3, kernel: [1, 2], stride: 2, padding: [3, 4], bias: false}\n"
                     "  - max_pool2d: {window: 2, stride: [1, 2], padding: 1}\n"
                     "  - conv2d:\n"
                     "      filters: 2\n"
                     "      kernel: 3\n"
                     "      padding: same\n"
                     "  - max_pool2d: [3, 2]\n"
                     "  - relu:\n"
                     "  - flatten\n"
                     "  - linear: 4\n"));
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_THAT(
      net.lines<nn::Conv2dOp>(),
      ElementsAre(StartsWith("nn.conv2d %1, %2 {bias = false, filters = 3 : i64, kernel = array<i64: 1, 2>, padding "
                             "= array<i64: 3, 3, 4, 4>, stride = array<i64: 2, 2>}"),
                  HasSubstr("padding = array<i64: 1, 1, 1, 1>")));
  EXPECT_THAT(
      net.lines<nn::MaxPool2dOp>(),
      ElementsAre(HasSubstr("{padding = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 2>, window = array<i64: 2, 2>}"),
                  HasSubstr("{stride = array<i64: 3, 2>, window = array<i64: 3, 2>}")));
}

TEST(Network, NamesAndVariables) {
  Network net(around("  - conv2d: {name: stem, filters: 2, kernel: 3}\n"
                     "  - batch_norm\n"
                     "  - conv2d: {filters: 2, kernel: 3, bias: false}\n"
                     "  - batch_norm: {name: last, affine: false}\n"
                     "  - flatten\n"
                     "  - linear: {units: 2}\n"));
  ASSERT_TRUE(net.module) << net.errors();
  std::vector<std::string> names;
  for (nn::VariableOp op : net.network().getBody().getOps<nn::VariableOp>())
    names.push_back((op.getName() + ":" + op.getKind()).str());
  EXPECT_THAT(names,
              ElementsAre("stem.weight:parameter", "stem.bias:parameter", "batch_norm_1.weight:parameter",
                          "batch_norm_1.bias:parameter", "batch_norm_1.running_mean:buffer",
                          "batch_norm_1.running_var:buffer", "conv2d_2.weight:parameter", "last.running_mean:buffer",
                          "last.running_var:buffer", "linear_1.weight:parameter", "linear_1.bias:parameter"));
}

TEST(Network, OpsAreLocatedInTheFile) {
  Network net(around("  - conv2d: {name: stem, filters: 2, kernel: 3}\n  - flatten\n  - linear: 2\n"));
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(print(net.first<nn::Conv2dOp>().getLoc()), "loc(\"stem\"(\"net.yaml\":4:5))");
  EXPECT_EQ(print(net.first<nn::VariableOp>().getLoc()), "loc(\"stem\"(\"net.yaml\":4:5))");
  EXPECT_EQ(print(net.first<nn::LinearOp>().getLoc()), "loc(\"linear_1\"(\"net.yaml\":6:5))");
  EXPECT_EQ(print(net.first<nn::CrossEntropyOp>().getLoc()), "loc(\"cross_entropy\"(\"net.yaml\":7:7))");
}

TEST(Network, LinearOutputAndJson) {
  Network net(R"({"name": "net", "input": {"shape": [3], "dtype": "float32"}, "network": [{"linear": {"units": 2}}],
	"loss": "cross_entropy", "output": "linear", "metrics": [], "optimizer": {"adam": {"betas": [0.5, 0.25]}}})");
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(net.network().getOutputKind(), "linear");
  EXPECT_TRUE(net.lines<nn::SoftmaxOp>().empty());
  EXPECT_THAT(print(net.network().getOptimizer()), HasSubstr("beta1 = 5.000000e-01 : f64, beta2 = 2.500000e-01"));
  auto end = net.first<nn::ReturnOp>();
  EXPECT_EQ(end.getPrediction().front(), end.getLogits().front());
}

TEST(Network, AliasesStandForTheirValue) {
  Network net(around("  - conv2d: &same {filters: 2, kernel: 3}\n  - conv2d: *same\n  - flatten\n  - linear: 2\n"));
  ASSERT_TRUE(net.module) << net.errors();
  EXPECT_EQ(net.lines<nn::Conv2dOp>().size(), 2u);
}

} // namespace sylvite::test
