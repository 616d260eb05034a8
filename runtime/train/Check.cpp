// The verb check: every trained parameter's and every float input's gradient against central differences of the loss,
// in double. Layer: runtime/train.
//
// A point is one element of a tensor, or a random direction through all of it. With loss f, step h and gradient a, its
// numeric derivative is n = (f(+h) - f(-h)) / 2h. The step is 2^-17, times max(1, |p|) for a parameter p, rounded up to
// a power of two, so that even a float32 input moves by exactly that much; where a and n disagree, smaller steps are
// tried, whose truncation error is smaller and which reach fewer kinks.
//
// A tensor is ok where |a - n| <= max(1e-6 max |n|, floor) for all its points. The floor is the rounding of the
// quotient itself: 4 e / h, where e is how far the loss moves when all parameters are changed in their last bit. It
// matters only to gradients that are zero up to rounding, such as that of a convolution's bias before batch-norm.
//
// A point that disagrees lies near a kink (of relu or max-pool) where the two one-sided slopes, or the quotients at two
// steps, disagree as much as a and n do, and near nothing but rounding where |a - n| < 4 e / h. Both are drawn again:
// at another random state, input and target. Otherwise, or after too many draws, the gradient is wrong.
#include "runtime/train/Session.h"
#include "runtime/train/Synthetic.h"
#include "runtime/train/Verbs.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

namespace syl {

namespace {

constexpr double relativeTolerance = 1e-6;
constexpr int firstStep = -17, refinedSteps[] = {-18, -20};
constexpr int64_t allElements = 64, sampledElements = 64, directions = 3;
constexpr int mostDraws = 10;

struct Point {
  int64_t element = -1; // of the tensor, or -1 for a direction
  uint64_t direction = 0;
  double analytic = 0, numeric = 0;
  bool pending = true;
};

/// A parameter or an input, with its gradient and the points to check.
struct Subject {
  std::string name;
  const syl_tensor *parameter = nullptr; // null for an input
  size_t input = 0;                      // index of the input
  const syl_tensor *gradient = nullptr;
  int64_t elements = 0;
  std::vector<double> values; // the gradient at the present point
  std::vector<Point> points;
  double largestAnalytic = 0, largestNumeric = 0, worst = 0, allowed = 0;
  int redrawn = 0, failed = 0;
};

/// Byte offset of element `index` (C order) of a tensor in its block.
uint64_t elementOffset(const syl_tensor &tensor, int64_t index) {
  int64_t position[SYL_MAX_RANK] = {};
  for (int32_t axis = tensor.rank; axis-- > 0;) {
    position[axis] = index % tensor.shape[axis];
    index /= tensor.shape[axis];
  }
  int64_t at = 0;
  for (int32_t f = 0; f < tensor.factor_count; ++f) {
    const syl_factor &factor = tensor.factors[f];
    at += position[factor.axis] / factor.divisor % factor.extent * factor.stride;
  }
  return tensor.offset + uint64_t(at) * syl_dtype_bytes(syl_dtype(tensor.dtype));
}

/// The loss as a function of parameters and inputs, around a random point.
class Surface {
public:
  Surface(const syl_model &model, const CheckOptions &options, int64_t n)
      : session(model, options.threads), base(syl_state_bytes(&model)), batch(model, n, options.seed), n(n) {
    for (const Buffer &buffer : batch.inputs) {
      inputs.emplace_back(buffer.size(), model.name);
      inputPointers.push_back(inputs.back().data());
    }
  }

  /// Moves to another random point; constant parameters (biases, batch-norm's weights) get values off their constant.
  void draw(uint64_t seed) {
    const syl_model &model = session.model;
    session.init(seed);
    for (int32_t i = 0; i < model.tensor_count; ++i) {
      const syl_tensor &tensor = model.tensors[i];
      if (tensor.kind != SYL_PARAMETER || tensor.init != SYL_INIT_CONSTANT)
        continue;
      Random random(seed, SyntheticStream + 16 + uint64_t(i));
      std::vector<double> values(syl_tensor_elements(&tensor));
      for (double &value : values)
        value = tensor.init_a + 0.2 * random.normal();
      require(syl_import_tensor(&tensor, session.state.get(), values.data()), tensor.name);
    }
    std::memcpy(base.get(), session.state.get(), base.size());
    batch = SyntheticBatch(model, n, seed);
    targetPointers = batch.targetPointers();
    roundInputs();
    restore();
    centre = loss();
  }

