//===- PlanMemory.cpp - nn-plan-memory: a fixed offset for every value --------------------------------------------===//
//
// State block: header, parameters and buffers in the order of the network file, then optimizer slots; the same offsets
// in every program. Scratch block: values of a program at offsets chosen by their lives in phases, one after another at
// the lowest offset that is free, then those first that reached the block's end; programs share the block. Local block,
// one a thread: values that no other phase and no other slice reads. In both, an elementwise region writes over what it
// is the last to read. Partial sums of one program lie in one arena, slice by slice, so that adding them has one stride
// and one kernel; those whose lives do not overlap share space in it. Large ones lie apart, and those that no flat
// kernel reads.
//
// The result is the attribute `buffer` of each defining op: base, offset and bytes, the life in phases, and the halo.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Axes.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNPLANMEMORY
#include "compiler/transforms/Passes.h.inc"

namespace {

constexpr int64_t alignment = 128;   // SYL_ALIGNMENT; also keeps slices of one buffer off each other's cache lines
constexpr int64_t headerBytes = 128; // syl_state_header
constexpr int64_t slack = 64;        // bytes that a vector load may read past a buffer
/// Bytes behind a thread's local values. Hardware prefetches run ahead of a thread's reads by strides of up to an
/// image; what they touch of the next thread's lines, that thread has to take back before it writes there.
constexpr int64_t threadGap = 64 << 10;

int64_t aligned(int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// A buffer to place: its life is [first, last], in phases or in regions of one phase.
struct Placement {
  Operation *definition;
  int64_t bytes, first, last;
  int64_t offset = 0;
  SmallVector<RegionOp> over{}; ///< regions that write their results over it, one after the other
};

/// Places buffers in this order, each at the lowest offset where no buffer of an overlapping life lies. Returns the
/// size of the block.
int64_t placeInOrder(ArrayRef<Placement *> order) {
  SmallVector<Placement *> placed;
  int64_t size = 0;
  for (Placement *buffer : order) {
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (Placement *other : placed)
      if (other->first <= buffer->last && buffer->first <= other->last)
        taken.push_back({other->offset, other->offset + other->bytes});
    llvm::sort(taken);
    int64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (offset + buffer->bytes <= begin)
        break;
      offset = std::max(offset, end);
    }
    buffer->offset = offset;
    size = std::max(size, offset + buffer->bytes);
    placed.push_back(buffer);
  }
  return size;
}

/// Places a buffer that reaches the block's end before all others, as long as that makes the block, of `size` bytes,
/// smaller; `least` are needed. Returns the size.
int64_t shrink(SmallVector<Placement *> &order, int64_t size, int64_t least) {
  while (size > least) {
    SmallVector<Placement *> ends;
    llvm::copy_if(order, std::back_inserter(ends), [&](Placement *p) { return p->offset + p->bytes == size; });
    auto helps = [&](Placement *buffer) {
      SmallVector<Placement *> changed(order);
      auto place = llvm::find(changed, buffer);
      std::rotate(changed.begin(), place, place + 1);
      int64_t result = placeInOrder(changed);
      if (result >= size)
        return false;
      size = result;
      order = std::move(changed);
      return true;
    };
    if (llvm::none_of(ends, helps))
      break;
  }
  return size;
}

/// Places buffers so that those of overlapping lives lie apart. Returns the size of the block: the least that results
/// from four orders, for none of them is the best for every network.
int64_t place(MutableArrayRef<Placement> buffers) {
  int64_t phases = 0;
  for (const Placement &buffer : buffers)
    phases = std::max(phases, buffer.last + 1);
  std::vector<int64_t> load(phases); // bytes that live in a phase
  for (const Placement &buffer : buffers)
    for (int64_t phase = buffer.first; phase <= buffer.last; ++phase)
      load[phase] += buffer.bytes;
  auto fullest = [&](const Placement &buffer) {
    return *std::max_element(load.begin() + buffer.first, load.begin() + buffer.last + 1);
  };
  const int64_t most = load.empty() ? 0 : *llvm::max_element(load);
  using Weight = std::pair<int64_t, int64_t>;
  const std::function<Weight(const Placement &)> weights[] = {
      [](const Placement &buffer) { return Weight(buffer.bytes, 0); },
      [](const Placement &buffer) { return Weight(buffer.bytes * (buffer.last - buffer.first + 1), 0); },
      [&](const Placement &buffer) { return Weight(fullest(buffer), buffer.bytes); },
      [&](const Placement &buffer) { return Weight(fullest(buffer), buffer.last - buffer.first); },
  };
  SmallVector<Placement *> best;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const auto &weight : weights) {
    SmallVector<Placement *> order(llvm::make_pointer_range(buffers));
    llvm::stable_sort(order, [&](Placement *a, Placement *b) { return weight(*a) > weight(*b); });
    if (int64_t size = shrink(order, placeInOrder(order), most); size < least) {
      least = size;
      best = std::move(order);
    }
    if (least == most)
      break;
  }
  return placeInOrder(best);
}

