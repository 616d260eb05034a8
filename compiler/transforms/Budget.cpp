//===- Budget.cpp - what to compute again so that the scratch block is small --------------------------------------===//
//
// Plans the network, looks which values of the forward pass wait for the backward pass in the fullest phase, marks the
// cheapest for their size (elementwise work first, then the most bytes for a multiply-add), and plans again: what does
// not make the plan smaller is not marked. A value is marked with all that it is made of and that is gone by then, as
// the products of a Winograd convolution are. Where that is not enough, evaluation and prediction go without
// transformed weights. Layer: transforms.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/transforms/Budget.h"

#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Regions.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace sylvite::nn {
namespace {

struct Candidate {
  SmallVector<int64_t> ids; ///< of the region and of what has to be computed again for it
  int64_t bytes;
  double cost; ///< multiply-adds for each byte
};

/// A planned network.
struct Planned {
  int64_t bytes = 0;
  double pressure = 0;               ///< sum over the phases of the squares of the bytes that live in each
  SmallVector<Candidate> candidates; ///< at the fullest phase, the cheapest first
};

/// Multiply-adds of a forward region.
double costOf(RegionOp region) {
  Operation *core = coreOf(region);
  return core->hasTrait<Contraction>() ? multiplyAdds(core) : 0;
}

struct Life {
  int64_t bytes, first, last;
};
Life lifeOf(Operation *op) {
  auto buffer = op->getAttrOfType<DictionaryAttr>("buffer");
  auto number = [&](StringRef key) {
    auto attribute = dyn_cast_or_null<IntegerAttr>(buffer.get(key));
    return attribute ? attribute.getInt() : int64_t(0);
  };
  if (!buffer || cast<StringAttr>(buffer.get("base")).getValue() != "scratch")
    return {0, 0, -1};
  return {number("bytes"), number("first"), number("last")};
}

class Search {
public:
  Search(ModuleOp module, const PipelineOptions &options, int64_t most)
      : module(module), options(options), most(most) {}

  Budget run() {
    Planned now = plan(chosen);
    while (now.bytes > most) {
      std::optional<Planned> next = improve(now);
      if (!next)
        next = withoutForward(now);
      if (!next)
        break;
      now = std::move(*next);
    }
    return {chosen, options.directForward, now.bytes};
  }

private:
  ModuleOp module;
  PipelineOptions options;
  int64_t most;
  SmallVector<int64_t> chosen;
  DenseSet<int64_t> refused;

  Planned plan(ArrayRef<int64_t> recomputed) {
    OwningOpRef<ModuleOp> copy = module.clone();
    PassManager manager(module.getContext());
    manager.enableVerifier(false);
    options.recomputed = recomputed;
    buildPipeline(manager, options);
    Planned planned;
    planned.bytes = std::numeric_limits<int64_t>::max();
    if (failed(manager.run(*copy)))
      return planned;
    auto number = [&](StringRef name) { return cast<IntegerAttr>(copy.get()->getAttr(name)).getInt(); };
    planned.bytes = number("nn.scratch_bytes") + number("nn.local_bytes");
    for (ProgramOp program : copy->getOps<ProgramOp>())
      if (program.getSymName() == "train")
        describe(program, planned);
    return planned;
  }

  void describe(ProgramOp program, Planned &planned) {
    SmallVector<int64_t> live;
    for (RegionOp region : program.getBody().front().getOps<RegionOp>()) {
      Life life = lifeOf(region);
      live.resize(std::max<size_t>(live.size(), life.last + 1));
      for (int64_t phase = life.first; phase <= life.last; ++phase)
        live[phase] += life.bytes;
    }
    for (int64_t bytes : live)
      planned.pressure += double(bytes) * double(bytes);
    int64_t peak = llvm::max_element(live) - live.begin();
    for (RegionOp region : program.getBody().front().getOps<RegionOp>()) {
      auto id = region->getAttrOfType<IntegerAttr>(idName);
      Life life = lifeOf(region);
      if (!id || region->hasAttr(againName) || region->hasAttr(recomputeName) || refused.contains(id.getInt()) ||
          life.first >= peak || life.last < peak || kindOf(region.getResult(0).getType()) != Kind::Batch)
        continue;
      bool waits = true; // for the backward pass alone
      for (Operation *reader : region.getResult(0).getUsers())
        if (auto other = dyn_cast<RegionOp>(reader))
          waits &= !other->hasAttr(idName) || other->hasAttr(againName) || *other.getPhase() < uint64_t(peak);
        else
          waits = false;
      if (!waits)
        continue;
      planned.candidates.push_back({{id.getInt()}, life.bytes, costOf(region)});
      addMakers(region, peak, planned.candidates.back());
    }
    for (Candidate &candidate : planned.candidates)
      candidate.cost /= double(candidate.bytes);
    llvm::stable_sort(planned.candidates, [](const Candidate &a, const Candidate &b) {
      return std::pair(a.cost, -a.bytes) < std::pair(b.cost, -b.bytes);
    });
  }

  /// What a region reads and what is not there any more in phase `peak` is computed again with it.
  static void addMakers(RegionOp region, int64_t peak, Candidate &candidate) {
    for (Value input : region.getInputs()) {
      auto maker = input.getDefiningOp<RegionOp>();
      auto id = maker ? maker->getAttrOfType<IntegerAttr>(idName) : IntegerAttr();
      if (!id || llvm::is_contained(candidate.ids, id.getInt()))
        continue;
      Operation *core = coreOf(maker);
      bool again = maker->hasAttr(recomputeName) || core->hasTrait<Recomputed>();
      if (!again) {
        bool canBe = kindOf(input.getType()) == Kind::Batch || core->hasTrait<WholeWeights>();
        if (!canBe || lifeOf(maker).last >= peak)
          continue;
        candidate.ids.push_back(id.getInt());
        candidate.cost += costOf(maker);
      }
      addMakers(maker, peak, candidate);
    }
  }

  /// The plan with one more choice; nothing where none helps. The choices do not depend on `most`, only how many are
  /// made.
  std::optional<Planned> improve(const Planned &now) {
    for (const Candidate &candidate : now.candidates) {
      if (std::optional<Planned> planned = attempt(candidate.ids, now))
        return planned;
      refused.insert(candidate.ids.front());
    }
    return std::nullopt;
  }

  /// The plan where evaluation and prediction are direct, if it is smaller.
  std::optional<Planned> withoutForward(const Planned &now) {
    if (options.directForward)
      return std::nullopt;
    options.directForward = true;
    Planned planned = plan(chosen);
    options.directForward = planned.bytes < now.bytes;
    return options.directForward ? std::optional(planned) : std::nullopt;
  }

  std::optional<Planned> attempt(ArrayRef<int64_t> more, const Planned &now) {
    SmallVector<int64_t> tried(chosen);
    tried.append(more.begin(), more.end());
    llvm::sort(tried);
    tried.erase(llvm::unique(tried), tried.end());
    Planned planned = plan(tried);
    if (planned.bytes > now.bytes || planned.pressure >= now.pressure)
      return std::nullopt;
    chosen = tried;
    return planned;
  }
};

} // namespace

Budget fitBudget(ModuleOp module, const PipelineOptions &options, int64_t most) {
  return Search(module, options, most).run();
}

} // namespace sylvite::nn
