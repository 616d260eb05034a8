//===- Policies.cpp - how the learning rate moves, and what happens to gradients and weights ----------------------===//
//
// Names and defaults are those of torch.optim.lr_scheduler; formulas stand in compiler/ops/Schedules.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Policies.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

#include <algorithm>
#include <limits>

namespace sylvite {

using yaml::Node;

namespace {

constexpr int64_t most = std::numeric_limits<int32_t>::max();

enum class Range { NotNegative, Positive, Share, Count, Whole };

/// A number that a section takes.
struct NumberKey {
  std::string key;
  Range range;
  double otherwise = 0;
  enum { Default, Required, Optional } presence = Default;
};

struct ScheduleRecord {
  std::string name;
  std::vector<NumberKey> numbers;
};

const std::vector<ScheduleRecord> &scheduleRecords() {
  static const NumberKey gamma{"gamma", Range::Positive, 0.1}, total{"total", Range::Count, 0, NumberKey::Optional};
  static const std::vector<ScheduleRecord> records = {
      {"constant", {}},
      {"step", {{"size", Range::Count, 0, NumberKey::Required}, gamma}},
      {"multistep", {gamma}}, // and milestones
      {"exponential", {{"gamma", Range::Positive, 0, NumberKey::Required}}},
      {"polynomial", {{"power", Range::Positive, 1}, {"end", Range::NotNegative, 0}, total}},
      {"cosine", {{"min", Range::NotNegative, 0}, total}}, // and restarts
      {"one_cycle",
       {{"max", Range::Positive, 0, NumberKey::Required},
        {"pct_start", Range::Share, 0.3},
        {"div_factor", Range::Positive, 25},
        {"final_div_factor", Range::Positive, 1e4},
        total}},
      {"reduce_on_plateau",
       {{"factor", Range::Share, 0.1},
        {"patience", Range::Whole, 10},
        {"threshold", Range::NotNegative, 1e-4},
        {"cooldown", Range::Whole, 0},
        {"min", Range::NotNegative, 0}}},
  };
  return records;
}

std::vector<std::string> keysOf(const ScheduleRecord &record) {
  std::vector<std::string> keys;
  for (const NumberKey &number : record.numbers)
    keys.push_back(number.key);
  if (record.name == "multistep")
    keys.push_back("milestones");
  if (record.name == "cosine")
    keys.push_back("restarts");
  if (record.name == "reduce_on_plateau")
    keys.push_back("monitor");
  else if (record.name != "constant")
    keys.push_back("per");
  return keys;
}

class PolicyReader {
public:
  PolicyReader(ValueReader &reader) : reader(reader) {}

  Policies read(const Node &training) {
    if (const Node *node = training.find("schedule"))
      readSchedule(*node);
    if (const Node *node = training.find("warmup"))
      readWarmup(*node);
    if (const Node *node = training.find("steps_per_epoch"))
      if (auto value = number(*node, "training: steps_per_epoch", Range::Count))
        policies.stepsPerEpoch = *value;
    for (auto [key, range] : {std::pair<const char *, Range>{"clip_norm", Range::Positive},
                              {"clip_value", Range::Positive},
                              {"accumulate", Range::Count},
                              {"ema", Range::Share}})
      if (const Node *node = training.find(key))
        if (auto value = number(*node, std::string("training: ") + key, range))
          policies.gradients.emplace_back(key, *value);
    if (const Node *node = training.find("early_stopping"))
      readEarlyStopping(*node);
    return std::move(policies);
  }

private:
  ValueReader &reader;
  Policies policies;

  std::optional<double> number(const Node &node, const std::string &what, Range range) {
    if (range == Range::Count || range == Range::Whole) {
      auto whole = reader.whole(node, what, range == Range::Count, most);
      return whole ? std::optional<double>(double(*whole)) : std::nullopt;
    }
    auto value = reader.number(node, what);
    if (!value)
      return std::nullopt;
    bool fits = range == Range::NotNegative ? *value >= 0 : *value > 0 && (range != Range::Share || *value < 1);
    if (fits)
      return value;
    const char *asked = range == Range::NotNegative ? "0 or more"
                        : range == Range::Positive  ? "more than 0"
                                                    : "between 0 and 1";
    reader.error(node, what + " must be " + asked + ", found " + ValueReader::describe(node));
    return std::nullopt;
  }