  /// Rounding of the loss: how far it moves when every parameter changes in its last bits.
  double rounding(const std::vector<Subject> &subjects, uint64_t seed) {
    double largest = 0x1p-52 * std::max(1., std::fabs(centre));
    for (uint64_t trial = 0; trial < 6; ++trial) {
      restore();
      Random random(seed, SyntheticStream + 8 + trial);
      for (const Subject &subject : subjects)
        if (subject.parameter)
          for (int64_t i = 0; i < subject.elements; ++i) {
            double *value = at(subject, i);
            *value *= 1 + 0x1p-52 * double(int(random.below(5)) - 2);
          }
      largest = std::max(largest, std::fabs(loss() - centre));
    }
    return largest;
  }

  /// Gradients at the present point into the subjects.
  void differentiate(std::vector<Subject> &subjects) {
    restore();
    loss();
    for (Subject &subject : subjects) {
      subject.values.resize(size_t(subject.elements));
      require(syl_export_tensor(subject.gradient, session.scratch.get(), int32_t(n), subject.values.data()),
              subject.name);
    }
  }

  double gradient(const Subject &subject, const Point &point) {
    if (point.element >= 0)
      return subject.values[size_t(point.element)];
    double sum = 0, scale = directionScale(subject);
    Random random(point.direction, SyntheticStream + 4);
    for (double value : subject.values)
      sum += (random.bits() & 1 ? scale : -scale) * value;
    return sum;
  }

  struct Slopes {
    double central, right, left, step;
  };

  /// Difference quotients with step 2^exponent.
  Slopes slopes(const Subject &subject, const Point &point, int exponent) {
    double step = std::ldexp(1., exponent), sides[2], moved[2];
    if (point.element >= 0 && subject.parameter) {
      restore();
      double size = std::fabs(*at(subject, point.element));
      step *= size > 1 ? std::exp2(std::ceil(std::log2(size))) : 1;
    }
    for (int side = 0; side < 2; ++side) {
      restore();
      moved[side] = std::fabs(move(subject, point, side ? -step : step));
      sides[side] = loss();
    }
    return {(sides[0] - sides[1]) / (moved[0] + moved[1]), (sides[0] - centre) / moved[0],
            (centre - sides[1]) / moved[1], step};
  }

private:
  /// Float32 inputs to multiples of 2^-12, so that they move exactly.
  void roundInputs() {
    for (size_t i = 0; i < batch.inputs.size(); ++i)
      for (size_t at = 0; typeOf(i) == SYL_FLOAT32 && at < batch.inputs[i].size(); at += 4) {
        float value;
        std::memcpy(&value, batch.inputs[i].data() + at, 4);
        value = std::nearbyint(value * 0x1p12f) * 0x1p-12f;
        std::memcpy(batch.inputs[i].data() + at, &value, 4);
      }
  }

  syl_dtype typeOf(size_t input) const { return syl_dtype(session.model.inputs[input].dtype); }

  void restore() {
    std::memcpy(session.state.get(), base.get(), base.size());
    for (size_t i = 0; i < inputs.size(); ++i)
      std::memcpy(inputs[i].data(), batch.inputs[i].data(), inputs[i].size());
  }

  double loss() { return session.trainStep(inputPointers.data(), targetPointers.data(), n).loss; }

  double *at(const Subject &subject, int64_t element) {
    return reinterpret_cast<double *>(session.state.get() + elementOffset(*subject.parameter, element));
  }

  /// Length of a direction's components: a power of two that makes its norm about 1.
  double directionScale(const Subject &subject) const {
    int halvings = int(std::ceil(std::log2(double(subject.elements)) / 2));
    if (!subject.parameter && typeOf(subject.input) == SYL_FLOAT32)
      halvings = std::min(halvings, 1);
    return std::ldexp(1., -halvings);
  }

