// The program behind `sylvite data`: figures, contact sheet and refusals. Layer: tests.
#include "Scratch.h"
#include "runtime/data/Image.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace {

using namespace syltest;

class ShowDataTest : public Scratch {
protected:
  Outcome show(std::vector<std::string> arguments, const Environment &environment = {}) const {
    arguments.insert(arguments.begin(), SYLVITE_DATA_PROGRAM);
    return run(folder, arguments, environment);
  }
  const Environment network = {
      {"SYLVITE_ARRAYS",
       R"({"name": "net", "training": {}, "inputs": [{"name": "input", "dtype": 0, "shape": [2, 2, 1], "classes": 0,
           "ignore_index": 0}], "targets": [{"name": "target", "dtype": 1, "shape": [], "classes": 2,
           "ignore_index": -9223372036854775808}]})"}};
};

TEST_F(ShowDataTest, FiguresAsJson) {
  write("X.npy", npyBytes("<f4", "(2, 1, 1, 2)", bytesOf<float>({1, 10, 3, 30})));
  write("Y.npy", npyBytes("<i8", "(2,)", bytesOf<int64_t>({5, 5})));
  write("X_test.npy", npyBytes("<f4", "(1, 1, 1, 2)", bytesOf<float>({NAN, 4})));
  write("Y_test.npy", npyBytes("<i8", "(1,)", bytesOf<int64_t>({-1})));
  Outcome outcome = show({folder, "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  nlohmann::json all = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(all["format"], "arrays");
  const nlohmann::json &input = all["train"]["inputs"][0], &target = all["train"]["targets"][0];
  EXPECT_EQ(all["train"]["count"], 2);
  EXPECT_EQ(input["shape"], (std::vector<int>{1, 1, 2}));
  EXPECT_EQ(input["dtype"], "float32");
  EXPECT_EQ(input["min"], 1);
  EXPECT_EQ(input["max"], 30);
  EXPECT_DOUBLE_EQ(input["mean"], 11);
  EXPECT_DOUBLE_EQ(input["std"], std::sqrt((100. + 1 + 64 + 361) / 4));
  EXPECT_EQ(input["channel_mean"], (std::vector<double>{2, 20}));
  EXPECT_EQ(input["channel_std"], (std::vector<double>{1, 10}));
  EXPECT_EQ(target["classes"], nlohmann::json::parse(R"([{"class": 5, "count": 2}])"));
  EXPECT_EQ(all["test"]["inputs"][0]["not_finite"], 1);
  EXPECT_EQ(all["test"]["inputs"][0]["mean"], 4);
}

TEST_F(ShowDataTest, AgainstANetwork) {
  write("X.npy", npyBytes("|u1", "(2, 2, 2)", "abcdefgh"));
  write("Y.npy", npyBytes("<i4", "(2,)", bytesOf<int32_t>({0, 1})));
  Outcome outcome = show({folder}, network);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("train: 2 samples\n  input      uint8    [2, 2]           from 97 to 104, mean 100.5"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("2 classes: 0 1, 1 1\n"), std::string::npos) << outcome.out;
  write("Y.npy", npyBytes("<i4", "(2,)", bytesOf<int32_t>({0, 2})));
  outcome = show({folder}, network);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            path("Y.npy") + ": error: found label 2 at index 1, expected 0 to 1: the network has 2 classes\n");
}

TEST_F(ShowDataTest, ContactSheet) {
  write("X.npy", npyBytes("|u1", "(9, 32, 32)", std::string(9 * 1024, 'x')));
  write("Y.npy", npyBytes("|u1", "(9,)", std::string(9, '\1')));
  Outcome outcome = show({folder, "--sheet", path("s.png")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  syl::Image sheet = syl::decodeImage(path("s.png"), 1);
  EXPECT_EQ(sheet.width, 8 * 66 + 2); // eight in a row, twice as large
  EXPECT_EQ(sheet.height, 2 * 66 + 2);
  EXPECT_EQ(sheet.pixels.data()[0], char(255));
  EXPECT_EQ(sheet.pixels.data()[2 * sheet.width + 2], 'x');
}

TEST_F(ShowDataTest, Refusals) {
  EXPECT_EQ(show({path("none")}).err.substr(0, path("none").size() + 9), path("none") + ": error: ");
  write("t.csv", "1,2,a\n3,4,b\n");
  Outcome outcome = show({path("t.csv"), "--label", "9"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "--label: error: found '9', expected the name of a column of " + path("t.csv") +
                             " or a number from 1 to 3\n");
  EXPECT_EQ(show({path("t.csv"), "--split", "1.5"}).status, 1);
  EXPECT_EQ(show({path("t.csv"), "--sheet", path("s.png")}).err,
            path("t.csv") + ": error: found samples of shape [2], expected images for a contact sheet: [H, W], "
                            "[H, W, 1], [H, W, 3] or [3, H, W]\n");
  outcome = show({path("t.csv"), "--split", "0.5"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("test: 1 samples"), std::string::npos);
  EXPECT_NE(outcome.out.find("classes: "), std::string::npos);
}

} // namespace
