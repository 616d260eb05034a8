// Directives about a whole Func: where it is computed and stored, its bounds, layout and wrappers. Layer: schedule;
// Halide.
#include "compiler/schedule/Applier.h"

#include "compiler/support/Names.h"

#include <algorithm>
#include <tuple>

namespace sylvite {

using namespace schedule;

bool Applier::applyToFunc(Call &call) {
  switch (call.directive.op) {
  case Op::ComputeAt:
  case Op::HoistStorage:
  case Op::StoreAt:
    return computeOrStoreAt(call);
  case Op::ComputeInline:
  case Op::ComputeRoot:
  case Op::HoistStorageRoot:
  case Op::StoreIn:
  case Op::StoreRoot:
    return placement(call);
  case Op::ReorderStorage:
    return reorderStorage(call);
  case Op::Dimension:
  case Op::HostAlignment:
    return dimension(call);
  case Op::CloneIn:
  case Op::In:
    return wrapper(call);
  default:
    return boundsAndStorage(call);
  }
}

/// compute_at, store_at, hoist_storage: [consumer, var]. A consumer without a stage means whichever stage has the Var.
bool Applier::computeOrStoreAt(Call &call) {
  const Directive &d = call.directive;
  Entry *consumer = findFunc(d, d.target->role);
  if (!consumer)
    return false;
  Entry &entry = funcs.entry(call.role);
  if (entry.isOutput)
    return fail(d, d.location, "'" + call.role + "' is an output of the kernel and is computed at the root");
  if (consumer->role == call.role)
    return fail(d, d.target->role.location, "'" + call.role + "' cannot be computed or stored inside itself");
  if (consumer->input)
    return fail(d, d.target->role.location, "'" + consumer->role + "' is an input of the kernel and has no loops");
  size_t stage = static_cast<size_t>(d.target->stage);
  if (stage >= consumer->stages.size())
    return fail(d, d.target->role.location, std::string("there is no stage '").append(d.target->str()).append("'"));
  std::optional<Loop> loop;
  if (!d.target->named)
    // The last stage that has it: an update reads more often than the pure definition does.
    for (size_t s = 0; s < consumer->stages.size(); ++s)
      for (const Loop &candidate : KernelFuncs::loops(*consumer, s))
        if (candidate.name == d.vars[0].text)
          loop = candidate;
  if (!loop) {
    if (!d.target->named)
      for (const KernelFuncs::StageState &state : consumer->stages)
        if (state.poisoned.count(d.vars[0].text))
          return false;
    loop = findLoop(d, *consumer, stage, d.vars[0]);
  }
  if (!loop)
    return false;
  call.arguments = std::string("[").append(d.target->str()).append(", ").append(loop->name).append("]");
  levels.push_back({&d, call.role, consumer->role, loop->name});
  return halide(d, [&] {
    Halide::LoopLevel level(consumer->func, halideLoop(loop->halideName, loop->isRVar));
    if (d.op == Op::ComputeAt)
      entry.func.compute_at(level);
    else if (d.op == Op::StoreAt)
      entry.func.store_at(level);
    else
      entry.func.hoist_storage(level);
  });
}

bool Applier::placement(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  if (d.op == Op::ComputeInline && (entry.isOutput || entry.stages.size() > 1))
    return fail(d, d.location,
                "'" + call.role + (entry.isOutput ? "' is an output of the kernel" : "' has an update") +
                    " and cannot be inlined");
  static const std::map<std::string, Halide::MemoryType> memories = {
      {"stack", Halide::MemoryType::Stack},
      {"heap", Halide::MemoryType::Heap},
      {"register", Halide::MemoryType::Register},
      {"auto", Halide::MemoryType::Auto},
  };
  call.arguments = d.option.text;
  return halide(d, [&] {
    if (d.op == Op::ComputeInline)
      entry.func.compute_inline();
    else if (d.op == Op::ComputeRoot)
      entry.func.compute_root();
    else if (d.op == Op::HoistStorageRoot)
      entry.func.hoist_storage_root();
    else if (d.op == Op::StoreRoot)
      entry.func.store_root();
    else
      entry.func.store_in(memories.at(d.option.text));
  });
}

/// Halide takes the last word on bounds that are stated twice, and an output's are the compiler's. True or false if
/// they are stated already and this directive repeats or contradicts them, nothing if they are not.
std::optional<bool> Applier::agreesWithBounds(const Directive &d, const Entry &entry, const std::string &var,
                                              std::optional<int> min, int extent) {
  std::vector<std::pair<Halide::Expr, Halide::Expr>> stated;
  for (const Halide::Internal::Bound &bound : entry.func.function().schedule().bounds())
    if (bound.var == var && bound.extent.defined())
      stated.push_back({bound.min, bound.extent});
  if (entry.isOutput && entry.func.outputs() == 1) {
    auto axis = std::find(entry.dims.begin(), entry.dims.end(), d.vars[0].text) - entry.dims.begin();
    Halide::Parameter buffer = entry.func.output_buffer().parameter();
    stated.push_back({buffer.min_constraint(static_cast<int>(axis)), buffer.extent_constraint(static_cast<int>(axis))});
  }
  bool any = false;
  for (const auto &[statedMin, statedExtent] : stated)
    for (const auto &[what, expression, value] :
         {std::tuple("extent", statedExtent, std::optional<int>(extent)), std::tuple("minimum", statedMin, min)}) {
      if (!expression.defined() || !value)
        continue;
      any = true;
      Halide::Expr simple = Halide::Internal::simplify(expression);
      auto number = Halide::Internal::as_const_int(simple);
      if (!number || *number != *value)
        return fail(d, d.location,
                    std::string("the ") + what + " of '" + d.vars[0].text + "' is already fixed" +
                        (number ? " to " + std::to_string(*number) : " at run time"));
    }
  return any ? std::optional<bool>(true) : std::nullopt;
}

bool Applier::boundsAndStorage(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  auto name = findDimension(d, entry, d.vars[0]);
  bool isFirstMin = d.op == Op::Bound; // of bound the first number is a coordinate
  std::vector<int> n;
  for (size_t i = 0; i < d.numbers.size(); ++i) {
    bool mayBeZero = (isFirstMin && i == 0) || (d.op == Op::AlignBounds && i == 1);
    auto value = number(d, d.numbers[i], isFirstMin && i == 0 ? -(int64_t(1) << 31) : mayBeZero ? 0 : 1);
    if (!value)
      return false;
    n.push_back(*value);
  }
  if (!name)
    return false;
  Halide::Var var(*name);
  Halide::Func &func = entry.func;
  call.arguments = "[" + d.vars[0].text;
  for (int value : n)
    call.arguments += ", " + std::to_string(value);
  call.arguments += (d.option.text.empty() ? "" : ", " + d.option.text) + "]";
  if (d.op == Op::Bound || d.op == Op::BoundExtent)
    if (auto agrees =
            agreesWithBounds(d, entry, *name, d.op == Op::Bound ? std::optional<int>(n[0]) : std::nullopt, n.back()))
      return *agrees;
  bool done = halide(d, [&] {
    switch (d.op) {
    case Op::AlignBounds:
      func.align_bounds(var, n[0], n.size() > 1 ? n[1] : 0);
      break;
    case Op::AlignExtent:
      func.align_extent(var, n[0]);
      break;
    case Op::AlignStorage:
      func.align_storage(var, n[0]);
      break;
    case Op::Bound:
      func.bound(var, n[0], n[1]);
      break;
    case Op::BoundExtent:
      func.bound_extent(var, n[0]);
      break;
    case Op::BoundStorage:
      func.bound_storage(var, n[0]);
      break;
    default:
      func.fold_storage(var, n[0], d.option.text != "backward");
    }
  });
  if (done && (d.op == Op::Bound || d.op == Op::BoundExtent))
    for (size_t s = 0; s < entry.stages.size(); ++s)
      for (const Loop &loop : KernelFuncs::loops(entry, s))
        if (loop.name == d.vars[0].text)
          entry.stages[s].extents[loop.name] = n.back();
  return done;
}

bool Applier::reorderStorage(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  std::vector<Halide::Var> order;
  std::vector<std::string> seen;
  for (const Word &word : d.vars) {
    auto name = findDimension(d, entry, word);
    if (!name)
      return false;
    if (std::count(seen.begin(), seen.end(), word.text))
      return fail(d, word.location, "'" + word.text + "' is named twice");
    seen.push_back(word.text);
    order.push_back(Halide::Var(*name));
    call.arguments += (call.arguments.empty() ? "[" : ", ") + word.text;
  }
  call.arguments += "]";
  return halide(d, [&] { entry.func.reorder_storage(order); });
}

/// dimension, host_alignment: what the kernel may rely on in the buffer of an input or output.
bool Applier::dimension(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  if (!entry.input && !entry.isOutput)
    return fail(d, d.location, "'" + call.role + "' is neither an input nor an output of the kernel");
  auto first = number(d, d.numbers[0], d.op == Op::Dimension ? 0 : 1);
  if (!first)
    return false;
  auto withBuffer = [&](auto &&action) {
    if (entry.input)
      action(*entry.input);
    else
      action(entry.func.output_buffer());
  };
  if (d.op == Op::HostAlignment) {
    call.arguments = std::to_string(*first);
    return halide(d, [&] { withBuffer([&](auto buffer) { buffer.set_host_alignment(*first); }); });
  }
  if (static_cast<size_t>(*first) >= entry.dims.size())
    return fail(d, d.numbers[0].location(),
                "'" + call.role + "' has " + std::to_string(entry.dims.size()) + " axes, numbered from 0");
  call.arguments = "axis " + std::to_string(*first);
  for (const auto &[key, expression] : d.settings) {
    auto value = number(d, expression, key.text == "extent" ? 1 : -(int64_t(1) << 31));
    if (!value)
      return false;
    call.arguments += ", " + key.text + " " + std::to_string(*value);
    Halide::Parameter parameter = entry.input ? entry.input->parameter() : entry.func.output_buffer().parameter();
    Halide::Expr stated = key.text == "min"      ? parameter.min_constraint(*first)
                          : key.text == "extent" ? parameter.extent_constraint(*first)
                                                 : parameter.stride_constraint(*first);
    if (stated.defined()) {
      auto fixed = Halide::Internal::as_const_int(Halide::Internal::simplify(stated));
      if (!fixed || *fixed != *value)
        return fail(d, key.location,
                    "the " + key.text + " of axis " + std::to_string(*first) + " is already fixed" +
                        (fixed ? " to " + std::to_string(*fixed) : " at run time"));
      continue;
    }
    bool done = halide(d, [&, what = key.text] {
      withBuffer([&](auto buffer) {
        if (what == "min")
          buffer.dim(*first).set_min(*value);
        else if (what == "extent")
          buffer.dim(*first).set_extent(*value);
        else
          buffer.dim(*first).set_stride(*value);
      });
    });
    if (!done)
      return false;
  }
  return true;
}

/// The Funcs that a wrapper is for; `defaultName` becomes `<producer>_in_<first consumer>` or `<producer>_copy`.
std::optional<std::vector<Halide::Func>> Applier::findConsumers(Call &call, std::string &defaultName) {
  const Directive &d = call.directive;
  const Word producerName = d.target ? d.target->role : Word{call.role, d.location};
  const Entry *producer = findFunc(d, producerName);
  if (!producer)
    return std::nullopt;
  std::vector<Halide::Func> consumers;
  defaultName = producer->role + "_copy";
  for (const Word &name : d.consumers) {
    const Entry *consumer = findFunc(d, name);
    if (!consumer)
      return std::nullopt;
    if (!producer->isMade && !consumer->isMade) {
      auto calls = Halide::Internal::find_direct_calls(consumer->func.function());
      if (!calls.count(producer->func.name())) {
        fail(d, name.location, "'" + name.text + "' does not read '" + producer->role + "'");
        return std::nullopt;
      }
    }
    if (consumers.empty())
      defaultName = producer->role + (d.op == Op::In ? "_in_" : "_clone_in_") + consumer->role;
    consumers.push_back(consumer->func);
  }
  if (consumers.empty() && d.op == Op::CloneIn) {
    fail(d, d.location, "needs 'for'");
    return std::nullopt;
  }
  return consumers;
}

bool Applier::wrapper(Call &call) {
  const Directive &d = call.directive;
  std::string role;
  auto consumers = findConsumers(call, role);
  if (!consumers)
    return false;
  if (!d.newRole.text.empty())
    role = d.newRole.text;
  if (funcs.has(role))
    return fail(d, d.newRole.text.empty() ? d.location : d.newRole.location,
                "the kernel already has a Func '" + role + "'",
                d.newRole.text.empty() ? "name the new one with 'as'" : "");
  Entry &producer = funcs.entry(d.target ? d.target->role.text : call.role);
  Halide::Func made;
  bool done = halide(d, [&] {
    if (d.op == Op::CloneIn)
      made = producer.func.clone_in(*consumers);
    else if (producer.input)
      made = consumers->empty() ? producer.input->in() : producer.input->in(*consumers);
    else
      made = consumers->empty() ? producer.func.in() : producer.func.in(*consumers);
  });
  if (!done)
    return false;
  if (std::string existing = funcs.roleOf(made.name()); !existing.empty())
    return fail(d, d.location, "there already is such a wrapper, '" + existing + "'");
  call.arguments = producer.role;
  for (size_t i = 0; i < d.consumers.size(); ++i)
    call.arguments += (i == 0 ? " for " : ", ") + d.consumers[i].text;
  call.arguments += " as " + role;
  Entry entry = funcs.makeEntry(role, made, producer.dims);
  entry.isMade = true;
  if (d.op == Op::CloneIn)
    for (size_t s = 0; s < entry.stages.size(); ++s)
      entry.stages[s] = producer.stages[s];
  funcs.entries.push_back(std::move(entry));
  return true;
}

} // namespace sylvite
