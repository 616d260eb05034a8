// syl_main: the command line of the program that a network is linked into. The only user of CLI11 in the runtime.
// Layer: runtime/train.
#include "sylvite/train.h"

#include "runtime/data/Error.h"
#include "runtime/train/Loop.h"
#include "runtime/train/Messages.h"
#include "runtime/train/Verbs.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>

namespace {

using Action = std::function<int()>;

/// A whole number from 1 to 999999999.
const CLI::Validator positive(
    [](std::string &text) {
      bool fits = !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos &&
                  text.find_first_not_of('0') != std::string::npos;
      return fits ? std::string() : "found " + text + ", expected a whole number from 1 to 999999999";
    },
    "");

std::string networkDefault(uint64_t value) { return " (default: " + std::to_string(value) + ", the network file's)"; }

/// The command line of one verb; `action` is what to run after parsing.
struct VerbLine {
  CLI::App app;
  Action action;
  std::vector<std::string> words; // the whole command line

  VerbLine(const std::string &verb, const std::string &description)
      : app(description, "sylvite " + verb + " NET.yaml") {}

  void threads(int32_t &value) {
    app.add_option("--threads", value, "Threads, the caller among them (default: the cores this process may use)")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
  }
  void seed(std::optional<uint64_t> &value, const char *what, const syl_model &model) {
    app.add_option("--seed", value, std::string("Seed of ") + what + networkDefault(model.seed))->type_name("S");
  }
  void data(syl::DataRequest &request, const char *more = "") {
    app.add_option("--data", request.data,
                   std::string("fashion-mnist, a folder (IDX files, X.npy and Y.npy, CIFAR's, or class folders of "
                               "images), a .npz, .safetensors or .csv file, X.npy,Y.npy, or "
                               "train=DATA,test=DATA; docs/data.md has all") +
                       more)
        ->required()
        ->type_name("DATA");
    app.add_option("--split", request.split,
                   "Share of the samples for training, the others being the test part; for data without one")
        ->check(CLI::Range(1e-9, 1 - 1e-9))
        ->type_name("SHARE");
    app.add_option("--label", request.label, "Of a CSV file: name or number (from 1) of the label's column")
        ->type_name("COLUMN");
  }
  /// --prefix FROM=TO, several times.
  void prefix(syl::PrefixRules &rules) {
    app.add_option_function<std::vector<std::string>>(
           "--prefix",
           [&rules](const std::vector<std::string> &items) {
             for (const std::string &item : items) {
               const size_t equals = item.find('=');
               if (equals == std::string::npos)
                 throw CLI::ValidationError("--prefix", "found " + item + ", expected FROM=TO");
               rules.emplace_back(item.substr(0, equals), item.substr(equals + 1));
             }
           },
           "Names of the file that begin with FROM count with TO in its place")
        ->type_name("FROM=TO")
        ->allow_extra_args(false);
  }
  void loadRules(syl::LoadRules &rules) {
    app.add_flag("--allow-missing", rules.allowMissing, "Tensors that the file lacks start anew");
    app.add_flag("--allow-extra", rules.allowExtra, "Tensors that the network lacks are left over");
    prefix(rules.prefix);
  }
  CLI::Option *checkpoint(std::string &value) {
    return app.add_option("--checkpoint", value, "Safetensors file of the weights, e.g. runs/NET/best.safetensors")
        ->required()
        ->type_name("FILE");
  }
};

void declareTrain(VerbLine &line, const syl_model &model) {
  auto options = std::make_shared<syl::TrainOptions>();
  options->out = std::string("runs/") + model.name;
  line.data(options->data);
  line.app
      .add_option("--epochs", options->epochs,
                  "Passes over the training part" + networkDefault(uint64_t(std::max(model.epochs, 1))))
      ->check(positive)
      ->type_name("N");
  line.app.add_option("--batch", options->batch, "Samples in a step" + networkDefault(uint64_t(model.batch)))
      ->check(positive)
      ->type_name("N");
  line.threads(options->threads);
  line.seed(options->seed, "the initial weights and of the samples' order", model);
  line.app
      .add_option("--weights", options->weights,
                  "Start from the tensors of this file that the network has too (default: the network file's)")
      ->type_name("FILE");
  line.prefix(options->prefix);
  line.app
      .add_option("--out", options->out,
                  "Folder for last.safetensors, last-1.safetensors (the one before) and best.safetensors")
      ->capture_default_str()
      ->type_name("RUN");
  line.app.add_flag("--resume", options->resume,
                    "Go on from RUN/last.safetensors, to the bits of an uninterrupted run");
  line.app.add_option("--from", options->from, "With --resume: go on from this checkpoint")->type_name("FILE");
  line.app
      .add_option("--save-every", options->saveEvery,
                  "Save after so many steps, epochs or minutes: 500steps, 2epochs, 10minutes; at the end in any case")
      ->capture_default_str()
      ->type_name("N");
  line.app
      .add_option("--keep-best", options->keepBest,
                  "What decides which epoch is best: loss or a metric (default: the first metric, else the loss)")
      ->type_name("METRIC");
  line.app
      .add_option("--on-nan", options->onNan,
                  "At a NaN or an infinity: stop, skip the step, or rollback to the last checkpoint and halve the "
                  "learning rate")
      ->capture_default_str()
      ->type_name("WHAT");
  line.app.add_flag("--log-norms", options->logNorms,
                    "Also log the norm of each parameter and of its gradient, for networks compiled with gradients");
  line.app.add_flag("--json", options->json, "Print one JSON object a line: start, progress, epoch, interrupted, end");
  line.app.add_flag("-q,--quiet", options->quiet, "Print the last line only");
  options->command = line.words;
  line.app.footer("Ctrl-C finishes the step, saves RUN/last.safetensors and says how to resume.\n"
                  "The last line printed is the test accuracy (else the first metric, else the loss) of the best\n"
                  "epoch, the one that --keep-best chooses.");
  line.action = [options, &model] { return syl::trainLoop(model, *options); };
}

void declareEvaluate(VerbLine &line, const syl_model &model) {
  auto options = std::make_shared<syl::EvaluateOptions>();
  line.data(options->data);
  line.checkpoint(options->checkpoint);
  line.loadRules(options->rules);
  line.threads(options->threads);
  line.app.add_flag("--json", options->json, "Print one JSON object and nothing else: net, samples, loss, metrics");
  line.action = [options, &model] { return syl::evaluateVerb(model, *options); };
}

void declarePredict(VerbLine &line, const syl_model &model) {
  auto options = std::make_shared<syl::PredictOptions>();
  line.data(options->data, "; or samples alone: X.npy, a folder of images, an image");
  line.checkpoint(options->checkpoint);
  line.loadRules(options->rules);
  line.app
      .add_option("--out", options->out,
                  "Write all outputs here, as float32 [N, …]; without it the first rows are "
                  "printed")
      ->type_name("FILE.npy");
  line.threads(options->threads);
  line.action = [options, &model] { return syl::predictVerb(model, *options); };
}

void declareStep(VerbLine &line, const syl_model &model) {
  auto options = std::make_shared<syl::StepOptions>();
  line.app.add_option("--state", options->state, "Start from this safetensors file (default: a fresh initialisation)")
      ->type_name("IN.safetensors");
  line.loadRules(options->rules);
  line.app
      .add_option("--input", options->inputs,
                  "Samples; all rows are one batch. NAME=X.npy for each input where there are several")
      ->required()
      ->type_name("X.npy")
      ->allow_extra_args(false);
  line.app.add_option("--target", options->targets, "Their targets; NAME=Y.npy for each where there are several")
      ->required()
      ->type_name("Y.npy")
      ->allow_extra_args(false);
  line.app.add_option("--steps", options->steps, "Training steps, each on the same batch")
      ->check(positive)
      ->capture_default_str()
      ->type_name("K");
  line.app
      .add_option("--steps-per-epoch", options->stepsPerEpoch,
                  "For learning rates that follow epochs (default: unknown)")
      ->check(CLI::Range(0., 1e9))
      ->type_name("K");
  line.threads(options->threads);
  line.seed(options->seed, "the initial weights", model);
  line.app
      .add_option("--dump", options->dump, "Gets output, loss [K], grad.*, parameters, running statistics and slots")
      ->required()
      ->type_name("OUT.safetensors");
  line.action = [options, &model] { return syl::stepVerb(model, *options); };
}

void declareCheck(VerbLine &line, const syl_model &model) {
  auto options = std::make_shared<syl::CheckOptions>();
  line.app.add_option("--seed", options->seed, "Seed of weights, samples and directions")
      ->capture_default_str()
      ->type_name("S");
  line.app.add_option("--batch", options->batch, "Samples in the step (default: 3, or the compiled batch if smaller)")
      ->check(positive)
      ->type_name("N");
  line.threads(options->threads);
  line.app.add_flag("-v,--verbose", options->verbose, "Also print each point that was drawn again or failed");
  line.app.footer("A tensor is ok where max |analytic - numeric| <= 1e-6 max |numeric|, or is below the rounding\n"
                  "of the difference quotient itself. Exit status 1 where one is not.");
  line.action = [options, &model] { return syl::checkVerb(model, *options); };
}

void declareBench(VerbLine &line, const syl_model &model) {
  auto options = std::make_shared<syl::BenchOptions>();
  line.app.add_option("--what", options->what, "What to time: train, predict or evaluate")
      ->check(CLI::IsMember({"train", "predict", "evaluate"}))
      ->capture_default_str()
      ->type_name("WHAT");
  line.app.add_option("--batch", options->batch, "Samples in a step" + networkDefault(uint64_t(model.batch)))
      ->check(positive)
      ->type_name("N");
  line.threads(options->threads);
  line.app.add_option("--seconds", options->seconds, "Time for at least this long, and at least 5 steps")
      ->check(CLI::Range(0., 86400.))
      ->capture_default_str()
      ->type_name("S");
  line.app.add_flag("--json", options->json, "Print one JSON object and nothing else");
  line.app.add_flag("--kernels", options->kernels,
                    "Also each kernel's time within the step, its rates, its share of the roofline and its rule");
  line.app.add_option("--roofline", options->roofline, "Write the roofline picture here; implies --kernels")
      ->type_name("FILE.svg");
  line.action = [options, &model] {
    options->kernels |= !options->roofline.empty();
    return syl::benchVerb(model, *options);
  };
}

void declareReproduce(VerbLine &line, const syl_model &model) {
  auto options = std::make_shared<syl::ReproduceOptions>();
  line.app.add_option("RUN", options->run, "Folder of a run that train made")->required()->type_name("");
  line.app.add_option("--out", options->out, "Folder for the run that repeats it (default: RUN/reproduced)")
      ->type_name("FOLDER");
  line.threads(options->threads);
  line.app.add_flag("-q,--quiet", options->quiet, "Print the result only");
  line.app.footer("Exit status 0 where all tensors of the last checkpoints are equal to the bit, else 1.");
  line.action = [options, &model] { return syl::reproduceVerb(model, *options); };
}

void declareReport(VerbLine &line, const syl_model &model) {
  auto options = std::make_shared<syl::ReportOptions>();
  line.app.add_option("RUN", options->run, "Folder of a run that train made")->required()->type_name("");
  line.app.add_option("--out", options->out, "The page (default: RUN/report.html)")->type_name("FILE.html");
  line.threads(options->threads);
  line.action = [options, &model] { return syl::reportVerb(model, *options); };
}

struct Verb {
  const char *name, *description;
  void (*declare)(VerbLine &, const syl_model &);
};

const Verb verbs[] = {
    {"train", "Trains the network, evaluates after each epoch and keeps the last and the best checkpoint.",
     declareTrain},
    {"evaluate", "Loss and accuracy on the test part of a data set.", declareEvaluate},
    {"predict", "The network's outputs for the samples of a data set.", declarePredict},
    {"step", "Training steps on one batch, with everything they leave in one file.", declareStep},
    {"check", "Compares every gradient with central differences, in double precision.", declareCheck},
    {"bench", "Time of a step on synthetic data, after 5 steps to warm up.", declareBench},
    {"reproduce", "Repeats a run from its record and compares the bits.", declareReproduce},
    {"report", "Writes a run's report as one HTML page.", declareReport},
};

/// The environment may ask for a version of the network; what this CPU or program does not have is a mistake.
void checkVersion(const syl_model &model) {
  const char *asked = std::getenv("SYLVITE_CPU");
  if (asked && *asked && std::string(asked) != model.target)
    throw syl::Error(SYL_ERROR_ARGUMENT, "SYLVITE_CPU",
                     "found '" + std::string(asked) +
                         "', expected a version that this program holds and this CPU runs (" + model.target +
                         " if it is not set)");
}

int runVerb(const Verb &verb, const syl_model &model, int argc, char **argv) {
  VerbLine line(verb.name, verb.description);
  line.words.assign(argv, argv + argc);
  verb.declare(line, model);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::CallForHelp &) {
    std::fputs(line.app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError &error) {
    throw syl::Error(SYL_ERROR_ARGUMENT, std::string("sylvite ") + verb.name, error.what(),
                     std::string("sylvite ") + verb.name + " --help");
  }
  return line.action();
}

} // namespace

