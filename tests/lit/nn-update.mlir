// The optimizer's step for each parameter that has a gradient: an in-place region over the parameter and its slots,
// which are new variables. What the formulas need of the step number is computed once.
// RUN: sylvite-opt "%s" --split-input-file --nn-update | FileCheck "%s"

#zero = 0.0 : f64
!bias = tensor<10xf32>
!partial = tensor<10xf32, "partial">

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.5 : f64, momentum = 0.0 : f64, weight_decay = 0.25 : f64}} {
  // CHECK: %[[BIAS:.*]] = nn.variable "fc.bias"
  // CHECK-NOT: kind = "slot"
  %bias = nn.variable "fc.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias
  // CHECK: %[[GRADIENT:.*]] = nn.region "linear.grad_bias"
  %gradient = nn.region "linear.grad_bias"() : () -> !partial {
    %zero = nn.placeholder : !partial
    nn.yield %zero : !partial
  }
  nn.gradient "fc.bias", %gradient : !partial
  // CHECK: %[[RATES:.*]] = nn.region "optimizer_scalars.forward"() : () -> tensor<7xf32> {
  // CHECK-NEXT: nn.optimizer_scalars {kind = "sgd", learning_rate = 5.000000e-01 : f64,
  // CHECK: nn.region "sgd.update"(%[[BIAS]], %[[GRADIENT]], %[[RATES]]) attributes {updates = 1 : i64} :
  // CHECK-SAME: (tensor<10xf32>, tensor<10xf32, "partial">, tensor<7xf32>) -> () {
  // CHECK: %[[NEW:.*]] = nn.optimizer_update %{{.*}} by %{{.*}}, %{{.*}} {kind = "sgd",
  // CHECK-SAME: {decay_scale = 1.000000e+00 : f64, rate_scale = 1.000000e+00 : f64}
  // CHECK-NEXT: nn.yield %[[NEW]]
  nn.return
}

// -----

#zero = 0.0 : f64
#one = 1.0 : f64
!bias = tensor<10xf32>
!weight = tensor<10x16xf32>

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.5 : f64, momentum = 0.75 : f64, weight_decay = 0.0 : f64}} {
  // CHECK: %[[WEIGHT:.*]] = nn.variable "fc.weight"
  // CHECK: %[[SLOT1:.*]] = nn.variable "optimizer.momentum_buffer.fc.weight" {init = "constant", init_a =
  // CHECK-SAME: 0.000000e+00 : f64,
  // CHECK-SAME: kind = "slot"} : tensor<10x16xf32>
  %weight = nn.variable "fc.weight" {kind = "parameter", init = "constant", init_a = #one, init_b = #zero} : !weight
  // CHECK: %[[BIAS:.*]] = nn.variable "fc.bias"
  // CHECK: %[[SLOT2:.*]] = nn.variable "optimizer.momentum_buffer.fc.bias"
  %bias = nn.variable "fc.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias
  // A parameter without a gradient stays as it is.
  // CHECK: nn.variable "frozen.bias"
  // CHECK-NOT: frozen.bias
  %frozen = nn.variable "frozen.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias
  %g1 = nn.region "linear.grad_weight"() : () -> !weight {
    %zero = nn.placeholder : !weight
    nn.yield %zero : !weight
  }
  %g2 = nn.region "linear.grad_bias"() : () -> !bias {
    %zero = nn.placeholder : !bias
    nn.yield %zero : !bias
  }
  // CHECK: nn.gradient "fc.weight", %[[G1:.*]] :
  nn.gradient "fc.weight", %g1 : !weight
  // CHECK: nn.gradient "fc.bias", %[[G2:.*]] :
  nn.gradient "fc.bias", %g2 : !bias
  // CHECK: nn.gradient "input"
  nn.gradient "input", %g2 : !bias
  // CHECK: %[[RATES:.*]] = nn.region "optimizer_scalars.forward"
  // CHECK: nn.region "sgd.update"(%[[WEIGHT]], %[[SLOT1]], %[[G1]], %[[RATES]]) attributes {updates = 2 : i64}
  // CHECK-NOT: optimizer_scalars
  // CHECK: nn.region "sgd.update"(%[[BIAS]], %[[SLOT2]], %[[G2]], %[[RATES]]) attributes {updates = 2 : i64}
  // CHECK-NOT: .update"
  nn.return
}

// -----

#zero = 0.0 : f64
!bias = tensor<10xf32>

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64,
  optimizer = {kind = "adam", learning_rate = 0.5 : f64, beta1 = 0.75 : f64, beta2 = 0.875 : f64, eps = 0.125 : f64,
               weight_decay = 0.0 : f64}} {
  // CHECK: %[[BIAS:.*]] = nn.variable "fc.bias"
  // CHECK-DAG: %[[AVERAGE:.*]] = nn.variable "optimizer.exp_avg.fc.bias" {{.*}} kind = "slot"}
  // CHECK-DAG: %[[SQUARE:.*]] = nn.variable "optimizer.exp_avg_sq.fc.bias" {{.*}} kind = "slot"}
  %bias = nn.variable "fc.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias
  %gradient = nn.region "linear.grad_bias"() : () -> !bias {
    %zero = nn.placeholder : !bias
    nn.yield %zero : !bias
  }
  nn.gradient "fc.bias", %gradient : !bias
  // CHECK: nn.optimizer_scalars {beta1 = 7.500000e-01 : f64, beta2 = 8.750000e-01 : f64,
  // CHECK: nn.region "adam.update"(%[[BIAS]], %[[AVERAGE]], %[[SQUARE]], %{{.*}}, %{{.*}}) attributes {updates = 3 :
  // CHECK-SAME: i64}
  // CHECK: nn.optimizer_update {{.*}} {beta1 = 7.500000e-01 : f64, beta2 = 8.750000e-01 : f64, eps = 1.250000e-01 : f64,
  nn.return
}

