//===- sylvite.cpp - the command ----------------------------------------------------------------------------------===//
//
// compile and summary work here; data runs the program of the readers. train, evaluate, predict, step, check and bench
// compile the network (or take it from the cache), link it with the runtime's training program and run that: what they
// print comes from runtime/train.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Frontend.h"
#include "compiler/support/Files.h"
#include "compiler/support/Names.h"
#include "compiler/tools/Build.h"
#include "compiler/tools/DataVerb.h"
#include "compiler/tools/Schedules.h"
#include "compiler/tools/Summary.h"
#include "compiler/tools/Tune.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <unistd.h>

namespace sylvite {
namespace {

/// An option that is handed on to the program.
struct Passed {
  const char *name, *value, *text; ///< value null: a flag
  bool repeated = false;           ///< may be given several times
};

struct RunVerb {
  const char *name, *text;
  bool keepGradients, doublePrecision, batchCompiles;
  std::vector<Passed> options;
  bool ofRun = false;      ///< takes the folder of a run, and compiles the network as that did
  bool onlyTrains = false; ///< calls nothing but training steps
};

const Passed threads{"--threads", "N", "Threads, the caller among them (default: the cores this process may use)"};
const Passed data{"--data", "DATA",
                  "fashion-mnist, a folder (IDX files, X.npy and Y.npy, CIFAR's, or class folders of images), a .npz, "
                  ".safetensors or .csv file, X.npy,Y.npy, or train=DATA,test=DATA; docs/data.md has all"};
const Passed split{"--split", "SHARE", "Share of the samples for training, the others being the test part"};
const Passed label{"--label", "COLUMN", "Of a CSV file: name or number (from 1) of the label's column"};
const Passed prefix{"--prefix", "FROM=TO", "Names of the file that begin with FROM count with TO in its place", true};
const Passed allowMissing{"--allow-missing", nullptr, "Tensors that the file lacks start anew"};
const Passed allowExtra{"--allow-extra", nullptr, "Tensors that the network lacks are left over"};
const Passed checkpoint{"--checkpoint", "FILE", "Safetensors file of the weights, e.g. runs/NET/best.safetensors"};

/// Is for the compiler, and not handed on.
const Passed float64{"--float64", nullptr, "Compute in double, parameters and float inputs too"};

const std::vector<RunVerb> &runVerbs() {
  static const std::vector<RunVerb> verbs{
      {"train",
       "Train a network, evaluating after each epoch",
       false,
       false,
       true,
       {data,
        split,
        label,
        {"--epochs", "N", "Passes over the training part (default: the network file's)"},
        {"--batch", "N", "Samples in a step (default: the network file's)"},
        threads,
        {"--seed", "S", "Seed of the initial weights and of the samples' order (default: the network file's)"},
        {"--weights", "FILE",
         "Start from the tensors of this file that the network has too (default: the network file's)"},
        prefix,
        {"--out", "RUN", "Folder of the run (default: runs/NET)"},
        {"--resume", nullptr, "Go on from RUN/last.safetensors, to the bits of an uninterrupted run"},
        {"--from", "FILE", "With --resume: go on from this checkpoint"},
        {"--save-every", "N", "Save after so many steps, epochs or minutes: 500steps, 2epochs, 10minutes"},
        {"--keep-best", "METRIC", "What decides which epoch is best: loss or a metric"},
        {"--on-nan", "WHAT", "At a NaN or an infinity: stop, skip (the step) or rollback (default: stop)"},
        {"--log-norms", nullptr, "Also log the norm of each parameter and of its gradient"},
        {"--json", nullptr, "Print one JSON object a line: start, progress, epoch, interrupted, end"}}},
      {"evaluate",
       "Loss and accuracy of a checkpoint on the test part of the data",
       false,
       false,
       true,
       {data,
        split,
        label,
        checkpoint,
        allowMissing,
        allowExtra,
        prefix,
        threads,
        {"--json", nullptr, "Print one JSON object and nothing else"}}},
      {"predict",
       "Outputs of a checkpoint for samples",
       false,
       false,
       true,
       {{"--data", "DATA", "As for evaluate, or samples alone: X.npy, a folder of images, an image"},
        split,
        label,
        checkpoint,
        allowMissing,
        allowExtra,
        prefix,
        {"--out", "FILE.npy", "Write all outputs here; without it the first rows are printed"},
        threads}},
      {"step",
       "Training steps on one batch, with everything dumped: to compare with another system",
       true,
       false,
       true,
       {{"--state", "IN.safetensors", "Start from this file (default: a fresh initialisation)"},
        allowMissing,
        allowExtra,
        prefix,
        {"--input", "X.npy", "Samples; all rows are one batch. NAME=X.npy for each input where there are several",
         true},
        {"--target", "Y.npy", "Their targets; NAME=Y.npy for each where there are several", true},
        {"--steps", "K", "Training steps, each on the same batch (default: 1)"},
        {"--steps-per-epoch", "K", "For learning rates that follow epochs (default: unknown)"},
        threads,
        {"--seed", "S", "Seed of the initial weights (default: the network file's)"},
        {"--dump", "OUT.safetensors", "Gets output, loss [K], grad.*, parameters, running statistics and slots"},
        float64},
       false,
       true},
      {"check",
       "Every gradient against central differences, in double",
       true,
       true,
       false,
       {{"--seed", "S", "Seed of weights, samples and directions"},
        {"--batch", "N", "Samples in the step (default: 3, or the compiled batch if smaller)"},
        threads,
        {"--verbose", nullptr, "Also print each point that was drawn again or failed"}},
       false,
       true},
      {"bench",
       "Time training steps or predictions on synthetic data",
       false,
       false,
       true,
       {{"--what", "WHAT", "train, predict or evaluate (default: train)"},
        {"--batch", "N", "Samples in a step (default: the network file's)"},
        threads,
        {"--seconds", "S", "Time for at least this long, and at least 5 steps"},
        {"--json", nullptr, "Print one JSON object and nothing else"},
        {"--kernels", nullptr,
         "Also each kernel's time within the step, its rates, its share of the roofline and its rule"},
        {"--roofline", "FILE.svg", "Write the roofline picture here; implies --kernels"}}},
      {"reproduce",
       "Repeat a run from its record and compare the bits",
       false,
       false,
       false,
       {{"--out", "FOLDER", "Folder for the run that repeats it (default: RUN/reproduced)"}, threads},
       true},
      {"report",
       "Write a run's report as one HTML page",
       false,
       false,
       false,
       {{"--out", "FILE.html", "The page (default: RUN/report.html)"}, threads},
       true},
  };
  return verbs;
}

int64_t parseBatch(const std::string &text) {
  bool digits = !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
  int64_t value = digits ? std::stoll(text) : 0;
  return value > 0 ? value : -1;
}

int report(const Diagnostics &diagnostics) {
  std::cout.flush();
  diagnostics.print(std::cerr);
  return 1;
}

/// Options of compilation, shared by all verbs that compile.
void declareCompilation(CLI::App &app, BuildRequest &request, bool targetName) {
  app.add_option("NET.yaml", request.network, "The network file")->required()->type_name("");
  app.add_option(targetName ? "--target,--cpu" : "--cpu", request.target,
                 "Instruction set: host (the widest that this CPU runs), x86-64-avx512, x86-64-avx2; x86-64 for both "
                 "in one object, "
                 "chosen where it runs")
      ->capture_default_str()
      ->type_name("T");
  app.add_option("--schedules", request.schedules,
                 "Schedule file whose rules are tried before the shipped ones; the option once for each file")
      ->allow_extra_args(false)
      ->type_name("FILE");
  app.add_option(
         "--max-scratch", request.maxScratch,
         "Most bytes of the scratch block for one thread: what would wait for the backward pass is computed again "
         "until it fits")
      ->check(CLI::Range(int64_t(1), INT64_MAX))
      ->type_name("BYTES");
  app.add_flag("--exact", request.exact, "Every layer in its direct form: no Winograd convolutions");
}

class CommandLine {
public:
  int run(int argc, char **argv) {
    here = Installation::find();
    CLI::App app("Compiles networks for training on CPUs: a YAML file becomes an object file and a C header.",
                 "sylvite");
    app.require_subcommand(1);
    app.set_version_flag("--version", here.version);
    app.get_formatter()->column_width(34);
    declareCompile(app);
    declareSummary(app);
    declareData(app);
    declareTune(app);
    declareSchedule(app);
    for (const RunVerb &verb : runVerbs())
      declareRun(app, verb);
    if (argc < 2 || (argv[1][0] != '-' && verbOf(argc, argv).empty())) {
      Diagnostics diagnostics;
      std::string verbs;
      for (const std::string &verb : verbNames())
        verbs += (verbs.empty() ? "" : ", ") + verb;
      std::string found = argc < 2 ? "no verb given" : "unknown verb '" + std::string(argv[1]) + "'";
      std::string guess = argc < 2 ? "" : didYouMean(argv[1], verbNames());
      diagnostics.error({"sylvite", 0, 0}, found,
                        guess + (guess.empty() ? "" : " ") + "verbs: " + verbs + "; see `sylvite --help`");
      return report(diagnostics);
    }
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
      if (error.get_exit_code() == 0)
        return app.exit(error);
      std::cerr << "sylvite: error: " << error.what() << "\n  hint: see `sylvite " << verbOf(argc, argv) << "--help`\n";
      return 1;
    }
    return action();
  }

private:
  Installation here;
  BuildRequest request;
  std::string batch, output = ".", emit, dataName, runFolder;
  std::vector<std::string> networks; ///< of `summary`
  bool explain = false;
  std::map<std::string, std::string> values;
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, bool> flags;
  TuneRequest tuning;
  std::string kernel, firstFile, secondFile; ///< of `schedule`
  std::function<int()> action;

