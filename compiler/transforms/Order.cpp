//===- Order.cpp - the order of the regions of a batch phase ------------------------------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Regions.h"

#include <limits>
#include <set>

using namespace mlir;

namespace sylvite::nn {

namespace {

/// A reader behind so many regions does not come next.
constexpr size_t farAway = 64;

class Orderer {
  using Group = llvm::SmallSetVector<size_t, 8>; ///< regions, by their place in `phase`

public:
  explicit Orderer(ArrayRef<RegionOp> phase)
      : phase(phase), operands(phase.size()), readers(phase.size()), placed(phase.size()), latest(phase.size()) {
    for (auto [index, region] : llvm::enumerate(phase))
      indexOf[region] = index;
    for (auto [index, region] : llvm::enumerate(phase)) {
      for (Value input : RegionOp(region).getInputs())
        if (auto maker = indexOf.find(input.getDefiningOp()); maker != indexOf.end())
          operands[index].insert(maker->second);
      for (size_t operand : operands[index])
        readers[operand].push_back(index);
    }
  }

  SmallVector<RegionOp> order() {
    for (size_t first = 0; result.size() < phase.size();) {
      while (placed[first])
        ++first;
      SmallVector<size_t> next = (frontier.empty() ? withMakers(first) : best()).takeVector();
      llvm::sort(next);
      for (size_t index : next)
        placeRegion(index);
    }
    return result;
  }

private:
  ArrayRef<RegionOp> phase;
  DenseMap<Operation *, size_t> indexOf;
  SmallVector<llvm::SmallSetVector<size_t, 4>> operands; ///< of each region, those that the phase makes, by maker
  SmallVector<SmallVector<size_t, 2>> readers;           ///< of each region's result, in the phase
  SmallVector<size_t> placed;                            ///< place of each region, from 1; 0 before it has one
  SmallVector<size_t> latest;                            ///< place of the last that made an operand of each
  std::set<size_t> frontier; ///< regions without a place that read what one with a place made
  SmallVector<RegionOp> result;

  void placeRegion(size_t index) {
    result.push_back(phase[index]);
    placed[index] = result.size();
    frontier.erase(index);
    for (size_t reader : readers[index]) {
      frontier.insert(reader);
      latest[reader] = result.size();
    }
  }

  /// A region and those that make its operands and have no place yet, or the first `limit` of them.
  Group withMakers(size_t index, size_t limit = std::numeric_limits<size_t>::max()) const {
    Group regions;
    regions.insert(index);
    for (size_t at = 0; at < regions.size() && regions.size() < limit; ++at)
      for (size_t operand : operands[regions[at]])
        if (!placed[operand])
          regions.insert(operand);
    return regions;
  }

  Group best() const {
    size_t newest = 0;
    for (size_t index : frontier)
      newest = std::max(newest, latest[index]);
    Group regions;
    int64_t most = 0;
    for (size_t index : frontier) {
      if (latest[index] != newest)
        continue;
      Group candidate = withMakers(index, farAway);
      if (candidate.size() >= farAway)
        continue;
      int64_t freed = freedBy(candidate);
      if (regions.empty() || freed > most) {
        regions = std::move(candidate);
        most = freed;
      }
    }
    return regions.empty() ? withMakers(*frontier.begin()) : regions;
  }

  /// Bytes that are free after these regions, less those that they leave.
  int64_t freedBy(const Group &regions) const {
    auto isOver = [&](size_t maker) {
      return llvm::all_of(readers[maker], [&](size_t reader) { return placed[reader] || regions.contains(reader); });
    };
    Group read;
    int64_t bytes = 0;
    for (size_t index : regions) {
      read.insert(operands[index].begin(), operands[index].end());
      if (!isOver(index))
        bytes -= bytesOf(index);
    }
    for (size_t operand : read)
      if (placed[operand] && isOver(operand))
        bytes += bytesOf(operand);
    return bytes;
  }

  /// Of a region's result; 0 where another phase needs it.
  int64_t bytesOf(size_t index) const {
    Value value = RegionOp(phase[index]).getResult(0);
    if (!llvm::all_of(value.getUsers(), [&](Operation *user) { return indexOf.contains(user); }))
      return 0;
    return layoutOf(value).elements() * cast<RankedTensorType>(value.getType()).getElementTypeBitWidth() / 8;
  }
};

} // namespace

SmallVector<RegionOp> orderForCaches(ArrayRef<RegionOp> phase) { return Orderer(phase).order(); }

} // namespace sylvite::nn
