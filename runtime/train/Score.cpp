// Loss and metrics of a part. Layer: runtime/train.
#include "runtime/train/Score.h"

#include "runtime/train/Loader.h"
#include "runtime/train/Signals.h"

namespace syl {

Score evaluatePart(Session &session, const Part &part, const std::vector<std::string> &names) {
  const syl_model &model = session.model;
  Loader loader(model, part, model.batch, session.threads);
  Metrics metrics(model, names);
  Score score;
  int64_t count = part.count();
  loader.start({}, 0, uint64_t(count));
  for (int64_t first = 0; first < count; first += model.batch) {
    if (StopSignals::signal()) {
      score.interrupted = true;
      return score;
    }
    uint64_t rows;
    const Batch &batch = loader.next(rows);
    const int64_t n = int64_t(rows);
    score.loss += session.evaluate(batch.inputs(), batch.targets(), n).loss * double(n);
    metrics.add(session, batch.targets(), n);
  }
  score.loss /= double(count);
  score.metrics = metrics.values();
  score.tables = metrics.tables();
  return score;
}

MetricValue Score::first() const {
  return metrics.empty() ? MetricValue{"loss", "loss", loss, false, false} : metrics.front();
}

MetricValue Score::monitored(const std::string &monitor) const {
  if (monitor.empty() || monitor == "metric")
    return first();
  if (monitor == "loss")
    return {"loss", "loss", loss, false, false};
  for (const MetricValue &value : metrics)
    if (value.metric == monitor)
      return value;
  throw Error(SYL_ERROR_MISMATCH, "training", "found monitor '" + monitor + "', expected loss or one of the metrics");
}

std::string Score::line() const {
  for (const MetricValue &value : metrics)
    if (value.metric == "accuracy")
      return value.label + " " + value.text();
  MetricValue value = first();
  return value.label + " " + value.text();
}

} // namespace syl