  /// Reads the numbers of a section; `node` may be null.
  void readNumbers(const Node *node, const Node &place, const std::string &what, const std::vector<NumberKey> &keys,
                   const std::vector<std::string> &known, Numbers &numbers) {
    for (const NumberKey &each : keys) {
      const Node *given = node ? node->find(each.key) : nullptr;
      if (given) {
        if (auto value = number(*given, what + ": " + each.key, each.range))
          numbers.emplace_back(each.key, *value);
      } else if (each.presence == NumberKey::Default) {
        numbers.emplace_back(each.key, each.otherwise);
      } else if (each.presence == NumberKey::Required && !(node && ValueReader::isMisspelt(*node, each.key, known))) {
        reader.error(place, what + ": the key '" + each.key + "' is missing", what + ": {" + each.key + ": NUMBER}");
      }
    }
  }

  /// The kind's settings where the node is {kind: settings}, checked to be a map of known keys; null without.
  void readSchedule(const Node &node) {
    std::vector<std::string> names;
    for (const ScheduleRecord &record : scheduleRecords())
      names.push_back(record.name);
    bool isMap = node.kind == Node::Kind::Map;
    if (isMap && node.entries.size() != 1)
      return reader.error(node,
                          "training: schedule must be one name with its settings, found a map of " +
                              std::to_string(node.entries.size()) + " keys",
                          "schedule: {cosine: {min: 1e-5}}");
    const Node &place = isMap ? *node.entries[0].first : node;
    auto name = reader.word(place, "training: schedule", names);
    if (!name)
      return;
    const ScheduleRecord &record = *std::find_if(scheduleRecords().begin(), scheduleRecords().end(),
                                                 [&](const ScheduleRecord &each) { return each.name == *name; });
    const Node *given =
        isMap && node.entries[0].second->kind != Node::Kind::Null ? node.entries[0].second.get() : nullptr;
    std::vector<std::string> known = keysOf(record);
    if (given && !reader.checkKeys(*given, *name, known) && given->kind != Node::Kind::Map)
      return;
    policies.schedule = *name;
    Numbers &numbers = policies.scheduleNumbers;
    readNumbers(given, place, *name, record.numbers, known, numbers);
    static const std::vector<std::string> units = {"epoch", "step"};
    const Node *per = given ? given->find("per") : nullptr;
    if (per)
      numbers.emplace_back("per_step", reader.word(*per, *name + ": per", units) == "step" ? 1 : 0);
    if (const Node *monitor = *name == "reduce_on_plateau" && given ? given->find("monitor") : nullptr)
      policies.scheduleMonitor = reader.name(*monitor, *name + ": monitor", false).value_or("");
    if (*name == "multistep")
      readMilestones(given ? given->find("milestones") : nullptr, place);
    if (const Node *restarts = *name == "cosine" && given ? given->find("restarts") : nullptr)
      readRestarts(*restarts);
  }

  void readMilestones(const Node *node, const Node &place) {
    if (!node)
      return reader.error(place, "multistep: the key 'milestones' is missing", "multistep: {milestones: [30, 60]}");
    if (node->kind != Node::Kind::Sequence || node->items.empty())
      return reader.error(*node, "multistep: milestones must be a list of whole numbers, found " +
                                     ValueReader::describe(*node));
    for (const auto &item : node->items)
      if (auto value = number(*item, "multistep: milestones", Range::Count)) {
        if (!policies.milestones.empty() && *value <= policies.milestones.back())
          reader.error(*item, "multistep: milestones must rise, found " + ValueReader::describe(*item) + " after " +
                                  std::to_string(int64_t(policies.milestones.back())));
        policies.milestones.push_back(*value);
      }
  }

  /// The first cycle's length, or {first, factor}.
  void readRestarts(const Node &node) {
    static const std::vector<NumberKey> keys = {{"first", Range::Count, 0, NumberKey::Required},
                                                {"factor", Range::Count, 1}};
    Numbers numbers;
    if (node.kind == Node::Kind::Map) {
      reader.checkKeys(node, "restarts", {"first", "factor"});
      readNumbers(&node, node, "restarts", keys, {"first", "factor"}, numbers);
    } else if (auto value = number(node, "cosine: restarts", Range::Count)) {
      numbers = {{"first", *value}, {"factor", 1}};
    }
    for (const auto &[key, value] : numbers)
      policies.scheduleNumbers.emplace_back("restarts_" + key, value);
  }

