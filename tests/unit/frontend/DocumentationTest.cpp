// docs/network-file.md has every key, its default, and the page of PyTorch that a layer follows.
#include "TestNetwork.h"

#include "compiler/frontend/LayerTable.h"

#include <regex>

namespace sylvite::test {

/// The lines between a heading that names `section` in backticks and the next heading.
static std::string sectionOf(const std::string &text, const std::string &section) {
  std::istringstream lines(text);
  std::string line, result;
  bool isInside = false;
  while (std::getline(lines, line)) {
    if (line.starts_with("#"))
      isInside = line.find("`" + section + "`") != std::string::npos;
    else if (isInside)
      result += line + "\n";
  }
  return result;
}

/// The table row whose first cell is `key`.
static std::string rowOf(const std::string &section, const std::string &key) {
  std::istringstream lines(section);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("| `" + key + "` "))
      return line;
  return "";
}

TEST(Documentation, HasEveryKeyAndDefault) {
  const std::string page = slurp(SYLVITE_SOURCE_DIR "/docs/network-file.md");
  ASSERT_FALSE(page.empty());
  for (const NetworkKey &key : networkKeys()) {
    std::string section = sectionOf(page, key.section.empty() ? "NET.yaml" : key.section);
    EXPECT_FALSE(section.empty()) << "no section on " << key.section;
    if (key.key.empty())
      continue;
    std::string row = rowOf(section, key.key);
    EXPECT_FALSE(row.empty()) << "no row for " << key.section << ": " << key.key;
    if (!key.defaultText.empty()) {
      EXPECT_THAT(row, testing::HasSubstr("| `" + key.defaultText + "` ")) << key.section << ": " << key.key;
    }
  }
}

TEST(Documentation, NamesTheSourceOfEveryLayer) {
  const std::string page = slurp(SYLVITE_SOURCE_DIR "/docs/network-file.md");
  for (const LayerRecord &record : layerRecords()) {
    std::smatch source;
    ASSERT_TRUE(std::regex_search(record.description, source, std::regex("Source: (torch[A-Za-z0-9_.]*[A-Za-z0-9])")))
        << record.name << ": its description in NnOps.td names no source";
    EXPECT_THAT(sectionOf(page, record.name), testing::HasSubstr("`" + source[1].str() + "`")) << record.name;
  }
}

/// Every fenced YAML block of the page that is a whole network file compiles.
TEST(Documentation, ExamplesAreValid) {
  const std::string page = slurp(SYLVITE_SOURCE_DIR "/docs/network-file.md");
  int count = 0;
  for (size_t at = page.find("```yaml\nname:"); at != std::string::npos; at = page.find("```yaml\nname:", at + 1)) {
    size_t start = at + 8, end = page.find("```", start);
    Network net(page.substr(start, end - start));
    EXPECT_TRUE(net.module) << net.errors();
    ++count;
  }
  EXPECT_GE(count, 2);
}

} // namespace sylvite::test
