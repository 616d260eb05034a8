// No text crashes, hangs or exhausts memory: limits of YAML, aliases, numbers, damaged files.
#include "TestNetwork.h"

#include "compiler/frontend/LayerTable.h"

#include <random>

namespace sylvite::test {

using ::testing::HasSubstr;
using ::testing::StartsWith;

static std::string repeat(const std::string &text, size_t times) {
  std::string result;
  for (size_t i = 0; i < times; ++i)
    result += text;
  return result;
}

TEST(Limits, Nesting) {
  for (const char *opening : {"[", "{a: ", "- ", "? ", "[{"})
    EXPECT_THAT(Network(repeat(opening, 100'000)).errors(), HasSubstr("lists and maps are nested deeper than 64\n"))
        << opening;
  auto nested = [](size_t depth) { return "a: " + repeat("[", depth - 1) + repeat("]", depth - 1); };
  EXPECT_THAT(Network(nested(64)).errors(), testing::Not(HasSubstr("nested")));
  EXPECT_EQ(Network(nested(65)).errors(), "net.yaml:1:67: error: lists and maps are nested deeper than 64\n");
}

/// Depth counts through aliases, and through aliases of what holds aliases.
TEST(Limits, NestingThroughAliases) {
  auto nested = [](size_t depth) { // a, 20 deep; b, 20 deeper than it; then what is left
    auto around = [](size_t count, const std::string &inner) {
      return repeat("[", count) + inner + repeat("]", count);
    };
    return "a: &a " + around(20, "x") + "\nb: &b " + around(20, "*a") + "\nc: " + around(depth - 41, "*b") + "\n";
  };
  EXPECT_THAT(Network(nested(64)).errors(), testing::Not(HasSubstr("nested")));
  EXPECT_EQ(Network(nested(65)).errors(), "net.yaml:3:28: error: lists and maps are nested deeper than 64\n");
}

/// The file is a map with one key: what is left of `values` stands in a list.
TEST(Limits, Values) {
  auto list = [](size_t values) { return "a: [" + repeat("x, ", values - 4) + "x]\n"; };
  EXPECT_THAT(Network(list(100'000)).errors(), testing::Not(HasSubstr("more than")));
  EXPECT_THAT(Network(list(100'001)).errors(), HasSubstr("error: more than 100000 values, aliases expanded\n"));
  auto aliases = [](size_t values) { // 90,006 and the last list's
    return "a: &a [" + repeat("x, ", 9'998) + "x]\nb: [" + repeat("*a, ", 7) + "*a]\nc: [" +
           repeat("x, ", values - 90'006 - 1) + "x]\n";
  };
  EXPECT_THAT(Network(aliases(100'000)).errors(), testing::Not(HasSubstr("more than")));
  EXPECT_THAT(Network(aliases(100'001)).errors(), HasSubstr("error: more than 100000 values, aliases expanded\n"));
}

TEST(Limits, AliasesAreCounted) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'k'; ++name)
    text += std::string(1, name) + ": &" + name + " [" + repeat(std::string("*") + char(name - 1) + ", ", 10) + "]\n";
  EXPECT_EQ(Network(text).errors(), "net.yaml:5:44: error: more than 100000 values, aliases expanded\n");
  EXPECT_EQ(Network("name: &a [1, *a]").errors(),
            "net.yaml:1:14: error: an alias stands inside the value that it refers to\n");
}

TEST(Limits, Sizes) {
  EXPECT_THAT(Network(around(repeat("  - relu\n", 5000))).errors(), HasSubstr("network has more than 4096 layers"));
  EXPECT_THAT(Network(repeat("- x\n", 150'000)).errors(), HasSubstr("more than 100000 values"));
  EXPECT_THAT(Network(around(repeat("  - rely\n", 200))).errors(),
              HasSubstr("net.yaml: error: more than 100 errors; the others are left out\n"));
  std::string path = testing::TempDir() + "large.yaml";
  auto errorsOf = [&](size_t bytes) {
    const std::string text = around("  - relu\n");
    std::ofstream(path) << text << std::string(bytes - text.size(), '#');
    mlir::MLIRContext context;
    Diagnostics diagnostics;
    const bool read = bool(readNetwork(path, {}, context, diagnostics));
    EXPECT_NE(read, diagnostics.hasErrors());
    return diagnostics.str();
  };
  EXPECT_THAT(errorsOf(1 << 20), testing::Not(HasSubstr("larger")));
  EXPECT_EQ(errorsOf((1 << 20) + 1), path + ": error: larger than 1048576 bytes\n");
}

/// The dimensions of reliability.md in every attribute of every layer, and in the input: an error or a network, no
/// crash.
TEST(Limits, ExtremeNumbersInEveryAttribute) {
  for (const char *number : {"0", "1", "-1", "2147483647", "2147483648", "4294967296", "4611686018427387904",
                             "99999999999999999999999999", "-9223372036854775809", "1e308", "1e309", "-0.0"}) {
    for (const LayerRecord &record : layerRecords())
      for (const LayerAttribute &attribute : record.attributes) {
        std::string settings = attribute.name + ": " + number;
        for (const LayerAttribute &other : record.attributes)
          if (other.isRequired && other.name != attribute.name)
            settings += ", " + other.name + ": " + (other.words.empty() ? "2" : other.words[0]);
        std::string layer = record.name + ": {" + settings + "}";
        bool isLayer = record.role == LayerRole::Layer, isLoss = record.role == LayerRole::Loss;
        Network net("name: net\ninput: {shape: [8, 8, 2]}\nnetwork: [" + (isLayer ? layer : "flatten, linear: 2") +
                    "]\nloss: [" + (isLoss ? layer : "cross_entropy") + "]\noptimizer: sgd\n" +
                    (isLayer || isLoss ? "" : "preprocess: [" + layer + "]\n"));
        EXPECT_TRUE(net.module || net.diagnostics.hasErrors());
        EXPECT_THAT(net.errors(), testing::Not(HasSubstr("internal"))) << layer;
      }
    Network net(around("  - flatten\n  - linear: 2\n", std::string("{shape: [1, ") + number + ", 1]}"));
    EXPECT_EQ(bool(net.module), std::string(number) == "1") << number;
    EXPECT_THAT(net.errors(), testing::Not(HasSubstr("internal"))) << number;
  }
}

/// A network with every section of a file in it.
static const std::string everySection = R"(name: all
inputs:
  image: {shape: [3, 8, 8], dtype: uint8, layout: chw}
  meta: {shape: [5]}
preprocess: {image: [normalize: {divide: 255}]}
blocks:
  unit:
    parameters: {filters: null, kernel: 3, activation: relu}
    layers:
      - conv2d: {name: conv, filters: $filters, kernel: $kernel, padding: same, init: {weight: {kaiming_normal: {mode: fan_out}}}}
      - $activation
  pair: {parameters: {n: 4}, layers: [unit: $n, unit: {filters: $n, kernel: [1, 3]}, relu: {from: input}]}
network:
  - pair: {name: stem, from: image, n: 6, trainable: false}
  - pair: {name: body, repeat: 2, weights: stem, learning_rate: 0.5}
  - flatten: {from: body_1.unit_1.conv}
  - linear: {name: a, units: 3, weight_decay: 0}
  - linear: {name: b, from: meta, units: 2, init: {bias: zeros}}
loss:
  - cross_entropy: {from: a, weight: 0.5}
  - cross_entropy: {from: b, target: other}
output: {a: softmax, b: linear}
metrics: [accuracy, {top_k: 2}]
optimizer: {adam: {learning_rate: 1e-3}}
training: {batch: 4, epochs: 2, seed: 1}
weights: {file: a.safetensors, prefix: {a.: b.}}
)";

/// Damaged copies of a shipped network and of one with every section: cut at each length, and 20,000 random changes.
TEST(Limits, DamagedFiles) {
  for (const std::string &text : {slurp(SYLVITE_SOURCE_DIR "/models/fashion_cnn.yaml"), everySection}) {
    EXPECT_TRUE(Network(text).module) << Network(text).errors();
    auto check = [](const std::string &damaged) {
      Network net(damaged);
      ASSERT_TRUE(net.module || net.diagnostics.hasErrors()) << damaged;
      ASSERT_THAT(net.errors(), testing::Not(HasSubstr("internal"))) << damaged;
    };
    for (size_t length = 0; length < text.size(); ++length)
      check(text.substr(0, length));
    static const std::string pieces[] = {
        "{",  "}",  "[", "]",  ": ", "- ", "&a ",  "*a",   "!2",   "? ",    "|\n", "\"", "'",      "---\n", "\t",
        "\n", ", ", "~", "-1", "0",  "9",  "same", "\xff", "\x01", "1e999", "#",   "$n", "from: ", "input", "pair"};
    std::mt19937 random(1);
    auto below = [&](size_t limit) { return random() % limit; };
    for (int i = 0; i < 10'000; ++i) {
      std::string damaged = text;
      for (size_t change = 0, changes = 1 + below(4); change < changes; ++change) {
        size_t at = below(damaged.size() + 1);
        if (below(2))
          damaged.insert(at, pieces[below(std::size(pieces))]);
        else
          damaged.erase(at, 1 + below(8));
      }
      check(damaged);
    }
  }
}

} // namespace sylvite::test