  void readWarmup(const Node &node) {
    if (!reader.checkKeys(node, "warmup", {"steps", "epochs", "start_factor"}) && node.kind != Node::Kind::Map)
      return;
    const Node *steps = node.find("steps"), *epochs = node.find("epochs"), *start = node.find("start_factor");
    if (steps && epochs)
      reader.error(*epochs, "warmup: takes steps or epochs, found both");
    else if (!steps && !epochs)
      reader.error(node, "warmup: the key 'steps' is missing", "warmup: {steps: 500}, or {epochs: 5}");
    double factor = 1.0 / 3;
    if (start)
      if (auto value = number(*start, "warmup: start_factor", Range::NotNegative)) {
        factor = *value;
        if (factor > 1)
          reader.error(*start, "warmup: start_factor must be from 0 to 1, found " + ValueReader::describe(*start));
      }
    if (policies.schedule.empty())
      policies.schedule = "constant";
    if (steps)
      if (auto value = number(*steps, "warmup: steps", Range::Count))
        policies.scheduleNumbers.emplace_back("warmup_steps", *value);
    if (epochs && !steps)
      if (auto value = number(*epochs, "warmup: epochs", Range::Positive))
        policies.scheduleNumbers.emplace_back("warmup_epochs", *value);
    policies.scheduleNumbers.emplace_back("warmup_start", factor);
  }

  void readEarlyStopping(const Node &node) {
    static const std::vector<NumberKey> keys = {{"patience", Range::Count, 3}, {"min_delta", Range::NotNegative, 0}};
    if (!reader.checkKeys(node, "early_stopping", {"patience", "min_delta", "monitor"}) && node.kind != Node::Kind::Map)
      return;
    policies.stopsEarly = true;
    if (const Node *monitor = node.find("monitor"))
      policies.monitor = reader.name(*monitor, "early_stopping: monitor", false).value_or("");
    readNumbers(&node, node, "early_stopping", keys, {"patience", "min_delta", "monitor"}, policies.earlyStopping);
  }
};

} // namespace

const std::vector<std::string> &policyKeys() {
  static const std::vector<std::string> keys = {"schedule",   "warmup", "steps_per_epoch", "clip_norm", "clip_value",
                                                "accumulate", "ema",    "early_stopping"};
  return keys;
}

const std::vector<std::pair<std::string, std::vector<std::string>>> &policySections() {
  static const auto sections = [] {
    std::vector<std::pair<std::string, std::vector<std::string>>> all;
    for (const ScheduleRecord &record : scheduleRecords())
      all.emplace_back(record.name, keysOf(record));
    all.push_back({"warmup", {"steps", "epochs", "start_factor"}});
    all.push_back({"early_stopping", {"patience", "min_delta", "monitor"}});
    return all;
  }();
  return sections;
}

Policies readPolicies(const Node &training, ValueReader &reader) { return PolicyReader(reader).read(training); }

static mlir::DictionaryAttr dictionaryOf(mlir::NamedAttrList &attributes, const Numbers &numbers,
                                         mlir::Builder &builder) {
  for (const auto &[key, value] : numbers)
    attributes.set(key, builder.getF64FloatAttr(value));
  return attributes.getDictionary(builder.getContext());
}

void setPolicies(const Policies &policies, int64_t epochs, mlir::Builder &builder, mlir::NamedAttrList &optimizer) {
  for (const auto &[key, value] : policies.gradients)
    optimizer.set(key, builder.getF64FloatAttr(value));
  if (policies.schedule.empty())
    return;
  mlir::NamedAttrList schedule;
  schedule.set("kind", builder.getStringAttr(policies.schedule));
  if (!policies.scheduleMonitor.empty())
    schedule.set("monitor", builder.getStringAttr(policies.scheduleMonitor));
  schedule.set("epochs", builder.getF64FloatAttr(double(epochs)));
  if (policies.stepsPerEpoch)
    schedule.set("steps_per_epoch", builder.getF64FloatAttr(policies.stepsPerEpoch));
  if (!policies.milestones.empty())
    schedule.set("milestones", builder.getDenseF64ArrayAttr(policies.milestones));
  optimizer.set("schedule", dictionaryOf(schedule, policies.scheduleNumbers, builder));
}

mlir::DictionaryAttr earlyStoppingOf(const Policies &policies, mlir::Builder &builder) {
  if (!policies.stopsEarly)
    return nullptr;
  mlir::NamedAttrList attributes;
  if (!policies.monitor.empty())
    attributes.set("monitor", builder.getStringAttr(policies.monitor));
  return dictionaryOf(attributes, policies.earlyStopping, builder);
}

} // namespace sylvite
