/* Sylvite's training part: checkpoints, and the whole program that `sylvite train`, `evaluate`, `predict`, `step`,
 * `check`, `bench`, `reproduce` and `report` run. An app that only steps a network needs sylvite.h and no more.
 *
 * Link with the libraries of SYL_TRAIN_LIBRARIES, in that order, after the network's object.
 */
#ifndef SYLVITE_TRAIN_H
#define SYLVITE_TRAIN_H

#include "sylvite/sylvite.h"

/* What a program that calls anything in this file links with, as arguments of `cc`, after -L of the runtime's folder.
 */
#define SYL_TRAIN_LIBRARIES "-lsylvite_train -lsylvite_data -lsylvite_rt -lpng -ljpeg -lz -lstdc++ -lm -ldl -lpthread"

#ifdef __cplusplus
extern "C" {
#endif

/* The program: runs the verb argv[1] (train, evaluate, predict, step, check, bench, reproduce, report) on `model` with
 * the arguments after it, and prints what it does to standard output, and its warnings and its error to the callback of
 * syl_set_message_callback() or, where this thread has none, to standard error. Returns the exit status: 0, 1 after a
 * user's error, 128 + the signal's number where SIGINT, SIGTERM or SIGHUP stopped a training that was then saved. The
 * environment variable SYLVITE_NETWORK_FILE is the name of the network file that messages show; NET.yaml where it is
 * not set. For the main thread of a program. */
int syl_main(const syl_model *model, int argc, char **argv);

/* The program that `sylvite tune` links and runs: `plain`, `best` and `candidate` are compilations of one network that
 * differ in the schedules of their kernels only. Checks kernels of `candidate` against those of `plain`, times those of
 * `candidate` and `best`, and prints what it found, a JSON object a line. `settings` is JSON: {"program": 0 train or 2
 * predict, "rows": indices of the kernels to check, "threads": N, "seconds": S}. Returns the exit status. */
int syl_tune_main(const syl_model *plain, const syl_model *best, const syl_model *candidate, const char *settings);

/* Saves the parameters, running statistics, optimizer slots, step and seed of `state` as a safetensors file,
 * atomically: `path` holds the old or the new file at any moment. Errors: SYL_ERROR_ARGUMENT, SYL_ERROR_IO,
 * SYL_ERROR_MEMORY; the message goes to `message`, at most message_bytes with its end, where that is not null, and to
 * the callback of syl_set_message_callback(); syl_last_error() has its first 511 bytes. */
syl_status syl_save_checkpoint(const syl_model *model, const void *state, const char *path, char *message,
                               size_t message_bytes);
/* Fills `state` (syl_state_bytes, aligned) from a checkpoint, or from a safetensors file that PyTorch wrote, in which
 * step, slots and num_batches_tracked may be absent (then 0). Every other tensor of the model must be there in its
 * shape. On an error `state` is unchanged. Errors: SYL_ERROR_ARGUMENT, SYL_ERROR_IO, SYL_ERROR_FORMAT,
 * SYL_ERROR_MISMATCH, SYL_ERROR_MEMORY; message as above. */
syl_status syl_load_checkpoint(const syl_model *model, void *state, const char *path, char *message,
                               size_t message_bytes);

#ifdef __cplusplus
}
#endif

#endif
