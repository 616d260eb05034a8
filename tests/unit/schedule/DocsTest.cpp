// docs/schedule-file.md names every directive and option, and its examples are right.
#include "compiler/schedule/DirectiveTable.h"
#include "compiler/schedule/Rules.h"
#include "compiler/support/Files.h"

#include <gtest/gtest.h>

#include <regex>
#include <sstream>

namespace sylvite {
namespace {

std::string page() {
  std::string error;
  auto text = readFile(SYLVITE_DOCS "/schedule-file.md", 1 << 20, error);
  EXPECT_TRUE(text) << error;
  return text.value_or("");
}

TEST(Docs, NameEveryDirectiveAndOption) {
  std::string text = page();
  std::vector<std::string> names = schedule::directiveNames();
  for (const auto &[name, reason] : schedule::refusedDirectives())
    names.push_back(name);
  for (const std::string &name : names)
    EXPECT_TRUE(std::regex_search(text, std::regex("`" + name + "[`:]"))) << name;
  for (const auto &options : {schedule::kTails, schedule::kMemories, schedule::kPolicies, schedule::kAlignments,
                              schedule::kDirections, schedule::kPrefetchBounds})
    for (const std::string &option : options)
      EXPECT_TRUE(text.find("`" + option + "`") != std::string::npos) << option;
  for (const char *key : {"kernel", "when", "tune", "let", "algorithm", "schedule"})
    EXPECT_TRUE(std::regex_search(text, std::regex("\\| `" + std::string(key) + "` +\\|"))) << key;
}

TEST(Docs, ExamplesAreRules) {
  std::istringstream lines(page());
  std::string block;
  bool inside = false;
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (inside && line == "```") {
      Diagnostics diagnostics;
      EXPECT_TRUE(ScheduleSet::parse({{"schedule-file.md", block}}, diagnostics)) << diagnostics.str() << block;
      ++count;
      inside = false;
    } else if (inside) {
      block += line + "\n";
    } else if (line == "```yaml") {
      inside = true;
      block.clear();
    }
  }
  EXPECT_EQ(count, 4);
}

TEST(Docs, EveryDirectiveInATableIsRight) {
  // `key: arguments` in the first column.
  std::istringstream lines(page());
  std::regex directive("`([a-z_]+: [^`]+)`");
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| `", 0) != 0)
      continue;
    std::string cell = line.substr(0, line.find(" | "));
    for (std::sregex_iterator match(cell.begin(), cell.end(), directive), end; match != end; ++match) {
      std::string text = "- {kernel: a, schedule: {" +
                         std::string((*match)[1].str().find("rfactor") == 0 ? "f.update" : "f") + ": {" +
                         (*match)[1].str() + "}}}";
      Diagnostics diagnostics;
      ScheduleSet::parse({{"cell", text}}, diagnostics);
      EXPECT_EQ(diagnostics.str(), "") << text;
      ++count;
    }
  }
  EXPECT_GT(count, 35);
}

} // namespace
} // namespace sylvite
