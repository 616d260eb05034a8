// Tables: separators, quotes, headers, labels, and every refusal. Layer: tests.
#include "runtime/data/Csv.h"
#include "Scratch.h"
#include "ToyModel.h"

#include "runtime/data/DataSet.h"

namespace {

using namespace syltest;

class CsvTest : public Scratch {
protected:
  toy::Model model; // [5] float32, 3 classes

  static toy::Options bytesOptions() {
    toy::Options options;
    options.inputShape = {2, 1, 1};
    options.inputDtype = SYL_UINT8;
    return options;
  }
  syl::CsvColumns read(const std::string &text, const toy::Model &wanted, const std::string &label = "",
                       uint64_t limit = 1 << 20, bool targets = true) const {
    syl::CsvWanted want;
    want.input = wanted.get()->inputs[0];
    want.target = wanted.get()->targets[0];
    want.label = label;
    want.targets = targets;
    return syl::openCsv(write("t.csv", text), want, limit);
  }
  std::string error(const std::string &text, const toy::Model &wanted, const std::string &label = "") const {
    std::string message = errorOf([&] { read(text, wanted, label); });
    return message.substr(message.find("t.csv") + 5);
  }
  template <class T> static std::vector<T> all(const syl::ColumnPointer &column) {
    std::vector<T> values(size_t(column->count() * column->rowElements()));
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < column->count(); ++row)
      rows.push_back(row);
    column->read(rows.data(), rows.size(), values.data());
    return values;
  }
};

TEST_F(CsvTest, HeaderQuotesAndLabelByName) {
  const std::string text = "\xef\xbb\xbf"
                           "a,label,b,\"c, \"\"the third\"\"\",d,e\r\n"
                           "1,2,\"0.5\", -3e2 ,+4,5\r\n\r\n"
                           "6,0,7,8,9,1e-50\n";
  for (uint64_t limit : {uint64_t(1) << 20, uint64_t(0)}) {
    syl::CsvColumns columns = read(text, model, "", limit);
    EXPECT_EQ(columns.input->shape(), (std::vector<int64_t>{2, 5}));
    EXPECT_EQ(columns.input->dtype(), SYL_FLOAT32);
    EXPECT_EQ(columns.input->array() != nullptr, limit > 0);
    EXPECT_EQ(all<float>(columns.input), (std::vector<float>{1, 0.5f, -300, 4, 5, 6, 7, 8, 9, 0}));
    EXPECT_EQ(all<int64_t>(columns.target), (std::vector<int64_t>{2, 0}));
  }
  EXPECT_EQ(all<int64_t>(read(text, model, "c, \"the third\"").target), (std::vector<int64_t>{-300, 8}));
  EXPECT_EQ(all<int64_t>(read(text, model, "5").target), (std::vector<int64_t>{4, 9}));
}

