// Reverse mode over regions: one nn.vjp for each operand that needs a gradient, and nothing for the others.
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-differentiate | FileCheck "%s"
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-differentiate=keep-gradients=true \
// RUN:   | FileCheck "%s" --check-prefix=KEEP

#zero = 0.0 : f64
!vector = tensor<4x16xf32, "batch">
!logits = tensor<4x10xf32, "batch">
!numbers = tensor<4xf32, "batch">
!classes = tensor<4xi32, "batch">
!weight1 = tensor<16x16xf32>
!weight2 = tensor<10x16xf32>
!bias1 = tensor<16xf32>
!bias2 = tensor<10xf32>

// A perceptron whose first bias is no parameter.
// CHECK-LABEL: nn.program @train
// KEEP-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  // CHECK: %[[X:.*]] = nn.input
  // KEEP: %[[X:.*]] = nn.input
  %x = nn.input : !vector
  // CHECK: %[[TARGET:.*]] = nn.target
  %target = nn.target : !classes
  %w1 = nn.variable "fc1.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight1
  %b1 = nn.variable "fc1.bias" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !bias1
  // CHECK: %[[W2:.*]] = nn.variable "fc2.weight"
  %w2 = nn.variable "fc2.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight2
  %b2 = nn.variable "fc2.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias2
  // CHECK: %[[HIDDEN:.*]] = nn.region "linear.forward"(%[[X]],
  %hidden = nn.linear %x, %w1, %b1 {units = 16 : i64} : (!vector, !weight1, !bias1) -> !vector
  // CHECK: %[[ACTIVE:.*]] = nn.region "relu.forward"(%[[HIDDEN]])
  %active = nn.relu %hidden : (!vector) -> !vector
  // CHECK: %[[LOGITS:.*]] = nn.region "linear.forward"(%[[ACTIVE]],
  %logits = nn.linear %active, %w2, %b2 {units = 10 : i64} : (!vector, !weight2, !bias2) -> !logits
  // CHECK: %[[MAX:.*]] = nn.region "row_max.forward"
  %max = nn.row_max %logits : (!logits) -> !numbers
  // CHECK: nn.region "cross_entropy.forward"
  %loss = nn.cross_entropy %logits, %target shifted by %max : (!logits, !classes, !numbers) -> !numbers
  nn.return logits %logits : !logits loss %loss : !numbers
}

// The adjoint of the mean of the losses is made where it is used. The row maximum is a constant: no derivative of it.
// CHECK: %[[D_LOGITS:.*]] = nn.region "cross_entropy.grad_input"(%[[LOGITS]], %[[TARGET]], %[[MAX]]) :
// CHECK: %[[SEED:.*]] = nn.mean_seed
// CHECK: nn.vjp wrt 0(%{{.*}}, %{{.*}}, %{{.*}}, %[[SEED]]) :
// CHECK: nn.cross_entropy
// CHECK-NOT: row_max.grad

// A linear layer's input gradient reads the weights with the input innermost, and neither input nor bias.
// CHECK: %[[T:.*]] = nn.region "transpose_weight.forward"(%[[W2]]) attributes {like = "fc2.weight"}
// CHECK: %[[D_ACTIVE:.*]] = nn.region "linear.grad_input"(%[[T]], %[[D_LOGITS]]) :
// CHECK-NEXT: ^bb0(%[[W:.*]]: tensor<10x16xf32>, %[[D:.*]]: tensor<4x10xf32, "batch">):
// CHECK-NEXT: %[[NO_INPUT:.*]] = nn.placeholder : tensor<4x16xf32, "batch">
// CHECK-NEXT: %[[NO_BIAS:.*]] = nn.placeholder : tensor<10xf32>
// CHECK-NEXT: nn.vjp wrt 0(%[[NO_INPUT]], %[[W]], %[[NO_BIAS]], %[[D]])
// CHECK: %[[D_HIDDEN:.*]] = nn.region "relu.grad_input"(%[[HIDDEN]], %[[D_ACTIVE]]) :

// The first layer's input needs no gradient, nor do its weights, transposed.
// CHECK-NOT: transpose_weight
// CHECK-NOT: linear.grad_input
// Weights of a linear layer get their gradient from the whole batch at once; it lies in memory as they do.
// CHECK: %[[D_W1:.*]] = nn.region "linear.grad_weight"(%[[X]], %[[D_HIDDEN]]) attributes {like = "fc1.weight"}
// CHECK-SAME: -> tensor<16x16xf32> {
// CHECK: nn.gradient "fc1.weight", %[[D_W1]]
// Nothing for what is not trained.
// CHECK-NOT: like = "fc1.bias"
// CHECK: %[[D_W2:.*]] = nn.region "linear.grad_weight"(%[[ACTIVE]], %[[D_LOGITS]]) attributes {like = "fc2.weight"}
// CHECK: nn.gradient "fc2.weight", %[[D_W2]]
// A bias gets a part of its gradient from each slice.
// CHECK: %[[D_B2:.*]] = nn.region "linear.grad_bias"(%[[D_LOGITS]]) attributes {like = "fc2.bias"}
// CHECK-SAME: -> tensor<10xf32, "partial"> {
// CHECK: nn.vjp wrt 2(
// CHECK: nn.gradient "fc2.bias", %[[D_B2]]
// CHECK-NOT: nn.gradient
// CHECK: nn.return