bool sameLayout(const Layout &a, const Layout &b) {
  return a.sizes == b.sizes && a.channels == b.channels && a.halo.before == b.halo.before &&
         a.halo.after == b.halo.after && a.packed == b.packed && a.channelsFirst == b.channelsFirst;
}

/// Whether a region does elementwise work alone, and each element of its result depends on no other element of input
/// `index` than the one at its place. Kernels of contractions and windows have tiles that compute some elements twice.
bool isPointwise(RegionOp region, unsigned index) {
  Block &body = region.getBody().front();
  bool elementwise = true;
  body.walk([&](Operation *op) { elementwise &= !op->hasTrait<Contraction>() && !op->hasTrait<Windowed>(); });
  if (!elementwise)
    return false;
  DenseSet<Value> from{body.getArgument(index)}; // the input, and what is made of it
  for (Operation &op : body) {
    if (llvm::none_of(op.getOperands(), [&](Value operand) { return from.contains(operand); }))
      continue;
    bool pointwise = true;
    op.walk([&](Operation *inner) { pointwise &= isElementwise(inner); });
    if (!pointwise)
      return false;
    from.insert(op.result_begin(), op.result_end());
  }
  return true;
}

struct PlanMemoryPass : impl::NnPlanMemoryBase<PlanMemoryPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    planState(module);
    int64_t scratch = 0, local = 0;
    for (ProgramOp program : module.getOps<ProgramOp>()) {
      markHalos(program);
      auto [programScratch, programLocal] = planProgram(program);
      scratch = std::max(scratch, programScratch);
      local = std::max(local, programLocal);
    }
    setNumber(module, "nn.scratch_bytes", scratch);
    setNumber(module, "nn.local_bytes", local ? local + threadGap : 0);
  }

  void setNumber(ModuleOp module, StringRef name, int64_t value) {
    module->setAttr(name, IntegerAttr::get(IntegerType::get(&getContext(), 64), value));
  }

  void setBuffer(Operation *op, StringRef base, int64_t offset, int64_t bytes, int64_t first, int64_t last,
                 int64_t copyStride = 0) {
    Builder builder(&getContext());
    NamedAttrList fields;
    if (auto old = op->getAttrOfType<DictionaryAttr>("buffer"))
      fields = NamedAttrList(old);
    fields.set("base", builder.getStringAttr(base));
    fields.set("offset", builder.getI64IntegerAttr(offset));
    fields.set("bytes", builder.getI64IntegerAttr(bytes));
    if (first >= 0) {
      fields.set("first", builder.getI64IntegerAttr(first));
      fields.set("last", builder.getI64IntegerAttr(last));
    }
    if (copyStride)
      fields.set("copy_stride", builder.getI64IntegerAttr(copyStride));
    op->setAttr("buffer", fields.getDictionary(&getContext()));
  }

  int64_t elementBytes(Value value) {
    return std::max(1u, cast<RankedTensorType>(value.getType()).getElementTypeBitWidth() / 8);
  }

  /// The caller's array that an input or target reads: `input`, or `input:NAME` where it has a name.
  std::string arrayOf(Operation &op) {
    auto name = op.getAttrOfType<StringAttr>("nn.name");
    return (isa<InputOp>(op) ? "input" : "target") + (name ? ":" + name.str() : "");
  }

  /// Every program sees each variable at the same offset. The train program knows all of them.
  void planState(ModuleOp module) {
    llvm::StringMap<int64_t> offsets;
    int64_t end = headerBytes;
    for (StringRef kind : {"parameter", "buffer", "slot"})
      for (ProgramOp program : module.getOps<ProgramOp>())
        for (VariableOp variable : program.getBody().front().getOps<VariableOp>()) {
          if (variable.getKind() != kind)
            continue;
          int64_t bytes = layoutOf(variable).elements() * elementBytes(variable);
          auto [found, added] = offsets.try_emplace(variable.getName(), end);
          if (added)
            end += aligned(bytes);
          setBuffer(variable, "state", found->second, bytes, -1, -1);
        }
    setNumber(module, "nn.state_bytes", end);
  }

  /// Gives each stored image the halo that its readers, and its own writer, need.
  void markHalos(ProgramOp program) {
    Builder builder(&getContext());
    for (RegionOp region : program.getBody().front().getOps<RegionOp>()) {
      if (region.getUpdates())
        continue;
      Value result = region.getResult(0);
      auto type = cast<RankedTensorType>(result.getType());
      if (kindOf(type) != Kind::Batch || type.getRank() < 3)
        continue;
      Halo halo;
      for (OpOperand &use : result.getUses())
        if (auto reader = dyn_cast<RegionOp>(use.getOwner()))
          halo.include(requiredHalo(reader, use.getOperandNumber()));
      halo.include(writtenView(region).written());
      if (!halo.any())
        continue;
      NamedAttrList fields;
      fields.set("halo_before", builder.getDenseI64ArrayAttr(halo.before));
      fields.set("halo_after", builder.getDenseI64ArrayAttr(halo.after));
      region->setAttr("buffer", fields.getDictionary(&getContext()));
    }
  }

  /// The region whose result another one may write over: it reads it last, element by element, and leaves a result that
  /// lies alike. Of several, the one that was written last; null if there is none.
  RegionOp overwritten(RegionOp region, const DenseMap<Operation *, int64_t> &order) {
    Value result = region.getResult(0);
    if (kindOf(result.getType()) != Kind::Batch || !isSliced(region))
      return {};
    RegionOp best;
    for (auto [index, input] : llvm::enumerate(region.getInputs())) {
      auto producer = input.getDefiningOp<RegionOp>();
      if (!producer || producer.getUpdates() || input.getType() != result.getType() ||
          !sameLayout(layoutOf(input), layoutOf(result)) || !isPointwise(region, index))
        continue;
      bool readLast = llvm::all_of(input.getUsers(), [&](Operation *user) {
        auto reader = dyn_cast<RegionOp>(user);
        bool before = reader && (reader.getPhase() < region.getPhase() ||
                                 (reader.getPhase() == region.getPhase() && region.getAxis() == "batch" &&
                                  order.lookup(reader) < order.lookup(region)));
        return reader == region || before;
      });
      if (readLast && (!best || order.lookup(producer) > order.lookup(best)))
        best = producer;
    }
    return best;
  }

  std::pair<int64_t, int64_t> planProgram(ProgramOp program) {
    mlir::Block &block = program.getBody().front();
    for (Operation &op : block)
      if (isa<InputOp, TargetOp>(op))
        setBuffer(&op, arrayOf(op), 0, layoutOf(op.getResult(0)).elements() * elementBytes(op.getResult(0)), -1, -1);
    int64_t phases = 0;
    DenseMap<Operation *, int64_t> order;
    for (RegionOp region : block.getOps<RegionOp>()) {
      order[region] = order.size();
      phases = std::max(phases, int64_t(*region.getPhase()) + 1);
    }
    auto last = cast<ReturnOp>(block.getTerminator());
    SmallVector<Placement> shared, local;
    SmallVector<RegionOp> partials;
    DenseMap<Operation *, int64_t> lastPhase;
    for (RegionOp region : block.getOps<RegionOp>()) {
      if (region.getUpdates())
        continue;
      Value result = region.getResult(0);
      int64_t first = *region.getPhase(), end = first;
      Kind kind = kindOf(result.getType());
      bool kept = false, alone = isSliced(region) && (kind == Kind::Batch || kind == Kind::Partial);
      // A linear layer works on whole tiles of samples, the last of which may reach past the batch; other kernels'
      // tiles reach past no slice.
      bool tiledBySamples = layoutOf(result).rank == 0 || isVectorContraction(coreOf(region));
      int64_t lastOrder = order[region];
      for (Operation *user : result.getUsers()) {
        if (auto reader = dyn_cast<RegionOp>(user)) {
          end = std::max(end, int64_t(*reader.getPhase()));
          alone &= reader.getPhase() == region.getPhase() && isSliced(reader) &&
                   (kind == Kind::Batch || readsOwnPart(reader, result));
          lastOrder = std::max(lastOrder, order[reader]);
          tiledBySamples |= isVectorContraction(coreOf(reader));
        } else if (isa<ReturnOp>(user) || keepGradients) {
          kept = true;
        }
      }
      if (kept) {
        end = phases;
        alone = false;
      }
      lastPhase[region] = end;
      OperandRange predictions = last.getPredictionMutable();
      if (auto found = llvm::find(predictions, result); found != predictions.end()) {
        int64_t index = found - predictions.begin(); // the caller's arrays: output, output:1, …
        setBuffer(region, index ? "output:" + std::to_string(index) : "output", 0,
                  layoutOf(result).elements() * elementBytes(result), -1, -1);
        continue;
      }
      if (kind == Kind::Partial && !alone) {
        int64_t bytes = aligned(layoutOf(result).unit * elementBytes(result)) * program.getSlices();
        if (addsSlices(result) && bytes < largePartial)
          partials.push_back(region);
        else
          shared.push_back({region, bytes, first, end});
        continue;
      }
      Layout layout = layoutOf(result);
      int64_t rows = layout.units;
      if (layout.kind == Kind::Batch)
        rows = alone ? imagesOf(program) : llvm::alignTo(rows, tiledBySamples ? 16 : imagesOf(program));
      int64_t bytes = aligned(rows * layout.unit * elementBytes(result) + slack);
      auto holding = [](SmallVector<Placement> &buffers, RegionOp value) {
        return llvm::find_if(buffers, [&](const Placement &buffer) {
          return buffer.definition == value || llvm::is_contained(buffer.over, value);
        });
      };
      if (RegionOp under = overwritten(region, order)) {
        auto &buffers = alone ? local : shared;
        if (auto buffer = holding(buffers, under); buffer != buffers.end()) {
          buffer->bytes = std::max(buffer->bytes, bytes);
          buffer->last = alone ? lastOrder : end;
          buffer->over.push_back(region);
          continue;
        }
      }
      if (alone)
        local.push_back({region, bytes, order[region], lastOrder});
      else
        shared.push_back({region, bytes, first, end});
    }

    // One arena of partial sums; it lives from the first of them to the last reader. Within a slice's part of it, they
    // share space by their lives like others.
    Placement arena{nullptr, 0, phases, 0};
    SmallVector<Placement> parts;
    for (RegionOp region : partials) {
      int64_t first = *region.getPhase(), end = first;
      for (Operation *user : region.getResult(0).getUsers())
        end = std::max(end, isa<RegionOp>(user) ? int64_t(*cast<RegionOp>(user).getPhase())
                            : keepGradients     ? phases
                                                : int64_t(0));
      parts.push_back(
          {region, aligned(layoutOf(region.getResult(0)).unit * elementBytes(region.getResult(0))), first, end});
      arena.first = std::min(arena.first, first);
      arena.last = std::max(arena.last, end);
    }
    int64_t stride = place(parts);
    arena.bytes = stride * program.getSlices();
    if (!partials.empty())
      shared.push_back(arena);
    int64_t scratchBytes = place(shared), localBytes = place(local);
    for (Placement &buffer : shared)
      if (buffer.definition) {
        Value result = buffer.definition->getResult(0);
        int64_t stride = kindOf(result.getType()) == Kind::Partial ? buffer.bytes / program.getSlices() : 0;
        setBuffer(buffer.definition, "scratch", buffer.offset, buffer.bytes, buffer.first, lastPhase[buffer.definition],
                  stride / elementBytes(result));
        for (RegionOp region : buffer.over)
          setBuffer(region, "scratch", buffer.offset, buffer.bytes, *region.getPhase(), lastPhase[region]);
      }
    for (Placement &buffer : local) {
      int64_t phase = *cast<RegionOp>(buffer.definition).getPhase();
      setBuffer(buffer.definition, "local", buffer.offset, buffer.bytes, phase, phase);
      for (RegionOp region : buffer.over)
        setBuffer(region, "local", buffer.offset, buffer.bytes, phase, phase);
    }
    if (!partials.empty()) {
      for (Placement &part : parts)
        setBuffer(part.definition, "scratch", shared.back().offset + part.offset, part.bytes, part.first, part.last,
                  stride / elementBytes(part.definition->getResult(0)));
    }
    return {aligned(scratchBytes), aligned(localBytes)};
  }

  /// Whether flat kernels read a partial sum, which lies in the arena for their sake.
  static bool addsSlices(Value partial) {
    return llvm::any_of(partial.getUsers(), [](Operation *user) {
      auto reader = dyn_cast<RegionOp>(user);
      return !reader || reader.getAxis() == "flat";
    });
  }

  /// Samples of one slice.
  int64_t imagesOf(ProgramOp program) { return (program.getBatch() + program.getSlices() - 1) / program.getSlices(); }
};

} // namespace
} // namespace sylvite::nn