  static const std::vector<std::string> &verbNames() {
    static const std::vector<std::string> names{"compile", "train", "evaluate",  "predict", "step",
                                                "check",   "bench", "reproduce", "report",  "summary",
                                                "data",    "tune",  "schedule"};
    return names;
  }
  /// The verb and a space, or nothing where there is none.
  static std::string verbOf(int argc, char **argv) {
    return argc > 1 && llvm::is_contained(verbNames(), argv[1]) ? std::string(argv[1]) + " " : "";
  }

  bool takeBatch(Diagnostics &diagnostics) {
    if (batch.empty())
      return true;
    request.batch = parseBatch(batch);
    if (request.batch < 0)
      diagnostics.error({}, "--batch: found " + batch + ", expected a whole number from 1 to 999999999");
    return request.batch >= 0;
  }

  void declareCompile(CLI::App &app) {
    CLI::App *verb = app.add_subcommand("compile", "Compile a network to NET.o, libNET.a, NET.h and NET.json");
    declareCompilation(*verb, request, true);
    verb->add_option("-o,--output", output, "Folder for the results")->capture_default_str()->type_name("DIR");
    verb->add_option("--batch", batch, "Largest number of samples in a call (default: the network file's)")
        ->type_name("N");
    verb->add_option("--emit", emit, "Also write stages, with commas between: nn, regions, llvm, halide, asm")
        ->type_name("STAGES");
    verb->add_option("--phases", request.phases,
                     "What the library can do, with commas between: train, evaluate, predict (default: all). `predict` "
                     "leaves out gradients, optimizer and their tensors")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::IsMember({"train", "evaluate", "predict"}))
        ->type_name("PHASES");
    verb->add_flag("--explain", explain, "Print each kernel's schedule rule and each buffer's place and life");
    verb->add_flag("-q,--quiet", request.quiet, "No progress");
    verb->callback([this] { action = [this] { return compile(); }; });
  }

