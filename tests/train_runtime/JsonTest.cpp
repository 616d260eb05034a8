// JSON: what is read back is what was written, and every text that is none is refused. Layer: tests.
#include "runtime/data/Json.h"
#include "Scratch.h"

#include <limits>

namespace {

using namespace syltest;
using syl::Json;

std::string again(const std::string &text) { return Json::parse(text).dump(); }

TEST(Json, ReadAndWritten) {
  for (const char *text :
       {"null", "true", "false", "0", "-1", "18446744073709551615", "-9223372036854775808", "0.5", "1e-07",
        "\"a \\\"b\\\" \\n\"", "[]", "{}", "[1, [2, [3]], {}]", "{\"a\": {\"b\": [null, true]}, \"c\": \"\"}"})
    EXPECT_EQ(again(text), text);
  EXPECT_EQ(again(" { \"a\" :[1.0 ,2]}\n"), "{\"a\": [1.0, 2]}");
  EXPECT_EQ(Json::parse("{\"a\": [1, {}], \"b\": {\"c\": []}}").dump(true),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": []\n  }\n}");
  EXPECT_EQ(Json("caf\xc3\xa9 \xff").dump(), "\"caf\xc3\xa9 \xef\xbf\xbd\"");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Json(std::vector<std::pair<std::string, int>>{{"a", -1}, {"b", 2}}).dump(), "[[\"a\", -1], [\"b\", 2]]");
}

TEST(Json, TextsThatAreNone) {
  for (const char *text : {"", " ", "[1", "{\"a\"}", "{\"a\": }", "tru", "1 2", "[1,]", "'a'", "{a: 1}", "nan", "\xff"})
    EXPECT_EQ(errorOf([&] { Json::parse(text); }).find("found no JSON at byte "), 0u) << text;
}

TEST(Json, Depth) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(again(nested(Json::depthLimit)), nested(64));
  EXPECT_EQ(errorOf([&] { Json::parse(nested(65)); }), "found lists and maps that are nested deeper than 64");
  EXPECT_EQ(errorOf([&] { Json::parse(std::string(1000000, '[')); }),
            "found lists and maps that are nested deeper than 64");
}

TEST(Json, ValuesInTypes) {
  const Json map = Json::parse(R"({"big": 18446744073709551615, "minus": -1, "real": 2.5, "yes": true, "text": "t",
                                   "pairs": [["a", "b"], ["c", "d"]], "none": null})");
  uint64_t big = 0;
  map.at("big").get(big);
  EXPECT_EQ(big, UINT64_MAX);
  int32_t small = 0;
  map.at("minus").get(small);
  EXPECT_EQ(small, -1);
  double number = 0;
  map.at("minus").get(number);
  EXPECT_EQ(number, -1);
  map.at("real").get(number);
  EXPECT_EQ(number, 2.5);
  bool yes = false;
  map.at("yes").get(yes);
  EXPECT_TRUE(yes);
  std::vector<std::pair<std::string, std::string>> pairs;
  map.at("pairs").get(pairs);
  EXPECT_EQ(pairs, (std::vector<std::pair<std::string, std::string>>{{"a", "b"}, {"c", "d"}}));
  EXPECT_TRUE(map.at("none").isNull());
  EXPECT_EQ(map.find("other"), nullptr);
  EXPECT_EQ(errorOf([&] { map.at("other"); }), "found no key 'other'");
  const char *wanted = "a whole number in range";
  for (auto [key, found] : {std::pair("big", "18446744073709551615"), {"real", "2.5"}, {"text", "\"t\""}})
    EXPECT_EQ(errorOf([&, key = key] { map.at(key).get(small); }),
              std::string("found ") + found + ", expected " + wanted);
  EXPECT_EQ(errorOf([&] { map.at("minus").get(big); }), std::string("found -1, expected ") + wanted);
  EXPECT_EQ(errorOf([&] { map.at("big").get(yes); }), "found 18446744073709551615, expected true or false");
  std::string text;
  EXPECT_EQ(errorOf([&] { map.at("yes").get(text); }), "found true, expected a text");
  EXPECT_EQ(errorOf([&] { map.at("yes").get(number); }), "found true, expected a number");
  EXPECT_EQ(errorOf([&] { map.at("text").get(pairs); }), "found \"t\", expected a list");
  std::pair<std::string, std::string> pair;
  EXPECT_EQ(errorOf([&] { Json::parse("[\"a\"]").get(pair); }), "found [\"a\"], expected a list of two");
}

} // namespace