  /// Moves one element; returns how far it really went.
  double moveElement(const Subject &subject, int64_t element, double by) {
    if (subject.parameter) {
      double *value = at(subject, element), before = *value;
      *value += by;
      return *value - before;
    }
    syl_dtype type = typeOf(subject.input);
    char *place = inputs[subject.input].data() + size_t(element) * syl_dtype_bytes(type);
    double before, value, after;
    convertElements(place, type, &before, SYL_FLOAT64, 1);
    value = before + by;
    convertElements(&value, SYL_FLOAT64, place, type, 1);
    convertElements(place, type, &after, SYL_FLOAT64, 1);
    return after - before;
  }

  double move(const Subject &subject, const Point &point, double by) {
    if (point.element >= 0)
      return moveElement(subject, point.element, by);
    double scale = directionScale(subject);
    Random random(point.direction, SyntheticStream + 4);
    for (int64_t i = 0; i < subject.elements; ++i)
      moveElement(subject, i, (random.bits() & 1 ? scale : -scale) * by);
    return by;
  }

  Session session;
  Block base;
  SyntheticBatch batch;
  std::vector<Buffer> inputs;
  std::vector<const void *> inputPointers, targetPointers;
  const int64_t n;
  double centre = 0;
};

std::vector<Subject> findSubjects(const syl_model &model, int64_t n, uint64_t seed) {
  std::vector<Subject> subjects;
  auto add = [&](const std::string &name, const syl_tensor *parameter, size_t input, int64_t elements) {
    Subject subject;
    subject.name = name;
    subject.parameter = parameter;
    subject.input = input;
    subject.gradient = syl_find_tensor(&model, ("grad." + name).c_str());
    subject.elements = elements;
    if (!subject.gradient) // of an input that is not float, or of a frozen parameter
      return;
    Random random(seed, SyntheticStream + 2 + (uint64_t(subjects.size()) << 32));
    bool all = elements <= allElements;
    for (int64_t i = 0; i < (all ? elements : sampledElements); ++i) {
      subject.points.emplace_back();
      subject.points.back().element = all ? i : int64_t(random.below(uint64_t(elements)));
    }
    for (int64_t i = 0; i < (all ? 0 : directions); ++i) {
      subject.points.emplace_back();
      subject.points.back().direction = random.bits();
    }
    subjects.push_back(std::move(subject));
  };
  for (int32_t i = 0; i < model.tensor_count; ++i)
    if (model.tensors[i].kind == SYL_PARAMETER)
      add(model.tensors[i].name, &model.tensors[i], 0, int64_t(syl_tensor_elements(&model.tensors[i])));
  for (int32_t i = 0; i < model.input_count; ++i)
    add(model.inputs[i].name, nullptr, size_t(i), n * elementsOf(model.inputs[i]));
  return subjects;
}

std::string pointText(const Subject &subject, const Point &point) {
  return subject.name + (point.element >= 0 ? format(" element %lld", (long long)point.element) : " direction");
}

/// Judges a point whose first quotient disagrees. Returns whether it is settled: right or wrong.
bool judge(Surface &surface, Subject &subject, Point &point, double allowed, double rounding, bool verbose) {
  double previous = point.numeric, error = std::fabs(point.analytic - point.numeric);
  Surface::Slopes slopes{};
  for (int exponent : refinedSteps) {
    previous = point.numeric;
    slopes = surface.slopes(subject, point, exponent);
    point.numeric = slopes.central;
    error = std::fabs(point.analytic - point.numeric);
    if (error <= allowed)
      return true;
  }
  bool kink = std::fabs(slopes.right - slopes.left) > 0.5 * error || std::fabs(previous - point.numeric) > 0.1 * error;
  bool unclear = error < 4 * rounding / slopes.step;
  if (verbose)
    std::printf("%s: analytic %.12g, numeric %.12g (step %.2g), slopes %.12g and %.12g: %s\n",
                pointText(subject, point).c_str(), point.analytic, point.numeric, slopes.step, slopes.left,
                slopes.right,
                kink      ? "near a kink, drawn again"
                : unclear ? "within rounding, drawn again"
                          : "WRONG");
  return !kink && !unclear;
}

/// Checks the pending points of a subject at the present point of the surface.
void checkPoints(Surface &surface, Subject &subject, double rounding, bool verbose) {
  for (Point &point : subject.points) {
    if (!point.pending)
      continue;
    point.analytic = surface.gradient(subject, point);
    point.numeric = surface.slopes(subject, point, firstStep).central;
    if (point.element >= 0) {
      subject.largestNumeric = std::max(subject.largestNumeric, std::fabs(point.numeric));
      subject.largestAnalytic = std::max(subject.largestAnalytic, std::fabs(point.analytic));
    }
  }
  const double floor = 4 * rounding / std::ldexp(1., firstStep);
  for (Point &point : subject.points) {
    if (!point.pending)
      continue;
    double scale =
        point.element >= 0 ? subject.largestNumeric : std::max(subject.largestNumeric, std::fabs(point.numeric));
    double allowed = std::max(relativeTolerance * scale, floor);
    if (point.element >= 0 || subject.allowed == 0)
      subject.allowed = allowed;
    // Not <=: a NaN is an error.
    bool right = std::fabs(point.analytic - point.numeric) <= allowed;
    if (!right && !std::isfinite(point.analytic + point.numeric)) {
      point.pending = false;
      ++subject.failed;
      subject.worst = INFINITY;
      continue;
    }
    if (!right && !judge(surface, subject, point, allowed, rounding, verbose)) {
      ++subject.redrawn;
      continue;
    }
    point.pending = false;
    double error = std::fabs(point.analytic - point.numeric);
    subject.failed += error > allowed;
    // Errors of directions count in units of the elements' tolerance.
    subject.worst = std::max(subject.worst, error * subject.allowed / allowed);
  }
}

bool anyPending(const Subject &subject) {
  return std::any_of(subject.points.begin(), subject.points.end(), [](const Point &point) { return point.pending; });
}

} // namespace

int checkVerb(const syl_model &model, const CheckOptions &options) {
  if (model.dtype != SYL_FLOAT64)
    throw Error(SYL_ERROR_MISMATCH, model.name,
                format("found a network compiled in %s, expected float64", syl_dtype_name(syl_dtype(model.dtype))));
  const int64_t n = options.batch ? int64_t(options.batch) : std::min(model.batch, 3);
  if (n > model.batch)
    throw Error(SYL_ERROR_ARGUMENT, "--batch",
                format("found %lld, expected at most %d, the compiled batch", (long long)n, model.batch));
  requireGradients(model);
  std::vector<Subject> subjects = findSubjects(model, n, options.seed);
  Surface surface(model, options, n);
  for (int draw = 0; draw < mostDraws && std::any_of(subjects.begin(), subjects.end(), anyPending); ++draw) {
    uint64_t seed = options.seed + uint64_t(draw) * 0x9E3779B97F4A7C15;
    surface.draw(seed);
    double rounding = surface.rounding(subjects, seed);
    surface.differentiate(subjects);
    for (Subject &subject : subjects)
      if (anyPending(subject))
        checkPoints(surface, subject, rounding, options.verbose);
  }

  size_t wrong = 0;
  std::printf("%-40s %10s %8s %7s %14s %12s %12s\n", "tensor", "elements", "checked", "redrawn", "max |analytic|",
              "max error", "allowed");
  for (const Subject &subject : subjects) {
    size_t open = size_t(
        std::count_if(subject.points.begin(), subject.points.end(), [](const Point &point) { return point.pending; }));
    bool ok = subject.failed == 0 && open == 0;
    wrong += !ok;
    std::printf("%-40s %10lld %8zu %7d %14.6g %12.3g %12.3g  %s\n", subject.name.c_str(), (long long)subject.elements,
                subject.points.size() - open, subject.redrawn, subject.largestAnalytic, subject.worst, subject.allowed,
                ok               ? "ok"
                : subject.failed ? format("WRONG at %d points", subject.failed).c_str()
                                 : format("UNDETERMINED at %zu points", open).c_str());
  }
  std::printf("%s: %zu of %zu gradients agree with central differences\n", model.name, subjects.size() - wrong,
              subjects.size());
  return wrong ? 1 : 0;
}

} // namespace syl