  int compile() {
    Diagnostics diagnostics;
    bool ok = takeBatch(diagnostics);
    std::stringstream stages(emit);
    for (std::string stage; std::getline(stages, stage, ',');) {
      static const std::set<std::string> known{"nn", "regions", "llvm", "halide", "asm"};
      if (!known.count(stage)) {
        diagnostics.error({}, "--emit: unknown stage '" + stage + "'", "known: nn, regions, llvm, halide, asm");
        ok = false;
      }
      request.emit.insert(stage);
    }
    codegen::CompileResult result;
    if (!ok || !buildNetwork(request, here, output, result, diagnostics))
      return report(diagnostics);
    diagnostics.print(std::cerr);
    if (explain)
      std::cout << result.explanation;
    std::error_code code;
    std::cerr << result.object.string() << ": " << std::filesystem::file_size(result.object, code) / 1024 << " KiB";
    for (const codegen::Plan &plan : result.versions)
      std::cerr << ", " << plan.kernels.size() << " kernels for " << plan.target->name << "; state " << plan.stateBytes
                << " bytes, scratch " << plan.scratchBytes << " bytes";
    std::cerr << "\n";
    return 0;
  }

  void declareSummary(CLI::App &app) {
    CLI::App *verb =
        app.add_subcommand("summary", "Print a table of layers: output shape, parameters, multiply-adds, memory");
    verb->add_option("NET.yaml", networks, "The network files")->required()->type_name("...");
    verb->add_option("--batch", batch, "Largest number of samples in a call (default: the network file's)")
        ->type_name("N");
    verb->callback([this] { action = [this] { return summarize(); }; });
  }