// -----

#zero = 0.0 : f64
!bias = tensor<10xf32>

// Evaluation changes nothing.
// CHECK-LABEL: nn.program @evaluate
// CHECK-NOT: nn.region
// CHECK-NOT: kind = "slot"
nn.program @evaluate attributes {batch = 4 : i64, slices = 2 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.5 : f64, momentum = 0.75 : f64, weight_decay = 0.0 : f64}} {
  %bias = nn.variable "fc.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias
  nn.gradient "fc.bias", %bias : !bias
  nn.return
}

// -----

#zero = 0.0 : f64
#one = 1.0 : f64
#tenth = 0.1 : f64
!bias = tensor<10xf32>
!weight = tensor<10x16xf32>

// Clipping by the norm of all gradients, accumulation, averages; a parameter's multipliers, none of decay for a bias.
// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.5 : f64, momentum = 0.0 : f64, weight_decay = 0.25 : f64,
               decay_exempt = 1.0 : f64, clip_norm = 2.0 : f64, accumulate = 4.0 : f64, ema = 0.5 : f64}} {
  // CHECK: %[[WEIGHT:.*]] = nn.variable "fc.weight"
  // CHECK-DAG: %[[WEIGHT_SUM:.*]] = nn.variable "optimizer.accumulated.fc.weight" {{.*}}kind = "slot"}
  // CHECK-DAG: %[[WEIGHT_MEAN:.*]] = nn.variable "ema.fc.weight" {init = "copy", {{.*}}init_from = "fc.weight", kind =
  %weight = nn.variable "fc.weight" {kind = "parameter", init = "constant", init_a = #one, init_b = #zero,
                                     rate_scale = #tenth, decay_scale = 2.0 : f64} : !weight
  // CHECK: %[[BIAS:.*]] = nn.variable "fc.bias"
  %bias = nn.variable "fc.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias
  %g1 = nn.region "linear.grad_weight"() : () -> !weight {
    %zero = nn.placeholder : !weight
    nn.yield %zero : !weight
  }
  %g2 = nn.region "linear.grad_bias"() : () -> !bias {
    %zero = nn.placeholder : !bias
    nn.yield %zero : !bias
  }
  nn.gradient "fc.weight", %g1 : !weight
  nn.gradient "fc.bias", %g2 : !bias
  // CHECK: %[[S1:.*]] = nn.region "square_sum.forward"(%{{.*}}, %{{.*}}, %[[WEIGHT_SUM]])
  // CHECK: %[[S2:.*]] = nn.region "square_sum.forward"
  // CHECK: %[[CLIP:.*]] = nn.region "clip_scale.forward"(%[[S1]], %[[S2]])
  // CHECK: nn.clip_scale {{.*}} {clip_norm = 2.000000e+00 : f64}
  // CHECK: nn.region "sgd.update"(%[[WEIGHT]], %[[WEIGHT_SUM]], %[[WEIGHT_MEAN]], %{{.*}}, %{{.*}}, %[[CLIP]])
  // CHECK: {decay_scale = 2.000000e+00 : f64, rate_scale = 1.000000e-01 : f64}
  // CHECK: nn.region "sgd.update"(%[[BIAS]]
  // CHECK: {decay_scale = 0.000000e+00 : f64, rate_scale = 1.000000e+00 : f64}
  nn.return
}
