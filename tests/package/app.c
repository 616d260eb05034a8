/* An app outside the tree, in plain C99: trains lenet5 and mlp in one process, each in its own state block, at the same
 * time from two threads, on synthetic images, and checks what an app may rely on:
 *   - the loss falls, and the trained network classifies its training images;
 *   - a step takes any number of samples from 1 to the compiled batch;
 *   - training one network beside another gives the same bits as training it alone.
 */
#define _POSIX_C_SOURCE 200112L
#include "lenet5.h"
#include "mlp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 28 * 28, CLASSES = 10, BATCH = 64, BATCHES = 8, STEPS = 48 };

/* The functions of one network's generated header. */
typedef struct network {
  const char *name;
  size_t (*stateBytes)(void);
  size_t (*scratchBytes)(int32_t batch, int32_t threads);
  syl_status (*init)(void *state, uint64_t seed);
  syl_status (*trainStep)(void *state, void *scratch, const uint8_t *input, const int32_t *target, int32_t n,
                          const syl_step *step, syl_result *result);
  syl_status (*predict)(const void *state, void *scratch, const uint8_t *input, int32_t n, float *output);
} network;

static const network lenet5 = {"lenet5",    lenet5_state_bytes, lenet5_scratch_bytes,
                               lenet5_init, lenet5_train_step,  lenet5_predict};
static const network mlp = {"mlp", mlp_state_bytes, mlp_scratch_bytes, mlp_init, mlp_train_step, mlp_predict};

/* One training run of a network. */
typedef struct run {
  const network *net;
  void *state;
  double first, last; /* loss of the first step, mean loss of the last BATCHES steps */
  int accurate;       /* correctly predicted samples of the first batch */
  int failed;
} run;

static uint8_t images[BATCHES][BATCH][PIXELS]; /* two bright rows and columns that depend on the class, and noise */
static int32_t labels[BATCHES][BATCH];

static void makeData(void) {
  uint32_t random = 1;
  for (int b = 0; b < BATCHES; ++b)
    for (int i = 0; i < BATCH; ++i) {
      const int label = (b + i) % CLASSES;
      labels[b][i] = label;
      for (int p = 0; p < PIXELS; ++p) {
        const int y = p / 28, x = p % 28;
        random = random * 1664525u + 1013904223u;
        const int bright = y / 2 == label + 2 || x / 2 == 11 - label;
        images[b][i][p] = (uint8_t)((random >> 26) + (bright ? 160 : 0));
      }
    }
}

static void *allocate(size_t bytes) {
  void *block = NULL;
  if (posix_memalign(&block, SYL_ALIGNMENT, bytes ? bytes : 1))
    return NULL;
  return block;
}

static int report(run *r, const char *what, syl_status status) {
  if (status == SYL_OK)
    return 0;
  fprintf(stderr, "%s: %s: %s error: %s\n", r->net->name, what, syl_status_name(status), syl_last_error());
  r->failed = 1;
  return 1;
}

/* Trains from the same seed on the same data every time; the body of a thread. */
static void *train(void *argument) {
  run *r = argument;
  const network *net = r->net;
  r->state = allocate(net->stateBytes());
  void *scratch = allocate(net->scratchBytes(BATCH, 2));
  float output[BATCH][CLASSES];
  const syl_step step = {0, 0, 2, 0};
  syl_result result;
  if (!r->state || !scratch) {
    r->failed = 1;
    goto done;
  }
  /* Padding of the state is never written, and the two runs of a network are compared as a whole. */
  memset(r->state, 0, net->stateBytes());
  if (report(r, "init", net->init(r->state, 42)))
    goto done;
  for (int s = 0; s < STEPS; ++s) {
    const int b = s % BATCHES, n = s % 7 == 6 ? 1 + s : BATCH; /* every seventh batch is not full */
    if (report(r, "train_step", net->trainStep(r->state, scratch, images[b][0], labels[b], n, &step, &result)))
      goto done;
    if (result.count != n) {
      fprintf(stderr, "%s: a step on %d samples counted %d\n", net->name, n, (int)result.count);
      r->failed = 1;
    }
    if (s == 0)
      r->first = result.loss;
    if (s >= STEPS - BATCHES)
      r->last += result.loss / BATCHES;
  }
  if (report(r, "predict", net->predict(r->state, scratch, images[0][0], BATCH, output[0])))
    goto done;
  for (int i = 0; i < BATCH; ++i) {
    int best = 0;
    float sum = 0;
    for (int c = 0; c < CLASSES; ++c) {
      sum += output[i][c];
      if (output[i][c] > output[i][best])
        best = c;
    }
    r->accurate += best == labels[0][i];
    if (!(sum > 0.999f && sum < 1.001f)) {
      fprintf(stderr, "%s: probabilities of sample %d sum to %g\n", net->name, i, sum);
      r->failed = 1;
    }
  }
done:
  free(scratch);
  return NULL;
}

/* Prints what a run reached; true if that is good. */
static int judge(const run *together, const run *alone) {
  const char *name = together->net->name;
  printf("%s: loss %.3f -> %.3f, %d of %d predicted\n", name, together->first, together->last, together->accurate,
         BATCH);
  if (together->failed || alone->failed)
    return 0;
  if (!(together->first > 1.5 && together->last < 0.25 * together->first && together->accurate >= BATCH * 9 / 10)) {
    fprintf(stderr, "%s: has not learned\n", name);
    return 0;
  }
  if (memcmp(together->state, alone->state, together->net->stateBytes()) != 0) {
    fprintf(stderr, "%s: trained beside another network, the state has other bits than trained alone\n", name);
    return 0;
  }
  return 1;
}

int main(void) {
  run runs[4] = {
      {&lenet5, NULL, 0, 0, 0, 0}, {&mlp, NULL, 0, 0, 0, 0}, {&lenet5, NULL, 0, 0, 0, 0}, {&mlp, NULL, 0, 0, 0, 0}};
  pthread_t threads[2];
  makeData();
  for (int i = 0; i < 2; ++i)
    if (pthread_create(&threads[i], NULL, train, &runs[i])) {
      fprintf(stderr, "pthread_create failed\n");
      return 1;
    }
  for (int i = 0; i < 2; ++i)
    pthread_join(threads[i], NULL);
  train(&runs[2]);
  train(&runs[3]);
  int good = 1;
  for (int i = 0; i < 2; ++i)
    good &= judge(&runs[i], &runs[i + 2]);
  for (int i = 0; i < 4; ++i)
    free(runs[i].state);
  return good ? 0 : 1;
}