  /// A table for each network; a file that is in error does not keep the others from theirs.
  int summarize() {
    Diagnostics problems;
    if (!takeBatch(problems))
      return report(problems);
    int status = 0;
    for (const std::string &network : networks) {
      Diagnostics diagnostics;
      mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
      context.loadDialect<nn::NnDialect>();
      NetworkOptions options;
      options.batch = request.batch;
      mlir::OwningOpRef<mlir::ModuleOp> module = readNetwork(network, options, context, diagnostics);
      if (!module) {
        status = report(diagnostics);
        continue;
      }
      diagnostics.print(std::cerr);
      if (networks.size() > 1)
        std::cout << (network == networks.front() ? "" : "\n") << network << ":\n";
      std::cout << summaryText(*module);
    }
    return status;
  }

  void declareData(CLI::App &app) {
    CLI::App *verb = app.add_subcommand("data", "Show what the readers see in a data set");
    verb->add_option("DATA", dataName, data.text)->required()->type_name("");
    verb->add_option("--network", request.network, "Check the data against this network file")->type_name("NET.yaml");
    for (const Passed &option : {split, label})
      verb->add_option(option.name, values[option.name], option.text)->type_name(option.value);
    verb->add_option("--sheet", values["--sheet"], "Write the first 64 images side by side")->type_name("FILE.png");
    verb->add_flag("--json", flags["--json"], "Print one JSON object and nothing else");
    verb->callback([this, verb] { action = [this, verb] { return showData(*verb); }; });
  }

  /// Runs the program of the readers, which needs no network to be compiled.
  int showData(CLI::App &verb) {
    Diagnostics diagnostics;
    unsetenv("SYLVITE_ARRAYS");
    if (!request.network.empty()) {
      mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
      context.loadDialect<nn::NnDialect>();
      mlir::OwningOpRef<mlir::ModuleOp> module = readNetwork(request.network, NetworkOptions(), context, diagnostics);
      if (!module)
        return report(diagnostics);
      setenv("SYLVITE_ARRAYS", arraysText(*module).c_str(), 1);
    }
    std::vector<std::string> arguments{"sylvite-data"};
    for (const char *option : {"--split", "--label", "--sheet"})
      if (verb.count(option))
        arguments.insert(arguments.end(), {option, values[option]});
    if (flags["--json"])
      arguments.push_back("--json");
    arguments.insert(arguments.end(), {"--", dataName});
    diagnostics.print(std::cerr);
    return replaceBy(here.libraries / "sylvite" / "sylvite-data", arguments);
  }

  /// Becomes the program of a network, or the command in SYLVITE_RUNNER, such as an emulator of another CPU, with the
  /// program and its arguments behind its own; returns only where that fails.
  int runNetwork(const std::filesystem::path &program, std::vector<std::string> &arguments) {
    const char *runner = std::getenv("SYLVITE_RUNNER");
    llvm::SmallVector<llvm::StringRef> words;
    llvm::SplitString(runner ? runner : "", words);
    if (words.empty())
      return replaceBy(program, arguments);
    arguments.front() = program.string();
    arguments.insert(arguments.begin(), words.begin(), words.end());
    return replaceBy(arguments.front(), arguments, "SYLVITE_RUNNER names it: a command that runs programs");
  }

  /// Becomes the program; returns only where that fails.
  int replaceBy(const std::filesystem::path &program, std::vector<std::string> &arguments, std::string hint = "") {
    std::vector<char *> pointers;
    for (std::string &argument : arguments)
      pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    std::cout.flush();
    std::cerr.flush();
    execvp(program.c_str(), pointers.data());
    Diagnostics diagnostics;
    diagnostics.error({program.string(), 0, 0}, std::string("cannot be run: ") + strerror(errno), std::move(hint));
    return report(diagnostics);
  }

