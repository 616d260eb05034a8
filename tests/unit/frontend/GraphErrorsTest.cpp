// Messages about graphs: from, blocks, inputs, parameters, losses, metrics, outputs.
#include "BadInput.h"

namespace sylvite::test {

/// Blocks in line 1, a network in line 2.
static std::string blocks(const std::string &blocks, const std::string &network = "[b, flatten, linear: 2]") {
  return with("blocks: {" + blocks + "}\nnetwork: " + network + "\n");
}
/// A linear network with this loss in line 1 and the rest after it.
static std::string end(const std::string &lines) {
  return with(lines + "\nnetwork: [flatten, linear: {name: a, units: 3}]\n");
}

static const BadInput graphs[] = {
    {"UnknownFrom", layer("relu: {name: stem}, relu: {from: stm}"),
     "net.yaml:1:44: error: relu 'relu_2': from: no layer is called 'stm'\n  hint: did you mean 'stem'?\n"},
    {"UnknownFromFarOff", layer("relu: {from: [backbone]}"),
     "net.yaml:1:25: error: relu 'relu_1': from: no layer is called 'backbone'\n  hint: layers before it by name, or "
     "'input'\n"},
    {"FromALaterLayer", layer("relu: {from: late}, relu: {name: late}"),
     "net.yaml:1:24: error: relu 'relu_1': from: layer 'late' stands later, in line 1: that would be a cycle\n  hint: "
     "a layer takes what stands before it\n"},
    {"FromALaterUnnamedLayer", layer("relu: {from: relu_2}, relu"),
     "net.yaml:1:24: error: relu 'relu_1': from: layer 'relu_2' stands later, in line 1: that would be a cycle\n  "
     "hint: a layer takes what stands before it\n"},
    {"FromItself", layer("relu: {name: me, from: me}"),
     "net.yaml:1:34: error: relu 'me': from: a layer must not take its own output: that would be a cycle\n"},
    {"FromIsAMap", layer("relu: {from: {a: b}}"),
     "net.yaml:1:24: error: relu 'relu_1': from must be the name of a layer, or a list of names, found a map\n"},
    {"FromIsEmpty", layer("relu: {from: []}"),
     "net.yaml:1:24: error: relu 'relu_1': from must be the name of a layer, or a list of names, found an empty "
     "list\n"},
    {"FromHoldsAList", layer("relu: {from: [[a]]}"),
     "net.yaml:1:25: error: relu 'relu_1': from must be names of layers, found a list\n"},
    {"TooManyInputs", layer("relu: {name: a}, relu: {from: [a, input]}"),
     "net.yaml:1:41: error: relu 'relu_2': takes 1 input, found 2\n  hint: from: NAME\n"},
    {"NameOfAnInput", layer("relu: {name: input}"),
     "net.yaml:1:24: error: relu 'input': there is a layer of this name already, in line 3\n"},
    // What is wrong with a layer is said once: others may name it.
    {"FromAWrongLayer", layer("rely: {name: x}, conv2d: {name: y}, relu: {from: x}, relu: {from: y}"),
     "net.yaml:1:11: error: unknown layer 'rely'\n  hint: did you mean 'relu'?\n"
     "net.yaml:1:28: error: conv2d 'y': the key 'filters' is missing\n  hint: conv2d: {filters: NUMBER, kernel: NUMBER "
     "or [H, W]}\n"
     "net.yaml:1:28: error: conv2d 'y': the key 'kernel' is missing\n  hint: conv2d: {filters: NUMBER, kernel: NUMBER "
     "or [H, W]}\n"},
};

static const BadInput inputs[] = {
    {"InputAndInputs", with("inputs: {a: {shape: [3]}}\ninput: {shape: [4]}\n"),
     "net.yaml:1:9: error: a network has either `input` or `inputs`, found both\n"},
    {"InputsIsAList",
     with("inputs: [a]\ninput: {shape: [4]}\n").substr(0, 12) + "name: net\nnetwork: [linear: 2]\nloss: "
                                                                "cross_entropy\noptimizer: sgd\n",
     "net.yaml:1:9: error: inputs must be a map of names, found a list\n  hint: inputs: {image: {shape: [H, W, C]}, "
     "meta: {shape: [C]}}\n"},
    {"SeveralInputsWithoutFrom",
     "name: net\ninputs: {a: {shape: [3]}, b: {shap: [3], dtype: float}}\nnetwork: [linear: 2]\nloss: cross_entropy\n"
     "optimizer: sgd\npreprocess: [normalize]\n",
     "net.yaml:2:31: error: input 'b': unknown key 'shap'\n  hint: did you mean 'shape'?\n"
     "net.yaml:2:49: error: input 'b': dtype must be one of uint8, int32, float32, found the text 'float'\n  hint: did "
     "you mean 'float32'?\n"
     "net.yaml:3:11: error: linear 'linear_1': takes 1 input, found 2\n  hint: from: NAME\n"
     "net.yaml:6:13: error: preprocess must say which input it is for: a map of a, b, found a list\n  hint: "
     "preprocess: {a: [normalize: {divide: 255}]}\n"},
    {"Layout", with("input: {shape: [5, 5, 3], layout: nchw}\n"),
     "net.yaml:1:35: error: input: layout must be one of hwc, chw, found the text 'nchw'\n  hint: did you mean "
     "'chw'?\n"},
    {"PreprocessOfAnUnknownInput", with("preprocess: {inptu: [normalize]}\n"),
     "net.yaml:1:14: error: preprocess: unknown key 'inptu'\n  hint: did you mean 'input'?\n"},
};

static const BadInput declarations[] = {
    {"BlocksIsAList", with("blocks: [a]\n"),
     "net.yaml:1:9: error: blocks must be a map of names, found a list\n  hint: blocks: {residual: {parameters: "
     "{filters: 64}, layers: [...]}}\n"},
    {"BlockIsNothing", blocks("b: "),
     "net.yaml:1:10: error: block 'b' must be a map of parameters, layers, found nothing\n"},
    {"BlockHasTheNameOfALayer", blocks("b: {layers: [relu]}, relu: {layers: [flatten]}"),
     "net.yaml:1:31: error: block 'relu': there is a layer of this name\n"},
    {"BlockKey", blocks("b: {layer: [relu]}"),
     "net.yaml:1:14: error: block 'b': unknown key 'layer'\n  hint: did you mean "
     "'layers'?\n"},
    {"BlockWithoutLayers", blocks("b: {parameters: {}}"),
     "net.yaml:1:10: error: block 'b': the key 'layers' is missing\n  hint: b: {layers: [relu]}\n"},
    {"EmptyBlock", blocks("b: {layers: []}"),
     "net.yaml:1:22: error: block 'b': layers must be a list of one layer or more, found an empty list\n"},
    {"ParametersAreAList", blocks("b: {parameters: [a], layers: [relu]}"),
     "net.yaml:1:26: error: block 'b': parameters must be a map of names and defaults, found a list\n  hint: "
     "parameters: {filters: null, stride: 1}; null: it has no default\n"},
    {"ReservedParameter", blocks("b: {parameters: {name: 1}, layers: [relu]}"),
     "net.yaml:1:27: error: block 'b': a parameter must not be called 'name'\n  hint: every use of a block has that "
     "key\n"},
    {"UnusedParameter", blocks("b: {parameters: {width: 1}, layers: [relu]}"),
     "net.yaml:1:27: error: block 'b': no layer uses the parameter 'width'\n  hint: a layer uses it as `$width`\n"},
    {"UndeclaredParameter",
     blocks("b: {parameters: {width: 3}, layers: [linear: $width, linear: $widht]}", "[flatten, b]"),
     "net.yaml:1:71: error: block 'b': unknown parameter 'widht'\n  hint: did you mean 'width'?\n"
     "net.yaml:1:71: error: linear 'b_1.linear_2': units must be a whole number from 1 to 2147483647, found the text "
     "'$widht'\n  hint: in block 'b', used in line 2\n"},
};

static const BadInput uses[] = {
    {"MissingParameter", blocks("b: {parameters: {w: null}, layers: [linear: $w]}", "[flatten, b, linear: 2]"),
     "net.yaml:2:20: error: b 'b_1': the parameter 'w' is missing\n  hint: b: {w: VALUE}; it is declared in line 1\n"},
    {"UnknownParameter", blocks("b: {parameters: {width: null}, layers: [linear: $width]}", "[flatten, b: {widht: 3}]"),
     "net.yaml:2:24: error: b 'b_1': unknown key 'widht'\n  hint: did you mean 'width'?\n"},
    {"ValueOfABlockWithoutParameters", blocks("b: {layers: [relu]}", "[b: 3, flatten, linear: 2]"),
     "net.yaml:2:14: error: b 'b_1': takes no value, found 3\n  hint: the block has no parameters\n"},
    {"Recursion", blocks("b: {layers: [relu, b]}"),
     "net.yaml:1:29: error: b 'b_1.b_1': a block must not use itself: b, which uses b\n  hint: in block 'b', used in "
     "line 2\n"},
    {"IndirectRecursion", blocks("b: {layers: [c]}, c: {layers: [relu, b]}"),
     "net.yaml:1:47: error: b 'b_1.c_1.b_1': a block must not use itself: b, which uses c, which uses b\n  hint: in "
     "block 'c', used in line 1, in block 'b', used in line 2\n"},
    // Said once, though three uses have it.
    {"ErrorInABlock", blocks("b: {layers: [relu, linear: {units: x}]}", "[flatten, b, b, b]"),
     "net.yaml:1:45: error: linear 'b_1.linear_1': units must be a whole number from 1 to 2147483647, found the text "
     "'x'\n  hint: in block 'b', used in line 2\n"},
    {"ShapeErrorInABlock",
     blocks("b: {parameters: {k: 1}, layers: [conv2d: {filters: 2, kernel: $k}]}", "[b, b: 9, flatten, linear: 2]"),
     "net.yaml:2:17: error: conv2d 'b_2.conv2d_1': kernel 9x9 exceeds padded input 5x5\n  hint: use a smaller kernel "
     "or "
     "more padding; in block 'b', used in line 2\n"},
    {"NamesOutsideOfABlock", blocks("b: {layers: [relu: {from: out}]}", "[relu: {name: out}, b, flatten, linear: 2]"),
     "net.yaml:1:36: error: relu 'b_1.relu_1': from: no layer is called 'out'\n  hint: layers before it by name, or "
     "'input'; in block 'b', used in line 2\n"},
    {"InputsOfABlock",
     blocks("b: {layers: [relu: {from: input}]}", "[relu, b: {from: [relu_1, input]}, flatten, linear: 2]"),
     "net.yaml:1:36: error: relu 'b_1.relu_1': from: no layer is called 'input'\n  hint: did you mean 'input_1'?; in "
     "block 'b', used in line 2\n"},
    {"Repeat", blocks("b: {layers: [relu]}", "[b: {repeat: 0}, flatten, linear: 2]"),
     "net.yaml:2:23: error: b: repeat must be a whole number from 1 to 4096, found 0\n"},
    {"RepeatedName", blocks("b: {layers: [relu]}", "[relu: {name: x_2}, b: {name: x, repeat: 2}, flatten, linear: 2]"),
     "net.yaml:2:40: error: b 'x_2': there is a layer of this name already, in line 2\n"},
    {"TooManyLayers",
     blocks("b: {layers: [c: {repeat: 100}]}, c: {layers: [relu]}", "[b: {repeat: 41}, flatten, linear: 2]"),
     "net.yaml:2:10: error: network has more than 4096 layers\n  hint: in block 'c', used in line 1, in block 'b', "
     "used "
     "in line 2\n"},
    {"ArgumentForAName", blocks("b: {parameters: {k: [1]}, layers: [relu: {$k: 2}]}"),
     "net.yaml:1:30: error: a list or map stands for the name '$k' in line 1\n"
     "net.yaml:1:52: error: relu 'b_1.relu_1': unknown key '$k'\n  hint: known keys: name, from; in block 'b', used in "
     "line 2\n"},
};

static const BadInput parameters[] = {
    {"InitIsAWord", layer("conv2d: {filters: 2, kernel: 1, init: zeros}"),
     "net.yaml:1:49: error: conv2d 'conv2d_1': init must be a map of weight, bias, found the text 'zeros'\n"},
    {"InitOfWhatIsNot", layer("conv2d: {filters: 2, kernel: 1, bias: false, init: {bias: zeros}}"),
     "net.yaml:1:63: error: conv2d 'conv2d_1': init: unknown key 'bias'\n  hint: known keys: weight\n"},
    {"UnknownInit", layer("conv2d: {filters: 2, kernel: 1, init: {weight: he_normal, bias: {a: 1, b: 2}}}"),
     "net.yaml:1:58: error: conv2d 'conv2d_1': init: weight must be one of zeros, ones, constant, uniform, normal, "
     "truncated_normal, xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, lecun_uniform, lecun_normal, "
     "orthogonal, found the text 'he_normal'\n  hint: did you mean 'normal'?\n"
     "net.yaml:1:75: error: conv2d 'conv2d_1': init: bias must be one name with its settings, found a map of 2 keys\n  "
     "hint: kaiming_normal: {mode: fan_out, nonlinearity: relu}\n"},
    {"InitSettings",
     layer("conv2d: {filters: 2, kernel: 1, init: {weight: {kaiming_normal: {mode: fan, gain: 1}}, bias: {normal: "
           "{std: -1}}}}"),
     "net.yaml:1:87: error: conv2d 'conv2d_1': init: weight: kaiming_normal: unknown key 'gain'\n  hint: known keys: "
     "nonlinearity, mode, a\n"
     "net.yaml:1:113: error: conv2d 'conv2d_1': init: bias: normal must have a standard deviation of 0 or more, found "
     "-1.000000\n"},
    {"InitFans", layer("conv2d: {filters: 2, kernel: 1, init: {bias: xavier_normal, weight: {zeros: 1}}}"),
     "net.yaml:1:56: error: conv2d 'conv2d_1': init: bias: xavier_normal needs a parameter of two dimensions or more, "
     "'bias' has 1\n  hint: normal, uniform, constant, zeros and ones take any\n"
     "net.yaml:1:87: error: conv2d 'conv2d_1': init: weight: zeros takes no settings, found 1\n"},
    {"InitBounds",
     layer("conv2d: {filters: 2, kernel: 1, init: {weight: {uniform: {low: 2}}, bias: {truncated_normal: {a: 3, b: "
           "2}}}}"),
     "net.yaml:1:68: error: conv2d 'conv2d_1': init: weight: uniform must have low <= high\n"
     "net.yaml:1:104: error: conv2d 'conv2d_1': init: bias: truncated_normal must have a < b, and values of the normal "
     "distribution between them\n  hint: a and b are the least and the largest value, as in "
     "torch.nn.init.trunc_normal_\n"},
    {"Multipliers", layer("conv2d: {filters: 2, kernel: 1, learning_rate: -1, weight_decay: x, trainable: 0}"),
     "net.yaml:1:58: error: conv2d 'conv2d_1': learning_rate must be 0 or more, found -1\n  hint: it multiplies the "
     "optimizer's learning_rate\n"
     "net.yaml:1:76: error: conv2d 'conv2d_1': weight_decay must be a number, found the text 'x'\n"
     "net.yaml:1:90: error: conv2d 'conv2d_1': trainable must be true or false, found 0\n"},
    {"ParametersOfALayerWithout", layer("relu: {trainable: false}"),
     "net.yaml:1:18: error: relu 'relu_1': unknown key 'trainable'\n  hint: known keys: name, from\n"},
    {"AllFrozen", with("network: [flatten, linear: {units: 2, trainable: false}]\n"),
     "net.yaml:1:10: error: network: no parameter is trainable, so there is nothing to train\n"},
    {"SharedShapes", with("network: [flatten, linear: {name: a, units: 2}, linear: {units: 2, weights: a}]\n"),
     "net.yaml:1:77: error: linear 'linear_2': needs the parameter 'weight' in the shape [2, 2], 'a.weight' has [2, "
     "75]\n  hint: it is shared with linear 'a' in line 1\n"},
    {"SharedSettings",
     with("network: [flatten, linear: {name: a, units: 75}, linear: {units: 75, weights: a, init: {bias: zeros}}]\n"),
     "net.yaml:1:88: error: linear 'linear_2': the key 'init' belongs to the first layer that has the parameters\n  "
     "hint: they are those of linear 'a' in line 1\n"},
    {"SharedStatistics", layer("batch_norm: {name: a}, batch_norm: {weights: a}"),
     "net.yaml:1:56: error: batch_norm 'batch_norm_2': running statistics cannot be shared, and 'a.running_mean' would "
     "be\n  hint: give each layer statistics of its own, or share the layers before and after it\n"
     "net.yaml:1:56: error: batch_norm 'batch_norm_2': running statistics cannot be shared, and 'a.running_var' would "
     "be\n  hint: give each layer statistics of its own, or share the layers before and after it\n"},
};

static const BadInput ends[] = {
    {"NoLosses", end("loss: []"), "net.yaml:1:7: error: loss: the list is empty\n  hint: loss: cross_entropy\n"},
    {"LossSettings", end("loss: {cross_entropy: {from: b, weight: x, target: 1, scale: 2}}"),
     "net.yaml:1:30: error: cross_entropy: from: no layer is called 'b'\n  hint: layers before it by name, or "
     "'input'\n"
     "net.yaml:1:41: error: cross_entropy: weight must be a number, found the text 'x'\n"
     "net.yaml:1:52: error: cross_entropy: target must be a name, found 1\n  hint: letters, digits and _, of which the "
     "first is no digit\n"
     "net.yaml:1:55: error: cross_entropy: unknown key 'scale'\n  hint: known keys: label_smoothing, "
     "class_weights, ignore_index, from, weight, target\n"},
    {"TargetsDiffer",
     with("network: [flatten, linear: {name: a, units: 3}, linear: {name: b, units: 2}]\nloss: "
          "[cross_entropy: {from: a}, cross_entropy]\n"),
     "net.yaml:2:34: error: cross_entropy: the target 'target' is of another kind here: class numbers below 2, of "
     "cross_entropy in line 2 class numbers below 3\n  hint: give one of the losses a target of its own: `target: "
     "NAME`\n"},
    {"OutputOfWhatIsNot", end("output: {flatten_1: softmax, a: tanh}"),
     "net.yaml:1:10: error: output: no loss takes a layer called 'flatten_1'\n  hint: losses take: a\n"
     "net.yaml:1:33: error: output: a must be one of softmax, sigmoid, linear, found the text 'tanh'\n"},
    {"MetricOfClasses", end("metrics: [mae, top_k, top_4, {top_k: x}]"),
     "net.yaml:1:11: error: metrics: mae needs a loss whose targets are numbers\n"
     "net.yaml:1:16: error: metrics: top_k needs a number\n  hint: top_5, or {top_k: 5}\n"
     "net.yaml:1:23: error: metrics: top_4 needs at least 4 classes, found 3\n"
     "net.yaml:1:38: error: metrics: top_k must be a whole number from 1 to 2147483647, found the text 'x'\n"},
    {"MetricOfLabels",
     with("network: [flatten, linear: 3]\nloss: binary_cross_entropy\nmetrics: [accuracy, f1, mae, top_2]\n"),
     "net.yaml:3:25: error: metrics: mae needs a loss whose targets are numbers\n"
     "net.yaml:3:30: error: metrics: top_2 needs a loss whose targets are class numbers\n"},
    {"MetricOfNumbers", with("network: [flatten, linear: 3]\nloss: mse\nmetrics: [accuracy, f1, mae, confusion]\n"),
     "net.yaml:3:11: error: metrics: accuracy needs a loss whose targets are class numbers or labels of 0 and 1\n"
     "net.yaml:3:21: error: metrics: f1 needs a loss whose targets are labels of 0 and 1\n"
     "net.yaml:3:30: error: metrics: confusion needs a loss whose targets are class numbers\n"},
    {"WeightsOfHinge", with("network: [flatten, linear: 3]\nloss: {hinge: {class_weights: [1, 2]}}\n"),
     "net.yaml:2:31: error: hinge: class_weights has 2 numbers, the network ends with 3 classes\n"},
    {"Weights", end("weights: {fil: x, prefix: [a]}"),
     "net.yaml:1:11: error: weights: unknown key 'fil'\n  hint: did you mean 'file'?\n"
     "net.yaml:1:27: error: weights: prefix must be a map of starts of names, found a list\n  hint: prefix: "
     "{backbone.: "
     "stem.}: what starts with `backbone.` in the file is `stem.` here\n"},
    {"WeightsWithoutFile", end("weights: {prefix: {a: [b]}}"),
     "net.yaml:1:10: error: weights: the key 'file' is missing\n  hint: weights: {file: resnet18.safetensors}\n"
     "net.yaml:1:23: error: weights: prefix: a must be the start of a name, found a list\n"},
    {"WeightsAreAList", end("weights: [x]"),
     "net.yaml:1:10: error: weights must be the name of a safetensors file, or a map of file, prefix, found a list\n  "
     "hint: weights: {file: resnet18.safetensors}\n"},
};

INSTANTIATE_TEST_SUITE_P(Graphs, Errors, testing::ValuesIn(graphs), badInputName);
INSTANTIATE_TEST_SUITE_P(Inputs, Errors, testing::ValuesIn(inputs), badInputName);
INSTANTIATE_TEST_SUITE_P(Blocks, Errors, testing::ValuesIn(declarations), badInputName);
INSTANTIATE_TEST_SUITE_P(Uses, Errors, testing::ValuesIn(uses), badInputName);
INSTANTIATE_TEST_SUITE_P(Parameters, Errors, testing::ValuesIn(parameters), badInputName);
INSTANTIATE_TEST_SUITE_P(Ends, Errors, testing::ValuesIn(ends), badInputName);

/// Blocks within blocks whose arguments double in each: an error, and at once.
TEST(BlockLimits, ArgumentsThatGrow) {
  std::string text = "name: net\ninput: {shape: [4]}\nblocks:\n";
  for (int i = 0; i < 60; ++i)
    text += "  b" + std::to_string(i) + ": {parameters: {x: null}, layers: [b" + std::to_string(i + 1) +
            ": {x: [$x, $x, $x, $x]}]}\n";
  text +=
      "  b60: {parameters: {x: null}, layers: [linear: $x]}\nnetwork: [b0: 1]\nloss: cross_entropy\noptimizer: sgd\n";
  EXPECT_THAT(Network(text).errors(), testing::HasSubstr("blocks have more than 1000000 values, each use counted"));
}

TEST(BlockLimits, Nesting) {
  std::string text = "name: net\ninput: {shape: [4]}\nblocks:\n";
  for (int i = 0; i < 100; ++i)
    text += "  b" + std::to_string(i) + ": {layers: [b" + std::to_string(i + 1) + "]}\n";
  text += "  b100: {layers: [linear: 2]}\nnetwork: [b0]\nloss: cross_entropy\noptimizer: sgd\n";
  EXPECT_THAT(Network(text).errors(), testing::HasSubstr("blocks are nested deeper than 64"));
}

TEST(BlockLimits, Uses) {
  std::string text = "name: net\ninput: {shape: [4]}\nblocks:\n";
  for (int i = 0; i < 20; ++i)
    text += "  b" + std::to_string(i) + ": {layers: [b" + std::to_string(i + 1) + ": {repeat: 4096}]}\n";
  text += "  b20: {layers: [linear: 2]}\nnetwork: [b0]\nloss: cross_entropy\noptimizer: sgd\n";
  EXPECT_THAT(Network(text).errors(), testing::HasSubstr("network has more than 4096 layers"));
}

} // namespace sylvite::test