// With keep-gradients a float input has a gradient as well.
// KEEP-COUNT-2: nn.region "transpose_weight.forward"
// KEEP: %[[D_X:.*]] = nn.region "linear.grad_input"
// KEEP: nn.gradient "input", %[[D_X]] : tensor<4x16xf32, "batch">

// -----

#zero = 0.0 : f64
!image = tensor<4x6x6x3xf32, "batch">
!maps = tensor<4x6x6x8xf32, "batch">
!w = tensor<8x3x3x3xf32>
!pairs = tensor<8x2xf32>
!sums = tensor<2x8x3xf32, "slices">

// batch_norm's input goes to the sums and to scale_shift: both gradients are computed and added in one region. An input
// of bytes has no gradient, whoever asks.
// CHECK-LABEL: nn.program @train
// KEEP-LABEL: nn.program @train
// KEEP-NOT: nn.gradient "input"
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %bytes = nn.input : tensor<4x6x6x3xui8, "batch">
  // CHECK: %[[IMAGE:.*]] = nn.region "identity.forward"
  %image = nn.identity %bytes : (tensor<4x6x6x3xui8, "batch">) -> !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: %[[CONV:.*]] = nn.region "conv2d.forward"
  %conv = nn.conv2d %image, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                      bias = false} : (!image, !w) -> !maps
  // CHECK: %[[SUMS:.*]] = nn.region "channel_sums.forward"
  %sums = nn.channel_sums %conv : (!maps) -> !sums
  // CHECK: %[[SCALARS:.*]] = nn.region "batch_norm_scalars.forward"
  %scalars = nn.batch_norm_scalars %sums {eps = 1.0e-5 : f64, pixels = 36 : i64} : (!sums) -> !pairs
  %norm = nn.scale_shift %conv, %scalars : (!maps, !pairs) -> !maps
  nn.return loss %norm : !maps
}

// CHECK: %[[D_SCALARS:.*]] = nn.region "scale_shift.grad_weight"(%[[CONV]], %[[SCALARS]]) :
// CHECK-SAME: -> tensor<8x2xf32, "partial"> {
// CHECK: %[[D_SUMS:.*]] = nn.region "batch_norm_scalars.grad_input"(%[[SUMS]], %[[D_SCALARS]]) :
// CHECK-SAME: -> tensor<2x8x3xf32, "slices"> {
// CHECK: %[[D_CONV:.*]] = nn.region "scale_shift.grad_input"(%[[CONV]], %[[SCALARS]], %[[D_SUMS]]) :
// CHECK: %[[A:.*]] = nn.vjp wrt 0
// CHECK: nn.scale_shift
// CHECK: %[[B:.*]] = nn.vjp wrt 0
// CHECK: nn.channel_sums
// CHECK: %[[SUM:.*]] = nn.gradient_sum %[[A]], %[[B]]
// CHECK-NEXT: nn.yield %[[SUM]]
// A convolution's weights get a part of their gradient from each slice.
// CHECK: nn.region "conv2d.grad_weight"(%[[IMAGE]], %[[D_CONV]]) attributes {like = "conv.weight"}
// CHECK-SAME: -> tensor<8x3x3x3xf32, "partial"> {
// CHECK-NOT: conv2d.grad_input

// -----

#zero = 0.0 : f64
!maps = tensor<4x6x6x8xf32, "batch">
!w = tensor<8x8x3x3xf32>

// A value that two contractions read: their gradients are stored, then added. Shared weights are
// transposed once.
// CHECK-LABEL: nn.program @train
// KEEP-LABEL: nn.program @train
// KEEP: nn.gradient "input"
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %x = nn.input : !maps
  %first = nn.variable "first.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: %[[SHARED:.*]] = nn.variable "shared.weight"
  %shared = nn.variable "shared.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  %a = nn.conv2d %x, %first {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                      bias = false} : (!maps, !w) -> !maps
  %b = nn.conv2d %a, %shared {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                      bias = false} : (!maps, !w) -> !maps
  %c = nn.conv2d %a, %shared {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                      bias = false} : (!maps, !w) -> !maps
  %sum = nn.gradient_sum %b, %c : (!maps, !maps) -> !maps
  nn.return loss %sum : !maps
}

// CHECK: %[[T:.*]] = nn.region "transpose_weight.forward"(%[[SHARED]])
// CHECK: %[[ONE:.*]] = nn.region "conv2d.grad_input"(%[[T]],
// CHECK-NOT: transpose_weight
// CHECK: %[[TWO:.*]] = nn.region "conv2d.grad_input"(%[[T]],
// CHECK: %[[D_A:.*]] = nn.region "gradient_sum.forward"(%[[ONE]], %[[TWO]])
// CHECK: nn.region "conv2d.grad_weight"(%{{.*}}, %[[D_A]]) attributes {like = "first.weight"}

// -----

#zero = 0.0 : f64
!vector = tensor<4x16xf32, "batch">
!weight = tensor<16x16xf32>

// Only the training program has a backward pass.
// CHECK-LABEL: nn.program @evaluate
// KEEP-LABEL: nn.program @evaluate
nn.program @evaluate attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %x = nn.input : !vector
  %w = nn.variable "fc.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight
  %y = nn.linear %x, %w {units = 16 : i64, bias = false} : (!vector, !weight) -> !vector
  // CHECK-NOT: nn.vjp
  // CHECK: nn.return
  // KEEP-NOT: nn.vjp
  // KEEP: nn.return
  nn.return loss %y : !vector
}