  void declareSchedule(CLI::App &app) {
    CLI::App *verb = app.add_subcommand("schedule", "Show or compare the rules of schedule files");
    verb->require_subcommand(1);
    CLI::App *show =
        verb->add_subcommand("show", "The rules for a kernel; of a network's kernels, the rule that each gets");
    show->add_option("KERNEL", kernel,
                     "Its name, such as conv2d.forward; with NET.yaml also its key or LAYER:NAME. * and "
                     "? stand for any")
        ->required()
        ->type_name("");
    declareCompilation(*show, request, true);
    show->get_option("NET.yaml")->required(false);
    show->add_option("--batch", batch, "Largest number of samples in a call (default: the network file's)")
        ->type_name("N");
    show->callback([this] {
      action = [this] {
        Diagnostics diagnostics;
        std::optional<std::string> text;
        if (takeBatch(diagnostics))
          text = showSchedules(kernel, request, here, diagnostics);
        std::cout << text.value_or("");
        diagnostics.print(std::cerr);
        return text ? 0 : 1;
      };
    });
    CLI::App *diff = verb->add_subcommand("diff", "What differs between the rules of two files");
    diff->add_option("A", firstFile, "Schedule file")->required()->type_name("");
    diff->add_option("B", secondFile, "Schedule file")->required()->type_name("");
    diff->footer("Exit status: 0 where nothing differs, 1 where something does, 2 after an error.");
    diff->callback([this] {
      action = [this] {
        Diagnostics diagnostics;
        std::optional<std::string> text = diffSchedules(firstFile, secondFile, diagnostics);
        std::cout << text.value_or("");
        diagnostics.print(std::cerr);
        return !text ? 2 : text->empty() ? 0 : 1;
      };
    });
  }

  void declareTune(CLI::App &app) {
    CLI::App *verb = app.add_subcommand("tune", "Find fast schedules for a network's kernels on this machine");
    declareCompilation(*verb, request, true);
    verb->add_option("--minutes", tuning.minutes, "Stop after this long")
        ->check(CLI::Range(0., 100000.))
        ->capture_default_str()
        ->type_name("M");
    verb->add_option(
            "-o,--output", tuning.output,
            "Schedule file for the best found (default: NET.CPU.yaml); its journal FILE.journal has all tries, "
            "and the same command goes on from there")
        ->type_name("FILE");
    verb->add_option("--kernel", tuning.kernels, "Only kernels of this name, key or LAYER:NAME; * and ? stand for any")
        ->allow_extra_args(false)
        ->type_name("NAME");
    verb->add_option("--what", tuning.what, "What to make faster: train or predict")
        ->check(CLI::IsMember({"train", "predict"}))
        ->capture_default_str()
        ->type_name("WHAT");
    verb->add_option("--batch", batch, "Samples in a step (default: the network file's)")->type_name("N");
    verb->add_option("--threads", tuning.threads, threads.text)->check(CLI::Range(1, 256))->type_name("N");
    verb->add_option("--seconds", tuning.seconds, "Time each set of candidates for at least this long")
        ->check(CLI::Range(0., 3600.))
        ->capture_default_str()
        ->type_name("S");
    verb->add_flag("-q,--quiet", tuning.quiet, "No progress");
    verb->footer("Ctrl-C writes the best schedules so far; the same command goes on later.");
    verb->callback([this] {
      action = [this] {
        Diagnostics diagnostics;
        int status = 1;
        if (codegen::findTargets(request.target).size() > 1)
          diagnostics.error({}, "--target: found " + request.target + ", expected one instruction set to tune for",
                            "host, the default, is this CPU's");
        else if (takeBatch(diagnostics)) {
          tuning.build = request;
          status = tune(tuning, here, diagnostics);
        }
        diagnostics.print(std::cerr);
        return status;
      };
    });
  }

