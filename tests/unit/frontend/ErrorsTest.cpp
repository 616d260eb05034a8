// Every message of the frontend: the bad input and the exact text.
#include "BadInput.h"

#include "compiler/frontend/LayerTable.h"
#include "compiler/frontend/Values.h"

namespace sylvite::test {

TEST_P(Errors, Message) {
  Network net(GetParam().text);
  EXPECT_FALSE(net.module);
  EXPECT_EQ(net.errors(), GetParam().expected) << GetParam().text;
}

static const std::string whole = "must be a whole number from 1 to 2147483647, found ";

static const BadInput documents[] = {
    {"Empty", "",
     "net.yaml:1:1: error: the file is empty\n  hint: a network file needs the keys name, input, network, loss and "
     "optimizer\n"},
    {"OnlyComments", "# nothing\n",
     "net.yaml:1:1: error: the file is empty\n  hint: a network file needs the keys name, input, network, loss and "
     "optimizer\n"},
    {"List", "- a\n",
     "net.yaml:1:1: error: a network file must be a map, found a list\n  hint: it needs the keys name, input, network, "
     "loss and optimizer\n"},
    {"Word", "a network\n",
     "net.yaml:1:1: error: a network file must be a map, found the text 'a network'\n  hint: it needs the keys name, "
     "input, network, loss and optimizer\n"},
    {"NotYaml", "name: net\nnetwork: [a, b\n", "net.yaml:3:1: error: not YAML: end of sequence flow not found\n"},
    {"Tabs", "name: net\n\tinput: 1\n",
     "net.yaml:2:1: error: not YAML: illegal tab when looking for indentation\n  hint: YAML indents by spaces, not by "
     "tabs\n"},
    {"Binary",
     std::string("name: \x7f"
                 "ELF"),
     "net.yaml:1:7: error: not YAML: byte 0x7f is no text\n  hint: the file must be text in UTF-8\n"},
    {"Latin1", "name: net\n# caf\xe9\n",
     "net.yaml:2:6: error: not YAML: byte 0xe9 is no text\n  hint: the file must be text in UTF-8\n"},
    {"TwoDocuments", with("") + "---\na: b\n",
     "net.yaml:6:1: error: a second document starts here\n  hint: a network file holds one map; check the indentation "
     "of "
     "this line\n"},
    {"Tag", "name: !!str net\n",
     "net.yaml:1:7: error: tags are not supported\n  hint: remove the word that starts with `!`\n"},
    {"KeyIsAList", "[a]: b\n", "net.yaml:1:1: error: a key must be a word\n"},
    {"UnknownAnchor", "name: *net\n", "net.yaml:1:7: error: not YAML: the referenced anchor is not defined\n"},
    {"DoubledKey", with("name: net\nname: two\n"),
     "net.yaml:2:1: error: doubled key 'name'\n  hint: it stands in line 1 already\n"},
    {"UnknownKey", with("metric: [accuracy]\n"),
     "net.yaml:1:1: error: unknown key 'metric'\n  hint: did you mean 'metrics'?\n"},
    {"UnknownKeyFarOff", with("gpu: 1\n"),
     "net.yaml:1:1: error: unknown key 'gpu'\n  hint: known keys: name, input, inputs, preprocess, blocks, network, "
     "loss, output, metrics, optimizer, training, weights\n"},
    {"NothingInIt", "{}",
     "net.yaml:1:1: error: the key 'name' is missing\n  hint: name: my_network\n"
     "net.yaml:1:1: error: the key 'input' is missing\n  hint: input: {shape: [28, 28, 1], dtype: uint8}\n"
     "net.yaml:1:1: error: the key 'network' is missing\n  hint: network: [flatten, linear: 10]\n"
     "net.yaml:1:1: error: the key 'loss' is missing\n  hint: loss: cross_entropy\n"
     "net.yaml:1:1: error: the key 'optimizer' is missing\n  hint: optimizer: {adam: {learning_rate: 1e-3}}\n"},
    {"MisspeltKeyIsNotMissingToo",
     "name: net\ninput: {shape: [5]}\nnetwork: [linear: 2]\nlos: cross_entropy\noptimizer: sgd\n",
     "net.yaml:4:1: error: unknown key 'los'\n  hint: did you mean 'loss'?\n"},
};

static const BadInput settings[] = {
    {"NameStartsWithADigit", with("name: 3net\n"),
     "net.yaml:1:7: error: name must be a C identifier, found the text '3net'\n  hint: letters, digits and _, of which "
     "the first is no digit\n"},
    {"NameWithAHyphen", with("name: my-net\n"),
     "net.yaml:1:7: error: name must be a C identifier, found the text 'my-net'\n  hint: letters, digits and _, of "
     "which "
     "the first is no digit\n"},
    {"NameIsAKeyword", with("name: double\n"),
     "net.yaml:1:7: error: name must be a C identifier, found the text 'double'\n  hint: 'double' is a keyword of C or "
     "C++; every symbol starts with the name\n"},
    {"NameIsTheRuntimes", with("name: syl_net\n"),
     "net.yaml:1:7: error: name must not be 'syl' or start with 'syl_'\n  hint: the runtime's functions are called so; "
     "every symbol of the network starts with its name\n"},
    {"NameIsLong", with("name: " + std::string(101, 'a') + "\n"),
     "net.yaml:1:7: error: name has more than 100 characters: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\n"},
    {"NameIsNothing", with("name:\n"),
     "net.yaml:1:1: error: name must be a C identifier, found nothing\n  hint: letters, digits and _, of which the "
     "first "
     "is no digit\n"},
    {"InputIsAList", with("input: [5, 5, 3]\n"),
     "net.yaml:1:8: error: input must be a map of shape, dtype, layout, found a list\n"},
    {"InputKey", with("input: {shape: [5], type: uint8}\n"),
     "net.yaml:1:21: error: input: unknown key 'type'\n  hint: did you mean 'dtype'?\n"},
    {"NoShape", with("input: {dtype: uint8}\n"),
     "net.yaml:1:8: error: input: the key 'shape' is missing\n  hint: input: {shape: [H, W, C]}\n"},
    {"ShapeIsANumber", with("input: {shape: 5}\n"),
     "net.yaml:1:16: error: input: shape must be a list of numbers, found 5\n  hint: [H, W, C] for images (grayscale: "
     "C is 1), [T, H, W, C] for video, [W, C] for sequences, [C] for vectors\n"},
    {"ShapeOfFive", with("input: {shape: [1, 2, 3, 4, 5]}\n"),
     "net.yaml:1:16: error: input: shape must have 1 to 4 numbers, found 5\n  hint: [H, W, C] for images (grayscale: C "
     "is 1), [T, H, W, C] for video, [W, C] for sequences, [C] for vectors\n"},
    {"DimensionsOutOfRange", with("input: {shape: [0, -5, 2147483648]}\n"),
     "net.yaml:1:17: error: input: shape " + whole + "0\n" + "net.yaml:1:20: error: input: shape " + whole + "-5\n" +
         "net.yaml:1:24: error: input: shape " + whole + "2147483648\n"},
    {"DimensionsBeyond64Bits", with("input: {shape: [4611686018427387904, 99999999999999999999]}\n"),
     "net.yaml:1:17: error: input: shape " + whole + "4611686018427387904\n" + "net.yaml:1:38: error: input: shape " +
         whole + "99999999999999999999\n"},
    {"InputTooLarge", with("input: {shape: [2147483647, 2147483647, 2147483647]}\n"),
     "net.yaml:1:16: error: input: a batch of 64 has more than 268435455 elements\n  hint: a tensor must stay below 1 "
     "GiB: use a smaller shape or batch\n"},
    {"InputType", with("input: {shape: [5], dtype: float}\n"),
     "net.yaml:1:28: error: input: dtype must be one of uint8, int32, float32, found the text 'float'\n  hint: did you "
     "mean "
     "'float32'?\n"},
    {"Output", with("output: soft_max\n"),
     "net.yaml:1:9: error: output must be one of softmax, sigmoid, linear, found the text 'soft_max'\n  hint: did you "
     "mean "
     "'softmax'?\n"},
    {"Metric", with("metrics: [acuracy]\n"),
     "net.yaml:1:11: error: metrics must be one of accuracy, top_k, mae, rmse, f1, per_class, "
     "confusion, found the text 'acuracy'\n  hint: did you mean 'accuracy'?\n"},
    {"MetricTwice", with("metrics: [accuracy, accuracy]\n"),
     "net.yaml:1:21: error: metrics: 'accuracy' stands here twice\n"},
    {"Optimizer", with("optimizer: adm\n"),
     "net.yaml:1:12: error: optimizer must be one of adam, adamw, sgd, rmsprop, adagrad, lion, found the text 'adm'\n  "
     "hint: "
     "did you mean 'adam'?\n"},
    {"TwoOptimizers", with("optimizer: {adam: , sgd: }\n"),
     "net.yaml:1:12: error: optimizer must be one name with its settings, found a map of 2 keys\n  hint: optimizer: "
     "{adam: {learning_rate: 1e-3}}\n"},
    {"OptimizerValue", with("optimizer: {sgd: 0.1}\n"),
     "net.yaml:1:18: error: sgd must be a map of learning_rate, momentum, dampening, weight_decay, nesterov, "
     "decay_exempt, "
     "found 0.1\n"},
    {"OptimizerSettings", with("optimizer: {adam: {learning_rate: -1, betas: [0.9, 1], eps: small, momentum: 1}}\n"),
     "net.yaml:1:35: error: adam: learning_rate must be 0 or more, found -1\n"
     "net.yaml:1:52: error: adam: betas must be from 0 to below 1, found 1\n"
     "net.yaml:1:61: error: adam: eps must be a number, found the text 'small'\n"
     "net.yaml:1:68: error: adam: unknown key 'momentum'\n  hint: known keys: learning_rate, betas, eps, "
     "weight_decay, amsgrad, decay_exempt\n"},
    {"OneBeta", with("optimizer: {adam: {betas: 0.9}}\n"),
     "net.yaml:1:27: error: adam: betas must be a list of 2 numbers, found 0.9\n"},
    {"NumberTooLarge", with("optimizer: {sgd: {learning_rate: 1e999}}\n"),
     "net.yaml:1:34: error: sgd: learning_rate is beyond what a double holds: 1e999\n"},
    {"Training", with("training: {batch: 0, epochs: 1.5, seed: -1, batches: 3}\n"),
     "net.yaml:1:19: error: training: batch " + whole + "0\n" + "net.yaml:1:30: error: training: epochs " + whole +
         "1.5\n" +
         "net.yaml:1:41: error: training: seed must be a whole number from 0 to 18446744073709551615, found -1\n"
         "net.yaml:1:45: error: training: unknown key 'batches'\n  hint: did you mean 'batch'?\n"},
    {"QuotedNumber", with("training: {batch: \"64\"}\n"),
     "net.yaml:1:19: error: training: batch " + whole + "the text '64'\n"},
};

static const BadInput layers[] = {
    {"EmptyNetwork", with("network: []\n"),
     "net.yaml:1:10: error: network has no layers\n  hint: network: [flatten, linear: 10]\n"},
    {"NetworkIsNothing", with("network:\n"), "net.yaml:1:1: error: network must be a list of layers, found nothing\n"},
    {"NetworkIsAMap", with("network: {linear: 2}\n"),
     "net.yaml:1:10: error: network must be a list of layers, found a map\n"},
    {"NothingToTrain", with("network: [relu, flatten]\n"),
     "net.yaml:1:10: error: network: no layer has parameters, so there is nothing to train\n"},
    {"UnknownLayer", layer("maxpool2d: 2"),
     "net.yaml:1:11: error: unknown layer 'maxpool2d'\n  hint: did you mean 'max_pool2d'?\n"},
    {"UnknownLayerFarOff", layer("transmogrify"),
     "net.yaml:1:11: error: unknown layer 'transmogrify'\n  hint: known: " + join(layerNames(LayerRole::Layer)) + "\n"},
    {"PreprocessingAsLayer", layer("normalize"),
     "net.yaml:1:11: error: unknown layer 'normalize'\n  hint: it is a preprocessing step: it stands under "
     "`preprocess`\n"},
    {"LayerAsPreprocessing", with("preprocess: [relu]\n"),
     "net.yaml:1:14: error: unknown preprocessing step 'relu'\n  hint: it is a layer: it stands under `network`\n"},
    {"LayerIsAList", layer("[relu]"),
     "net.yaml:1:11: error: a layer must be a name, or a name with its settings, found a list\n"},
    {"SettingsNotIndented", with("network:\n  - conv2d:\n    filters: 3\n    kernel: 3\n  - flatten\n  - linear: 2\n"),
     "net.yaml:2:5: error: a layer must be a name, or one name with its settings, found a map of 3 keys\n  hint: "
     "indent "
     "the settings of 'conv2d' further\n"},
    {"ValueOfALayerWithoutSettings", layer("relu: 3"),
     "net.yaml:1:17: error: relu 'relu_1': takes no value, found 3\n  hint: it has no settings\n"},
    {"KeyOfALayerWithoutSettings", layer("relu: {slope: 0.1}"),
     "net.yaml:1:18: error: relu 'relu_1': unknown key 'slope'\n  hint: known keys: name, from\n"},
    {"BareValueWithoutMainAttribute", layer("batch_norm: 0.1"),
     "net.yaml:1:23: error: batch_norm 'batch_norm_1': takes no value, found 0.1\n  hint: settings are written as "
     "`batch_norm: {key: value}`\n"},
    {"UnknownAttribute", layer("conv2d: {name: stem, filters: 3, kernel: 3, strid: 2}"),
     "net.yaml:1:55: error: conv2d 'stem': unknown key 'strid'\n  hint: did you mean 'stride'?\n"},
    {"MisspeltAttributeIsNotMissingToo", layer("conv2d: {fliters: 3, kernel: 3}"),
     "net.yaml:1:20: error: conv2d 'conv2d_1': unknown key 'fliters'\n  hint: did you mean 'filters'?\n"},
    {"DoubledAttribute", layer("conv2d: {filters: 3, kernel: 3, filters: 4}"),
     "net.yaml:1:43: error: doubled key 'filters'\n  hint: it stands in line 1 already\n"},
    {"MissingAttributes", layer("conv2d"),
     "net.yaml:1:11: error: conv2d 'conv2d_1': the key 'filters' is missing\n  hint: conv2d: {filters: NUMBER, kernel: "
     "NUMBER or [H, W]}\n"
     "net.yaml:1:11: error: conv2d 'conv2d_1': the key 'kernel' is missing\n  hint: conv2d: {filters: NUMBER, kernel: "
     "NUMBER or [H, W]}\n"},
    {"WrongTypes", layer("conv2d: {filters: many, kernel: [3], stride: {}, padding: sam, bias: 1}"),
     "net.yaml:1:29: error: conv2d 'conv2d_1': filters " + whole + "the text 'many'\n" +
         "net.yaml:1:43: error: conv2d 'conv2d_1': kernel must be a number or a pair [H, W], found a list of 1\n"
         "net.yaml:1:56: error: conv2d 'conv2d_1': stride must be a number or a pair [H, W], found a map\n"
         "net.yaml:1:69: error: conv2d 'conv2d_1': padding must be a number, a pair [H, W], [top, bottom, left, "
         "right], "
         "same or valid, found the text "
         "'sam'\n  hint: did you mean 'same'?\n"
         "net.yaml:1:80: error: conv2d 'conv2d_1': bias must be true or false, found 1\n"},
    {"OutOfRange", layer("conv2d: {filters: 0, kernel: [3, -3], stride: 2147483648, padding: -1}"),
     "net.yaml:1:29: error: conv2d 'conv2d_1': filters " + whole + "0\n" +
         "net.yaml:1:44: error: conv2d 'conv2d_1': kernel " + whole + "-3\n" +
         "net.yaml:1:57: error: conv2d 'conv2d_1': stride " + whole + "2147483648\n" +
         "net.yaml:1:78: error: conv2d 'conv2d_1': padding must be a whole number from 0 to 2147483647, found -1\n"},
    {"TwoLayersOfOneName", layer("relu: {name: a}, relu: {name: a}"),
     "net.yaml:1:41: error: relu 'a': there is a layer of this name already, in line 1\n"},
    {"NameOfAnUnnamedLayer", layer("relu: {name: relu_2}, relu"),
     "net.yaml:1:33: error: relu 'relu_2': there is a layer of this name already, in line 1\n  hint: layers without a "
     "name are called by kind and number\n"},
    {"LayerName", layer("relu: {name: a.b}"),
     "net.yaml:1:24: error: relu: name must be a name, found the text 'a.b'\n  hint: letters, digits and _, of which "
     "the "
     "first is no digit\n"},
};

static const BadInput shapes[] = {
    {"KernelExceedsInput", layer("conv2d: {name: stem, filters: 3, kernel: 7}"),
     "net.yaml:1:52: error: conv2d 'stem': kernel 7x7 exceeds padded input 5x5\n  hint: use a smaller kernel or more "
     "padding\n"},
    {"WindowExceedsInput", layer("max_pool2d: [2, 6]"),
     "net.yaml:1:23: error: max_pool2d 'max_pool2d_1': window 2x6 exceeds padded input 5x5\n  hint: use a smaller "
     "window "
     "or more padding\n"},
    {"PaddingExceedsHalfTheWindow", layer("max_pool2d: {window: 2, padding: 2}"),
     "net.yaml:1:44: error: max_pool2d 'max_pool2d_1': padding 2 is more than half of the window 2\n  hint: a window "
     "must "
     "not lie in the padding alone\n"},
    {"LinearOnAnImage", with("network: [linear: 2]\n"),
     "net.yaml:1:11: error: linear 'linear_1': needs a vector, found an image 5x5x3\n  hint: put `- flatten` before "
     "it\n"},
    {"ConvolutionOnAVector", with("network: [flatten, conv2d: {filters: 3, kernel: 3}]\n"),
     "net.yaml:1:20: error: conv2d 'conv2d_1': needs an image [H, W, C], found 75\n  hint: an image has height, width "
     "and "
     "channels: [H, W, C]\n"},
    {"WeightsTooLarge", layer("conv2d: {filters: 2147483647, kernel: 3}"),
     "net.yaml:1:29: error: conv2d 'conv2d_1': the weights have more than 268435455 elements\n  hint: a tensor must "
     "stay "
     "below 1 GiB\n"},
    {"OutputTooLarge", layer("conv2d: {filters: 1, kernel: 1, padding: 2147483647}"),
     "net.yaml:1:11: error: conv2d 'conv2d_1': the output has more than 268435455 elements for a batch of 64\n  hint: "
     "a "
     "tensor must stay below 1 GiB: use a smaller batch or fewer channels\n"},
    {"Normalize", with("preprocess: [normalize: {divide: 0, mean: [1, 2], std: [1, 0, x]}]\n"),
     "net.yaml:1:63: error: normalize: std must be a number, found the text 'x'\n"},
    {"NormalizeChannels", with("preprocess: [normalize: {divide: 0, mean: [1, 2], std: [1, 0, 1]}]\n"),
     "net.yaml:1:34: error: normalize: divide must be a finite number other than 0\n"
     "net.yaml:1:43: error: normalize: mean has 2 numbers, the input has 3 channels\n"
     "net.yaml:1:56: error: normalize: std must be positive\n"},
    {"BatchNorm", layer("batch_norm: {momentum: 2, eps: -1}"),
     "net.yaml:1:34: error: batch_norm 'batch_norm_1': momentum must be between 0 and 1\n"
     "net.yaml:1:42: error: batch_norm 'batch_norm_1': eps must be 0 or more\n"},
    {"LossOnOneOutput", with("network: [flatten, linear: 1]\nloss: cross_entropy\n"),
     "net.yaml:2:7: error: cross_entropy: needs at least 2 classes, the network ends with 1 output\n  hint: end it "
     "with "
     "one unit a class\n"},
    {"UnknownLoss", with("loss: crossentropy\n"),
     "net.yaml:1:7: error: unknown loss 'crossentropy'\n  hint: did you mean 'cross_entropy'?\n"},
    {"LossIsNothing", with("loss:\n"),
     "net.yaml:1:1: error: a loss must be a name, or a name with its settings, found nothing\n"},
    // Layers after one that does not fit are read too; their shapes are not known.
    {"AllThatCanBeFound",
     with("network:\n  - conv2d: {filters: 2, kernel: 9}\n  - linear: 3\n  - linear: {unit: 3}\n"
          "  - flaten\n"),
     "net.yaml:2:34: error: conv2d 'conv2d_1': kernel 9x9 exceeds padded input 5x5\n  hint: use a smaller kernel or "
     "more "
     "padding\n"
     "net.yaml:4:14: error: linear 'linear_2': unknown key 'unit'\n  hint: did you mean 'units'?\n"
     "net.yaml:5:5: error: unknown layer 'flaten'\n  hint: did you mean 'flatten'?\n"},
};

INSTANTIATE_TEST_SUITE_P(Document, Errors, testing::ValuesIn(documents), badInputName);
INSTANTIATE_TEST_SUITE_P(Settings, Errors, testing::ValuesIn(settings), badInputName);
INSTANTIATE_TEST_SUITE_P(Layers, Errors, testing::ValuesIn(layers), badInputName);
INSTANTIATE_TEST_SUITE_P(Shapes, Errors, testing::ValuesIn(shapes), badInputName);

TEST(ErrorsOfFiles, NoSuchFileAndFolder) {
  mlir::MLIRContext context;
  Diagnostics diagnostics;
  EXPECT_FALSE(readNetwork("/nonexistent/net.yaml", {}, context, diagnostics));
  EXPECT_FALSE(readNetwork("/", {}, context, diagnostics));
  EXPECT_EQ(diagnostics.str(), "/nonexistent/net.yaml: error: no such file\n/: error: is a folder\n");
}

TEST(ErrorsOfOptions, Batch) {
  for (int64_t batch : {int64_t(-1), int64_t(1) << 31, int64_t(1) << 62})
    EXPECT_EQ(Network(with(""), {.batch = batch}).errors(),
              "net.yaml: error: the batch must be from 1 to 2147483647, found " + std::to_string(batch) + "\n");
  EXPECT_EQ(
      Network(with(""), {.batch = 2147483647}).errors(),
      "net.yaml:2:16: error: input: a batch of 2147483647 has more than 268435455 elements\n  hint: a tensor must "
      "stay below 1 GiB: use a smaller shape or batch\n");
}

} // namespace sylvite::test
