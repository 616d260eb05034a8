// Images against the pixels that Pillow reads, class folders, CIFAR's files, and broken files. Layer: tests.
#include "runtime/data/Image.h"
#include "Scratch.h"
#include "ToyModel.h"

#include "runtime/data/Cifar.h"
#include "runtime/data/DataSet.h"
#include "runtime/data/Npy.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace {

using namespace syltest;

std::string file(const std::string &name) { return std::string(SYLVITE_TEST_FILES) + "/" + name; }

std::string pixels(const syl::Image &image) { return std::string(image.pixels.data(), image.pixels.size()); }

/// The largest difference of two strings of bytes.
int difference(const std::string &a, const std::string &b) {
  EXPECT_EQ(a.size(), b.size());
  int largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(int(uint8_t(a[i])) - int(uint8_t(b[i]))));
  return largest;
}

std::string expected(const std::string &name) {
  syl::Array array = syl::readNpy(file(name));
  return std::string(array.data.data(), array.data.size());
}

class ImageTest : public Scratch {
protected:
  static toy::Options options(std::vector<int64_t> shape, const std::string &training = "{}") {
    toy::Options made;
    made.inputShape = std::move(shape);
    made.inputDtype = SYL_UINT8;
    made.classes = 2;
    made.training = training;
    return made;
  }
  void copy(const std::string &from, const std::string &to) const { write(to, readAll(file(from))); }
  std::string error(const std::string &data, const toy::Model &model) const {
    return errorOf([&] { syl::readDataSet(data, *model.get(), syl::Parts::All); });
  }
};

TEST_F(ImageTest, PngAsPillowReadsIt) {
  for (const char *name : {"rgb.png", "gray.png", "palette.png", "alpha.png", "bits.png"}) {
    syl::Image image = syl::decodeImage(file(name), 3);
    EXPECT_EQ(image.width, 21);
    EXPECT_EQ(image.height, 13);
    EXPECT_EQ(pixels(image), expected(std::string(name) + ".rgb.npy")) << name;
    EXPECT_EQ(pixels(syl::decodeImage(file(name), 1)), expected(std::string(name) + ".gray.npy")) << name;
  }
}

TEST_F(ImageTest, JpegAsPillowReadsIt) {
  for (const char *name : {"color.jpg", "progressive.jpg", "gray.jpg"}) {
    syl::Image image = syl::decodeImage(file(name), 3);
    EXPECT_LE(difference(pixels(image), expected(std::string(name) + ".rgb.npy")), 1) << name;
    syl::ImageSize size = syl::readImageSize(file(name));
    EXPECT_EQ(size.width, 21);
    EXPECT_EQ(size.height, 13);
    EXPECT_EQ(size.gray, std::string(name) == "gray.jpg");
    EXPECT_EQ(syl::decodeImage(file(name), 1).pixels.size(), 21u * 13);
  }
  EXPECT_EQ(errorOf([&] { syl::decodeImage(file("cmyk.jpg"), 3); }),
            file("cmyk.jpg") + ": error: found a JPEG file of four colors (CMYK), expected gray or RGB\n"
                               "hint: convert it, with ImageMagick by: convert FILE -colorspace sRGB FILE");
}

TEST_F(ImageTest, ResizesAsPillowDoes) {
  syl::Image image = syl::decodeImage(file("rgb.png"), 3);
  EXPECT_LE(difference(pixels(syl::resizeImage(image, 8, 5)), expected("rgb.png.smaller.npy")), 1);
  EXPECT_LE(difference(pixels(syl::resizeImage(image, 40, 30)), expected("rgb.png.larger.npy")), 1);
  EXPECT_EQ(pixels(syl::resizeImage(image, 21, 13)), pixels(image));
}

TEST_F(ImageTest, WhatIsWrittenIsRead) {
  syl::Image image = syl::decodeImage(file("rgb.png"), 3);
  syl::writePng(path("w.png"), image);
  EXPECT_EQ(pixels(syl::decodeImage(path("w.png"), 3)), pixels(image));
}

TEST_F(ImageTest, EveryCutOfAnImageIsAnError) {
  for (const char *name : {"rgb.png", "palette.png", "color.jpg", "progressive.jpg", "gray.jpg"}) {
    const std::string whole = readAll(file(name));
    for (size_t length = 0; length < whole.size(); ++length) {
      // A JPEG whose end marker alone is lost has all of its pixels.
      if (length + 2 >= whole.size() && whole[0] == '\xff')
        continue;
      EXPECT_THROW(syl::decodeImage(write("cut", whole.substr(0, length)), 3), syl::Error) << name << length;
    }
  }
}

TEST_F(ImageTest, EveryChangedByteDecodesOrIsAnError) {
  for (const char *name : {"rgb.png", "palette.png", "color.jpg", "progressive.jpg"}) {
    const std::string whole = readAll(file(name));
    for (size_t at = 0; at < whole.size(); ++at)
      for (int change : {0x01, 0x10, 0x80, 0xff}) {
        std::string damaged = whole;
        damaged[at] = char(damaged[at] ^ change);
        try {
          syl::Image image = syl::decodeImage(write("d", damaged), 3);
          EXPECT_EQ(image.pixels.size(), size_t(image.width * image.height * 3));
        } catch (const syl::Error &) {
        }
      }
  }
}