  void declareRun(CLI::App &app, const RunVerb &verb) {
    CLI::App *sub = app.add_subcommand(verb.name, verb.text);
    bool ownTarget =
        llvm::any_of(verb.options, [](const Passed &option) { return std::string(option.name) == "--target"; });
    if (verb.ofRun)
      sub->add_option("RUN", runFolder, "The folder of a run that train made")->required()->type_name("");
    else
      declareCompilation(*sub, request, !ownTarget);
    for (const Passed &option : verb.options) {
      if (option.repeated)
        sub->add_option(option.name, lists[option.name], option.text)->type_name(option.value)->allow_extra_args(false);
      else if (option.value)
        sub->add_option(option.name, values[option.name], option.text)->type_name(option.value);
      else
        sub->add_flag(option.name, flags[option.name], option.text);
    }
    sub->add_flag("-q,--quiet", request.quiet, "No progress");
    sub->callback([this, &verb, sub] { action = [this, &verb, sub] { return runProgram(verb, *sub); }; });
  }

  /// How the network is compiled, as JSON, for the record of a run.
  std::string compilation() const {
    llvm::json::Array schedules;
    for (const std::string &file : request.schedules)
      schedules.push_back(std::filesystem::absolute(file).string());
    std::string text;
    llvm::raw_string_ostream(text) << llvm::json::Value(llvm::json::Object{{"target", request.target},
                                                                           {"batch", request.batch},
                                                                           {"exact", request.exact},
                                                                           {"schedules", std::move(schedules)}});
    return text;
  }

  /// The network of a run, and how it was compiled, from run.json.
  bool takeRun(Diagnostics &diagnostics) {
    const std::filesystem::path folder = runFolder, record = folder / "run.json";
    std::string error;
    std::optional<std::string> text = readFile(record, 16 << 20, error);
    if (!text) {
      diagnostics.error({record.string(), 0, 0}, error, "RUN is a folder that `sylvite train` made");
      return false;
    }
    llvm::Expected<llvm::json::Value> json = llvm::json::parse(*text);
    const llvm::json::Object *map = json ? json->getAsObject() : nullptr;
    std::optional<llvm::StringRef> target = map ? map->getString("target") : std::nullopt;
    if (!target) {
      diagnostics.error({record.string(), 0, 0}, "found what is no record of a run");
      llvm::consumeError(json.takeError());
      return false;
    }
    request.network = (folder / "network.yaml").string();
    request.target = target->str();
    if (const llvm::json::Object *compile = map->getObject("compile")) {
      request.batch = compile->getInteger("batch").value_or(0);
      request.exact = compile->getBoolean("exact").value_or(false);
      if (const llvm::json::Array *schedules = compile->getArray("schedules"))
        for (const llvm::json::Value &file : *schedules)
          request.schedules.push_back(file.getAsString().value_or("").str());
    }
    return true;
  }

  int runProgram(const RunVerb &verb, CLI::App &sub) {
    Diagnostics diagnostics;
    request.keepGradients = verb.keepGradients || flags["--log-norms"];
    request.doublePrecision = verb.doublePrecision || flags[float64.name];
    if (verb.onlyTrains)
      request.phases = {"train"};
    if (verb.batchCompiles)
      batch = values["--batch"];
    const bool quiet = request.quiet;
    if (flags["--json"])
      request.quiet = true;
    if ((verb.ofRun && !takeRun(diagnostics)) || !takeBatch(diagnostics))
      return report(diagnostics);
    std::optional<std::filesystem::path> program = buildProgram(request, here, diagnostics);
    if (!program)
      return report(diagnostics);
    diagnostics.print(std::cerr);
    std::vector<std::string> arguments{"sylvite", verb.name};
    if (verb.ofRun)
      arguments.push_back(runFolder);
    for (const Passed &option : verb.options) {
      if (!sub.count(option.name) || option.name == float64.name)
        continue;
      for (const std::string &value : lists[option.name])
        arguments.insert(arguments.end(), {option.name, value});
      if (option.repeated)
        continue;
      arguments.push_back(option.name);
      if (option.value)
        arguments.push_back(values[option.name]);
    }
    if (quiet && (verb.ofRun || std::string(verb.name) == "train"))
      arguments.push_back("--quiet");
    setenv("SYLVITE_NETWORK_FILE", request.network.c_str(), 1);
    setenv("SYLVITE_COMPILE", compilation().c_str(), 1);
    return runNetwork(*program, arguments);
  }
};

} // namespace
} // namespace sylvite

int main(int argc, char **argv) { return sylvite::CommandLine().run(argc, argv); }