TEST_F(CsvTest, WithoutHeaderTheLastColumnIsTheLabel) {
  EXPECT_EQ(all<int64_t>(read("1,2,3,4,5,0\n1,2,3,4,5,2", model).target), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(all<int64_t>(read("1;2;3;4;5;0\n1;2;3;4;5;2.0\n", model).target), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(all<float>(read("1\t2\t3\t4\t5\t0\n", model).input), (std::vector<float>{1, 2, 3, 4, 5}));
  EXPECT_EQ(all<float>(read("1,2,3,4,5\n", model, "", 1 << 20, false).input), (std::vector<float>{1, 2, 3, 4, 5}));
}

TEST_F(CsvTest, WordsAreClassesInSortedOrder) {
  syl::CsvColumns columns =
      read("1,2,3,4,5,setosa\n1,2,3,4,5,virginica\n1,2,3,4,5,\"setosa\"\n5,4,3,2,1,iris\n", model);
  EXPECT_EQ(all<int64_t>(columns.target), (std::vector<int64_t>{1, 2, 1, 0}));
  EXPECT_EQ(columns.target->classNames(), (std::vector<std::string>{"iris", "setosa", "virginica"}));
}

TEST_F(CsvTest, WordsMustBeTheNetworksClasses) {
  write("train.csv", "1,2,3,4,5,a\n1,2,3,4,5,b\n1,2,3,4,5,c\n");
  write("test.csv", "1,2,3,4,5,a\n1,2,3,4,5,b\n1,2,3,4,5,b\n");
  EXPECT_EQ(errorOf([&] { syl::readDataSet(folder, *model.get(), syl::Parts::All); }),
            path("test.csv") + ": error: found 2 classes (a, b), expected the network's 3");
  write("test.csv", "1,2,3,4,5,a\n1,2,3,4,5,b\n1,2,3,4,5,d\n");
  EXPECT_EQ(errorOf([&] { syl::readDataSet(folder, *model.get(), syl::Parts::All); }),
            path("test.csv") + ": error: found the labels a, b, d, expected a, b, c as in " + path("train.csv") +
                "\nhint: write the labels as numbers");
  EXPECT_EQ(syl::readDataSet(path("train.csv"), *model.get(), syl::Parts::All).train.count(), 3);
}

TEST_F(CsvTest, BytesAndWholeNumbers) {
  toy::Model bytes(bytesOptions());
  syl::CsvColumns columns = read("255,0,1\n3.0,1e2,2\n", bytes);
  EXPECT_EQ(columns.input->shape(), (std::vector<int64_t>{2, 2, 1, 1}));
  EXPECT_EQ(all<uint8_t>(columns.input), (std::vector<uint8_t>{255, 0, 3, 100}));
  EXPECT_EQ(error("255,0,1\n256,0,1\n", bytes),
            ":2: error: found '256' in column 1, expected a whole number from 0 to 255");
  EXPECT_EQ(error("a,b,label\n1,0.5,1\n", bytes),
            ":2: error: found '0.5' in column 2 ('b'), expected a whole number from 0 to 255");
}

TEST_F(CsvTest, Refusals) {
  EXPECT_EQ(error("", model), ": error: found no line, expected a table of samples");
  EXPECT_EQ(error("1,2,3\n", model),
            ": error: found 3 columns, expected 6: 5 for the input 'input' and 1 for the target");
  EXPECT_EQ(error("1,2,3,4,5,0\n1,2,3,4,5\n", model), ":2: error: found 5 fields, expected 6 as in the first line");
  EXPECT_EQ(error("1,2,3,4,5,0\n\n1,2,x,4,5,0\n", model), ":3: error: found 'x' in column 3, expected a number");
  EXPECT_EQ(error("1,2,3,4,5,0\n1,2,,4,5,0\n", model), ":2: error: found '' in column 3, expected a number");
  EXPECT_EQ(error("1,2,3,4,5,0\n1,2,\"3,4,5,0\n", model),
            ":2: error: found a quote that is not closed before the end of the file");
  EXPECT_EQ(error("1,2,3,4,5,0\n1,2,3,4,5,\n", model), ":2: error: found '' in column 6, expected a label");
  std::string message = errorOf([&] { read("1,2,3,4,5,0\n", model, "color"); });
  EXPECT_EQ(message, "--label: error: found 'color', expected the name of a column of " + path("t.csv") +
                         " or a number from 1 to 6");
  EXPECT_EQ(
      errorOf([&] { syl::readDataSet(write("n.csv", "1,2,3,4,5,0\n1,2,3,nan,5,0\n"), *model.get(), syl::Parts::All); }),
      path("n.csv") + ": error: found nan at index 8, expected finite values");
  EXPECT_EQ(
      errorOf([&] { syl::readDataSet(write("n.csv", "1,2,3,4,5,0\n1,2,3,4,5,3\n"), *model.get(), syl::Parts::All); }),
      path("n.csv") + ": error: found label 3 at index 1, expected 0 to 2: the network has 3 classes");
}

TEST_F(CsvTest, ARowWithoutEndIsRefused) {
  std::string message = error("1,2,3,4,5,0\n\"" + std::string(17 << 20, 'x'), model);
  EXPECT_EQ(message, ":2: error: found a row of more than 16 MiB\nhint: is a quote not closed?");
}

} // namespace