TEST_F(ImageTest, HugePromises) {
  std::string png = readAll(file("rgb.png"));
  png.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8)); // 65536 x 65536
  EXPECT_NE(errorOf([&] {
              syl::readImageSize(write("h.png", png));
            }).find("found an image of 65536 x 65536 pixels, expected 1 to 67108864 pixels"),
            std::string::npos);
  EXPECT_EQ(errorOf([&] { syl::decodeImage(write("t.png", "no image"), 3); }),
            path("t.png") + ": error: found neither the first bytes of a PNG nor those of a JPEG file\n"
                            "hint: convert it, or take it out of the folder");
}

TEST_F(ImageTest, ClassFolders) {
  copy("rgb.png", "d/dog/b.png");
  copy("color.jpg", "d/dog/deep/a.JPG");
  copy("gray.png", "d/cat/z.png");
  write("d/cat/notes.txt", "not an image");
  toy::Model model(options({13, 21, 3}));
  syl::DataSet set = syl::readDataSet(path("d"), *model.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 3);
  EXPECT_EQ(set.train.targets[0]->classNames(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(valuesOf<int64_t>(*set.train.targets[0]->array()), (std::vector<int64_t>{0, 1, 1}));
  std::string row(13 * 21 * 3, '\0');
  uint32_t last = 1; // dog/b.png comes before dog/deep/a.JPG
  set.train.inputs[0]->read(&last, 1, row.data());
  EXPECT_EQ(row, expected("rgb.png.rgb.npy"));
  toy::Model planar(options({3, 13, 21}));
  set = syl::readDataSet(path("d"), *planar.get(), syl::Parts::All);
  set.train.inputs[0]->read(&last, 1, row.data());
  EXPECT_EQ(row[13 * 21], expected("rgb.png.rgb.npy")[1]);
  EXPECT_EQ(syl::readInputs(path("d/dog"), *model.get()).count(), 1); // a folder of images without classes
  EXPECT_EQ(syl::readInputs(path("d/dog/b.png"), *model.get()).count(), 1);
}

TEST_F(ImageTest, TrainAndTestFolders) {
  copy("rgb.png", "d/train/a/1.png");
  copy("rgb.png", "d/train/b/1.png");
  copy("rgb.png", "d/val/b/1.png");
  toy::Model model(options({13, 21, 3}));
  for (const std::string &data : {path("d"), "train=" + path("d/train") + ",test=" + path("d/val")}) {
    syl::DataSet set = syl::readDataSet(data, *model.get(), syl::Parts::All);
    EXPECT_EQ(set.train.count(), 2);
    ASSERT_TRUE(set.test);
    EXPECT_EQ(valuesOf<int64_t>(*set.test->targets[0]->array()), (std::vector<int64_t>{1})); // as in the training part
  }
  copy("rgb.png", "d/val/c/1.png");
  EXPECT_EQ(error(path("d"), model),
            path("d/val/c") +
                ": error: found a class that the training part does not have, expected one of its folders");
}

TEST_F(ImageTest, SizesThatDiffer) {
  copy("rgb.png", "d/a/1.png");
  syl::writePng(path("small.png"), syl::resizeImage(syl::decodeImage(file("rgb.png"), 3), 8, 5));
  write("d/b/2.png", readAll(path("small.png")));
  toy::Model model(options({13, 21, 3}));
  EXPECT_EQ(error(path("d"), model),
            path("d/b/2.png") + ": error: found an image of 8 x 5 pixels (width x height), expected 21 x 13\n"
                                "hint: with `resize` among the network's `preprocess` steps, images of any size are "
                                "resized to its `input`");
  toy::Model resizing(options({5, 8, 3}, "{\"resizes\": [\"input\"]}"));
  syl::DataSet set = syl::readDataSet(path("d"), *resizing.get(), syl::Parts::All);
  std::string rows(2 * 5 * 8 * 3, '\0');
  uint32_t both[2] = {0, 1};
  set.train.inputs[0]->read(both, 2, rows.data());
  EXPECT_EQ(rows.substr(0, 120), rows.substr(120));
}

TEST_F(ImageTest, FoldersThatDoNotFit) {
  copy("rgb.png", "d/a/1.png");
  copy("rgb.png", "d/b/1.png");
  copy("rgb.png", "d/c/1.png");
  toy::Model model(options({13, 21, 3})), vectors;
  EXPECT_EQ(error(path("d"), model), path("d") + ": error: found 3 classes (a, b, c), expected the network's 2");
  EXPECT_EQ(error(path("d"), vectors), path("d") + ": error: found images, expected samples of shape [5], the input of "
                                                   "toy\nhint: an image's shape is [H, W, 3], or [H, W, 1] in gray");
  std::filesystem::remove_all(path("d/c"));
  std::filesystem::create_directories(path("d/b2"));
  std::filesystem::remove_all(path("d/b"));
  EXPECT_EQ(error(path("d"), model),
            path("d/b2") + ": error: found no image, expected .png or .jpg files of this class");
  write("d/b2/x.png", "broken");
  EXPECT_EQ(error(path("d"), model), path("d/b2/x.png") +
                                         ": error: found neither the first bytes of a PNG nor those of a JPEG file\n"
                                         "hint: convert it, or take it out of the folder");
}

TEST_F(ImageTest, Cifar10And100) {
  auto record = [](std::string labels, char first) {
    std::string bytes = labels;
    for (int i = 0; i < 3072; ++i)
      bytes += char(first + i / 1024);
    return bytes;
  };
  for (int i = 1; i <= 5; ++i)
    write("ten/data_batch_" + std::to_string(i) + ".bin", record(std::string(1, char(i % 2)), char(10 * i)));
  write("ten/test_batch.bin", record(std::string(1, '\1'), 'x'));
  toy::Model model(options({32, 32, 3}));
  syl::DataSet set = syl::readDataSet(path("ten"), *model.get(), syl::Parts::All);
  EXPECT_EQ(set.format, "CIFAR-10");
  EXPECT_EQ(set.train.count(), 5);
  EXPECT_EQ(set.test->count(), 1);
  EXPECT_EQ(valuesOf<uint8_t>(*set.train.targets[0]->array()), (std::vector<uint8_t>{1, 0, 1, 0, 1}));
  std::string row(3072, '\0');
  uint32_t third = 2;
  set.train.inputs[0]->read(&third, 1, row.data());
  EXPECT_EQ(row.substr(0, 6), "\x1e\x1f\x20\x1e\x1f\x20"); // 30, 31, 32: red, green, blue of one pixel
  EXPECT_EQ(syl::readDataSet(path("ten/data_batch_2.bin"), *model.get(), syl::Parts::All).train.count(), 1);

  write("hundred/train.bin", record(std::string("\1\0", 2), 'a') + record(std::string("\0\1", 2), 'b'));
  write("hundred/fine_label_names.txt", "apple\n");
  set = syl::readDataSet(path("hundred"), *model.get(), syl::Parts::All);
  EXPECT_EQ(set.format, "CIFAR-100");
  EXPECT_EQ(valuesOf<uint8_t>(*set.train.targets[0]->array()), (std::vector<uint8_t>{0, 1})); // the fine ones
  write("ten/data_batch_3.bin", "cut");
  EXPECT_EQ(error(path("ten"), model),
            path("ten/data_batch_3.bin") +
                ": error: found 3 bytes, expected a multiple of 3073, the bytes of a record of CIFAR-10\n"
                "hint: the file is truncated or damaged; unpack or download it again");
}

TEST_F(ImageTest, SplitDealsEachSampleOnce) {
  std::string x, y;
  for (int i = 0; i < 100; ++i)
    x += std::string(4, char(i)), y += char(i % 2);
  write("X.npy", npyBytes("|u1", "(100, 2, 2, 1)", x));
  write("Y.npy", npyBytes("|u1", "(100,)", y));
  toy::Model model(options({2, 2, 1}));
  syl::DataRequest request(folder);
  request.split = 0.9;
  syl::DataSet set = syl::readDataSet(request, *model.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 90);
  EXPECT_EQ(set.test->count(), 10);
  std::vector<uint32_t> all(*set.train.rows);
  all.insert(all.end(), set.test->rows->begin(), set.test->rows->end());
  std::sort(all.begin(), all.end());
  for (uint32_t i = 0; i < 100; ++i)
    EXPECT_EQ(all[i], i);
  EXPECT_NE(*set.test->rows, (std::vector<uint32_t>{90, 91, 92, 93, 94, 95, 96, 97, 98, 99}));
  EXPECT_EQ(*syl::readDataSet(request, *model.get(), syl::Parts::Test).test->rows, *set.test->rows);
  EXPECT_EQ(*syl::readInputs(request, *model.get()).rows, *set.test->rows);
  request.split = 0.001;
  EXPECT_EQ(errorOf([&] { syl::readDataSet(request, *model.get(), syl::Parts::All); }),
            folder + ": error: found 100 samples, of which --split 0.001 leaves none for one of the parts");
  write("X_test.npy", npyBytes("|u1", "(1, 2, 2, 1)", "abcd"));
  write("Y_test.npy", npyBytes("|u1", "(1,)", std::string(1, '\0')));
  EXPECT_EQ(errorOf([&] { syl::readDataSet(request, *model.get(), syl::Parts::All); }),
            "--split: error: found a test part in " + folder +
                ", expected none\nhint: --data train=DATA takes the training part alone");
  request.data = "train=" + folder;
  request.split = 0.5;
  EXPECT_EQ(syl::readDataSet(request, *model.get(), syl::Parts::All).test->count(), 50);
}

} // namespace