extern "C" int syl_main(const syl_model *model, int argc, char **argv) {
  syl::Messages messages(syl::Messages::Otherwise::StandardError);
  auto fail = [](const char *pattern, auto... arguments) {
    std::fflush(stdout); // what was printed before stands before it
    char text[4096];     // there may be no memory
    std::snprintf(text, sizeof text, pattern, arguments...);
    syl::tell(SYL_SEVERITY_ERROR, text);
    return 1;
  };
  try {
    checkVersion(*model);
    std::string names;
    for (const Verb &verb : verbs)
      names += (names.empty() ? "" : ", ") + std::string(verb.name);
    for (const Verb &verb : verbs)
      if (argc > 1 && std::string(argv[1]) == verb.name)
        return runVerb(verb, *model, argc - 1, argv + 1);
    throw syl::Error(SYL_ERROR_ARGUMENT, "sylvite",
                     "found " + (argc > 1 ? "'" + std::string(argv[1]) + "'" : "no verb") + ", expected one of " +
                         names);
  } catch (const syl::Error &error) {
    std::fflush(stdout);
    syl::tell(SYL_SEVERITY_ERROR, error.what());
    return 1;
  } catch (const std::bad_alloc &) {
    return fail("%s: error: out of memory", model->name);
  } catch (const std::exception &error) {
    return fail("%s: internal error: %s\nhint: report this with the command and the network file", model->name,
                error.what());
  }
}
