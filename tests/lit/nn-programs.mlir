// One network becomes three programs, each with what it leaves and no more.
// RUN: sylvite-opt "%s" --split-input-file --nn-programs | FileCheck "%s"

#zero = 0.0 : f64
#one = 1.0 : f64
!image = tensor<4x6x6x3xf32, "batch">
!flat = tensor<4x108xf32, "batch">
!logits = tensor<4x10xf32, "batch">
!channels = tensor<3xf32>
!weight = tensor<10x108xf32>

nn.network @net attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {kind = "sgd"}, epochs = 1 : i64,
                            seed = 1 : i64, output_kind = "softmax"} {
  %image = nn.input : !image
  %target = nn.target : tensor<4xi32, "batch">
  %weight = nn.variable "bn.weight" {kind = "parameter", init = "constant", init_a = #one, init_b = #zero} : !channels
  %bias = nn.variable "bn.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %mean = nn.variable "bn.running_mean" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %var = nn.variable "bn.running_var" {kind = "buffer", init = "constant", init_a = #one, init_b = #zero} : !channels
  %norm = nn.batch_norm %image, running(%mean, %var) affine(%weight, %bias) {momentum = 0.25 : f64, eps = 0.5 : f64}
          : (!image, !channels, !channels, !channels, !channels) -> !image
  %flat = nn.flatten %norm : (!image) -> !flat
  %dense = nn.variable "fc.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight
  %logits = nn.linear %flat, %dense {units = 10 : i64, bias = false} : (!flat, !weight) -> !logits
  %loss = nn.cross_entropy %logits, %target : (!logits, tensor<4xi32, "batch">) -> tensor<4xf32, "batch">
  %correct = nn.accuracy %logits, %target : (!logits, tensor<4xi32, "batch">) -> tensor<4xi32, "batch">
  %prediction = nn.softmax %logits : (!logits) -> !logits
  nn.return logits %logits : !logits loss %loss : tensor<4xf32, "batch"> correct %correct : tensor<4xi32, "batch">
    prediction %prediction : !logits
}

// The network stays as it was; the descriptor is made from it.
// CHECK-LABEL: nn.network @net
// CHECK: nn.batch_norm

// CHECK-LABEL: nn.program @train attributes {batch = 4 : i64, optimizer = {kind = "sgd"}, slices = 2 : i64}
// CHECK: %[[X:.*]] = nn.input
// CHECK: %[[TARGET:.*]] = nn.target
// CHECK: %[[WEIGHT:.*]] = nn.variable "bn.weight"
// CHECK: %[[BIAS:.*]] = nn.variable "bn.bias"
// CHECK: %[[MEAN:.*]] = nn.variable "bn.running_mean"
// CHECK: %[[VAR:.*]] = nn.variable "bn.running_var"
// CHECK-NOT: nn.batch_norm %
// CHECK: %[[SUMS:.*]] = nn.channel_sums %[[X]] : ({{.*}}) -> tensor<2x3x3xf32, "slices">
// CHECK: %[[SCALARS:.*]] = nn.batch_norm_scalars %[[SUMS]] affine(%[[WEIGHT]], %[[BIAS]]) {eps = 5.000000e-01 : f64,
// CHECK-SAME: pixels = 36 : i64}
// CHECK-SAME: -> tensor<3x2xf32>
// CHECK: nn.batch_norm_running %[[MEAN]], %[[VAR]], %[[SUMS]] {momentum = 2.500000e-01 : f64, pixels = 36 : i64}
// CHECK: nn.scale_shift %[[X]], %[[SCALARS]]
// CHECK: %[[LOGITS:.*]] = nn.linear
// CHECK: %[[MAX:.*]] = nn.row_max %[[LOGITS]]
// CHECK: %[[LOSS:.*]] = nn.cross_entropy %[[LOGITS]], %[[TARGET]] shifted by %[[MAX]]
// CHECK: %[[CORRECT:.*]] = nn.accuracy
// CHECK-NOT: nn.softmax
// CHECK: nn.return logits %[[LOGITS]] {{.*}} loss %[[LOSS]] {{.*}} correct %[[CORRECT]] : tensor<4xi32, "batch">{{$}}

// CHECK-LABEL: nn.program @evaluate
// CHECK: %[[X:.*]] = nn.input
// CHECK: %[[WEIGHT:.*]] = nn.variable "bn.weight"
// CHECK: %[[BIAS:.*]] = nn.variable "bn.bias"
// CHECK: %[[MEAN:.*]] = nn.variable "bn.running_mean"
// CHECK: %[[VAR:.*]] = nn.variable "bn.running_var"
// CHECK-NOT: nn.channel_sums
// CHECK-NOT: nn.batch_norm_running
// CHECK: %[[SCALARS:.*]] = nn.batch_norm_inference_scalars %[[MEAN]], %[[VAR]] affine(%[[WEIGHT]], %[[BIAS]]) {eps =
// CHECK-SAME: 5.000000e-01 : f64}
// CHECK: nn.scale_shift %[[X]], %[[SCALARS]]
// CHECK: %[[LOSS:.*]] = nn.cross_entropy {{.*}} shifted by
// CHECK: nn.return logits %{{.*}} loss %[[LOSS]] : tensor<4xf32, "batch"> correct %{{.*}} : tensor<4xi32, "batch">{{$}}

// CHECK-LABEL: nn.program @predict
// CHECK-NOT: nn.target
// CHECK: nn.batch_norm_inference_scalars
// CHECK: %[[LOGITS:.*]] = nn.linear
// CHECK: %[[MAX:.*]] = nn.row_max %[[LOGITS]]
// CHECK-NOT: nn.cross_entropy
// CHECK-NOT: nn.accuracy
// CHECK: %[[OUT:.*]] = nn.softmax %[[LOGITS]], %[[MAX]]
// CHECK: nn.return prediction %[[OUT]] : tensor<4x10xf32, "batch">{{$}}

// -----

// A prediction that something else reads too, or that is given twice, is copied to the caller's array.
// CHECK-LABEL: nn.program @predict
// CHECK: %[[HIDDEN:.*]] = nn.linear
// CHECK: %[[LOGITS:.*]] = nn.linear %[[HIDDEN]]
// CHECK: %[[FIRST:.*]] = nn.identity %[[HIDDEN]]
// CHECK: %[[SECOND:.*]] = nn.identity %[[LOGITS]]
// CHECK: %[[THIRD:.*]] = nn.identity %[[LOGITS]]
// CHECK: nn.return prediction %[[FIRST]], %[[SECOND]], %[[THIRD]]
!logits = tensor<4x10xf32, "batch">
nn.network @outputs attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {kind = "sgd"}, epochs = 1 : i64,
    seed = 1 : i64, output_kind = "linear"} {
  %input = nn.input : !logits
  %target = nn.target : tensor<4xi32, "batch">
  %weight = nn.variable "fc.weight" {kind = "parameter", init = "constant", init_a = 0.0, init_b = 0.0}
    : tensor<10x10xf32>
  %hidden = nn.linear %input, %weight {units = 10 : i64, bias = false} : (!logits, tensor<10x10xf32>) -> !logits
  %logits = nn.linear %hidden, %weight {units = 10 : i64, bias = false} : (!logits, tensor<10x10xf32>) -> !logits
  %loss = nn.cross_entropy %logits, %target : (!logits, tensor<4xi32, "batch">) -> tensor<4xf32, "batch">
  nn.return logits %hidden, %logits, %logits : !logits, !logits, !logits loss %loss : tensor<4xf32, "batch">
    prediction %hidden, %logits, %logits : !logits, !logits, !logits
}
